//! The bad links there are: what each does to frames, and how bad it is by default.
//! Magnitudes are drawn over a row of doublings: systems break at a timeout or at a
//! retransmission's limit, and nobody knows at which.
//!
//! Late, lost and overtaken packets break the bounds of time. Packets that come twice break nothing, and
//! those that lie do so in time.

use tribunal_harness::cluster::local::wire::Rule;

use super::about::{About, LATE, LYING, MILDEST};
use super::given::{magnitude, percent};
use super::link::{FRAMES, LINKS, LinkFault, SEEN, SINGLE_FRAMES};
use super::{FaultOption, Needs};

const MS: u64 = 1_000_000;

const SHARE: FaultOption =
    FaultOption::new("share", "The share; by default drawn from 0.01 to 0.64.");

/// Every frame comes late.
pub static SLOW: LinkFault = LinkFault {
    about: About {
        name: "link-slow",
        doc: "Delays every packet of some links between nodes; with jitter, by varying times.",
        options: &[
            LINKS,
            FaultOption::new("delay_ms", "How long; by default drawn from 5 to 640."),
            FaultOption::new(
                "jitter_ms",
                "Off by up to this, either way; by default a quarter of the delay.",
            ),
        ],
        needs: Needs::Links,
        assumes: LATE,
        seen: SEEN,
        cost: FRAMES,
    },
    draw: |given, rng| {
        let drawn = magnitude(5, 640, rng) * MS;
        let delay_ns = given.milliseconds("delay_ms")?.unwrap_or(drawn);
        let jitter_ns = given.milliseconds("jitter_ms")?.unwrap_or(delay_ns / 4);
        let what = format!("{} ms late, give or take {} ms", ms(delay_ns), ms(jitter_ns));
        Ok((Rule { delay_ns, jitter_ns, ..Rule::default() }, what))
    },
};

/// Some frames do not come.
pub static LOSSY: LinkFault = LinkFault {
    about: About {
        name: "link-lossy",
        doc: "Loses a share of the packets of some links between nodes.",
        options: &[
            LINKS,
            FaultOption::new("loss", "The share; by default drawn from 0.01 to 0.64."),
        ],
        needs: Needs::Links,
        assumes: LATE,
        seen: SEEN,
        cost: SINGLE_FRAMES,
    },
    draw: |given, rng| {
        let loss = given.share_or_drawn("loss", rng)?;
        Ok((Rule { loss, ..Rule::default() }, format!("{} lost", percent(loss))))
    },
};

/// Some frames come twice.
pub static DUPLICATING: LinkFault = LinkFault {
    about: About {
        name: "link-duplicating",
        doc: "Delivers a share of the packets of some links twice.",
        options: &[LINKS, SHARE],
        needs: Needs::Links,
        assumes: MILDEST,
        seen: SEEN,
        cost: SINGLE_FRAMES,
    },
    draw: |given, rng| {
        let duplicate = given.share_or_drawn(SHARE.name, rng)?;
        Ok((Rule { duplicate, ..Rule::default() }, format!("{} come twice", percent(duplicate))))
    },
};

/// Some frames are overtaken.
pub static REORDERING: LinkFault = LinkFault {
    about: About {
        name: "link-reordering",
        doc: "Holds a share of the packets of some links back, so that later ones overtake them.",
        options: &[
            LINKS,
            SHARE,
            FaultOption::new("by_ms", "For how long; by default drawn from 1 to 64."),
        ],
        needs: Needs::Links,
        assumes: LATE,
        seen: SEEN,
        cost: SINGLE_FRAMES,
    },
    draw: |given, rng| {
        let reorder = given.share_or_drawn(SHARE.name, rng)?;
        let drawn = magnitude(1, 64, rng) * MS;
        let reorder_ns = given.milliseconds("by_ms")?.unwrap_or(drawn);
        let what =
            format!("{} come {} ms late, the others first", percent(reorder), ms(reorder_ns));
        Ok((Rule { reorder, reorder_ns, ..Rule::default() }, what))
    },
};

/// Some frames come with a wrong bit.
pub static CORRUPTING: LinkFault = LinkFault {
    about: About {
        name: "link-corrupting",
        doc: "Flips a bit in a share of the packets of some links; their checksums tell.",
        options: &[LINKS, SHARE],
        needs: Needs::Links,
        assumes: LATE,
        seen: SEEN,
        cost: SINGLE_FRAMES,
    },
    draw: |given, rng| {
        let corrupt = given.share_or_drawn(SHARE.name, rng)?;
        let what = format!("a bit is flipped in {}", percent(corrupt));
        Ok((Rule { corrupt, ..Rule::default() }, what))
    },
};

/// Few bits a second.
pub static NARROW: LinkFault = LinkFault {
    about: About {
        name: "link-narrow",
        doc: "Lets some links between nodes carry few bits a second, behind a queue of 200 ms.",
        options: &[
            LINKS,
            FaultOption::new("kbit", "Kilobits a second; by default drawn from 64 to 8192."),
        ],
        needs: Needs::Links,
        assumes: LATE,
        seen: SEEN,
        cost: SINGLE_FRAMES,
    },
    draw: |given, rng| {
        let drawn = magnitude(64, 8192, rng) * 1000;
        let rate = given.kilobits("kbit")?.unwrap_or(drawn);
        Ok((Rule { rate, ..Rule::default() }, format!("{} kbit/s", rate / 1000)))
    },
};

/// Nothing, and then everything.
pub static HELD: LinkFault = LinkFault {
    about: About {
        name: "link-held",
        doc: "Keeps every packet of some links until it is healed, and delivers them all then, \
              as in GitHub's outage of December 2012.",
        options: &[LINKS],
        needs: Needs::Wire,
        assumes: LATE,
        seen: SEEN,
        cost: FRAMES,
    },
    draw: |_, _| {
        let rule = Rule { hold: true, ..Rule::default() };
        Ok((rule, "packets held until it is healed".to_owned()))
    },
};

/// A wrong bit that no checksum tells.
pub static ALTERING: LinkFault = LinkFault {
    about: About {
        name: "link-altering",
        doc: "Flips a bit of what a share of the packets say and mends the checksum: a Byzantine link.",
        options: &[LINKS, SHARE],
        needs: Needs::Wire,
        assumes: LYING,
        seen: SEEN,
        cost: SINGLE_FRAMES,
    },
    draw: |given, rng| {
        let corrupt = given.share_or_drawn(SHARE.name, rng)?;
        let rule = Rule { corrupt, mend: true, ..Rule::default() };
        Ok((rule, format!("what {} say is altered unnoticed", percent(corrupt))))
    },
};

/// Old frames come again.
pub static REPLAYING: LinkFault = LinkFault {
    about: About {
        name: "link-replaying",
        doc: "Delivers a share of the packets of some links a second time much later: a Byzantine link.",
        options: &[
            LINKS,
            SHARE,
            FaultOption::new("after_ms", "How much later; by default drawn from 100 to 6400."),
        ],
        needs: Needs::Wire,
        assumes: LYING,
        seen: SEEN,
        cost: SINGLE_FRAMES,
    },
    draw: |given, rng| {
        let replay = given.share_or_drawn(SHARE.name, rng)?;
        let drawn = magnitude(100, 6400, rng) * MS;
        let replay_ns = given.milliseconds("after_ms")?.unwrap_or(drawn);
        let what = format!("{} come again {} ms later", percent(replay), ms(replay_ns));
        Ok((Rule { replay, replay_ns, ..Rule::default() }, what))
    },
};

fn ms(nanos: u64) -> String {
    format!("{}", nanos as f64 / 1e6)
}
