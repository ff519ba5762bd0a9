//! The bad disks there are: what each does to a database's files, and how bad it is by default.

use tribunal_generator::Rng;

use super::about::{About, ENDING, LATE, LYING};
use super::bad_disk::DiskFault;
use super::given::{Given, magnitude, percent};
use super::target;
use super::{FaultOption, Needs, PlanError};
use crate::disk::{Access, Harm, Order, Rule};

const MS: u64 = 1_000_000;

const FILES: FaultOption = FaultOption::new(
    "files",
    "Only these, as a pattern of paths below the data folder (`*.wal`; a star goes through folders); by default all.",
);

const SHARE: FaultOption =
    FaultOption::new("share", "The share of the operations; by default drawn from 0.01 to 0.64.");

/// How an error shows.
const FAILED: &str = "an operation of the agent's own on a file below the same mount fails with just this error; those of the database that did are counted";

/// The filesystem's cost is a run's, whether or not a fault acts.
const COST: &str = "beside a plain folder the run's filesystem does 126 small synced writes a second for 147, 9300 unsynced ones for 171000, and reads 110 MiB/s uncached for 490 (on two cores, busy with ten others)";

/// The power goes by the way of a kill.
const CUT: &str = "the filesystem is that of `disk-slow`; it keeps what unsynced writes overwrite in memory, up to 256 MiB; where the database is quiet, the cut waits 1.5 s";

/// Reading fails.
pub static READ_ERROR: DiskFault = DiskFault {
    about: About {
        name: "disk-read-error",
        doc: "Reads of a share of the database's files' pages fail with EIO, in a mapping with SIGBUS.",
        options: &[target::OPTION, SHARE, FILES],
        needs: Needs::Fuse,
        assumes: ENDING,
        seen: FAILED,
        cost: COST,
    },
    draw: |given, rng| failing(given, rng, &[Access::Read], libc::EIO, "reads fail"),
};

/// Writing fails.
pub static WRITE_ERROR: DiskFault = DiskFault {
    about: About {
        name: "disk-write-error",
        doc: "A share of the database's writes fail with EIO and change nothing.",
        options: &[target::OPTION, SHARE, FILES],
        needs: Needs::Fuse,
        assumes: ENDING,
        seen: FAILED,
        cost: COST,
    },
    draw: |given, rng| failing(given, rng, &[Access::Write], libc::EIO, "writes fail"),
};

/// Syncing fails.
pub static SYNC_ERROR: DiskFault = DiskFault {
    about: About {
        name: "disk-sync-error",
        doc: "A share of the database's syncs (`fsync` and its kin, also of folders) fail with EIO.",
        options: &[target::OPTION, SHARE, FILES],
        needs: Needs::Fuse,
        assumes: ENDING,
        seen: FAILED,
        cost: COST,
    },
    draw: |given, rng| failing(given, rng, &[Access::Sync], libc::EIO, "syncs fail"),
};

/// There is no room, now and then.
pub static NO_SPACE: DiskFault = DiskFault {
    about: About {
        name: "disk-no-space",
        doc: "A share of the database's writes, new files and reservations fail with ENOSPC, however much room there is.",
        options: &[target::OPTION, SHARE, FILES],
        needs: Needs::Fuse,
        assumes: ENDING,
        seen: FAILED,
        cost: COST,
    },
    draw: |given, rng| {
        failing(given, rng, &[Access::Write, Access::Allocate], libc::ENOSPC, "writes find no room")
    },
};

/// Everything takes long.
pub static SLOW: DiskFault = DiskFault {
    about: About {
        name: "disk-slow",
        doc: "Every read, write or sync of the database takes longer.",
        options: &[
            target::OPTION,
            FaultOption::new("on", "Read, write, sync or all; by default drawn anew."),
            FaultOption::new("delay_ms", "How much longer; by default drawn from 5 to 640."),
            FaultOption::new(
                "jitter_ms",
                "Off by up to this, either way; by default a quarter of the delay.",
            ),
            FILES,
        ],
        needs: Needs::Fuse,
        assumes: LATE,
        seen: "an operation of the agent's own on a file below the same mount takes as long; those of the database that did are counted",
        cost: COST,
    },
    draw: |given, rng| {
        let on = given.choice("on", &["read", "write", "sync", "all"], rng)?;
        let drawn = magnitude(5, 640, rng) * MS;
        let delay_ns = given.milliseconds("delay_ms")?.unwrap_or(drawn);
        let jitter_ns = given.milliseconds("jitter_ms")?.unwrap_or(delay_ns / 4);
        let harm = Harm::Slow { delay_ns, jitter_ns };
        let rule = Rule { seed: 0, on: accesses(on), files: files(given)?, share: 1.0, harm };
        let what =
            if on == "all" { "reads, writes and syncs".to_owned() } else { format!("{on}s") };
        let (delay, jitter) = (delay_ns as f64 / 1e6, jitter_ns as f64 / 1e6);
        Ok(((rule, Order::Kept), format!("{what} {delay} ms late, give or take {jitter} ms")))
    },
};

/// Bits are others.
pub static BIT_FLIPS: DiskFault = DiskFault {
    about: About {
        name: "disk-bit-flips",
        doc: "Flips a bit in a share of what the database reads, or for good in what it writes: a Byzantine disk.",
        options: &[
            target::OPTION,
            FaultOption::new(
                "on",
                "Read (wrong once) or write (wrong for good); by default drawn anew.",
            ),
            SHARE,
            FILES,
        ],
        needs: Needs::Fuse,
        assumes: LYING,
        seen: "what the agent wrote to a file of its own below the same mount is read with a bit flipped; what was flipped of the database's is counted",
        cost: COST,
    },
    draw: |given, rng| {
        let on = given.choice("on", &["read", "write"], rng)?;
        let share = given.share_or_drawn(SHARE.name, rng)?;
        let rule =
            Rule { seed: 0, on: accesses(on), files: files(given)?, share, harm: Harm::Flip };
        let what = if on == "read" { "reads" } else { "writes, for good," };
        Ok(((rule, Order::Kept), format!("a bit is flipped in {} of the {what}", percent(share))))
    },
};

/// A write in flight when the power goes is there in part.
pub static TORN_WRITES: DiskFault = DiskFault {
    about: About {
        name: "disk-torn-writes",
        doc: "Cuts the disk's power at the end, in the middle of a write: some of its sectors are written. The database is killed, and started again.",
        options: &[
            target::OPTION,
            FaultOption::new(
                "order",
                "Kept: what was written before the torn write is there. Any: every sector that was not synced may be missing. By default drawn anew.",
            ),
        ],
        needs: Needs::Fuse,
        assumes: ENDING,
        seen: "the filesystem tells how many of the sectors of the last write, and of those that were not synced, are there",
        cost: CUT,
    },
    draw: |given, rng| {
        let order = given.choice("order", &["kept", "any"], rng)?;
        let what =
            format!("the power will go in the middle of a write, the order of writes {order}");
        let order = if order == "kept" { Order::Kept } else { Order::Any };
        Ok(((volatile(false), order), what))
    },
};

/// What is synced is not.
pub static LOST_SYNC: DiskFault = DiskFault {
    about: About {
        name: "disk-lost-sync",
        doc: "Syncs do nothing and say yes; at the end the power goes, and all that was written meanwhile is lost: a Byzantine disk. The database is killed, and started again.",
        options: &[target::OPTION],
        needs: Needs::Fuse,
        assumes: LYING,
        seen: "the filesystem tells how many writes were lost",
        cost: CUT,
    },
    draw: |_, _| {
        let what = "syncs do nothing, and the power will go".to_owned();
        Ok(((volatile(true), Order::Lost), what))
    },
};

fn failing(
    given: &Given,
    rng: &mut Rng,
    on: &[Access],
    errno: i32,
    what: &str,
) -> Result<((Rule, Order), String), PlanError> {
    let share = given.share_or_drawn(SHARE.name, rng)?;
    let (on, harm) = (on.to_vec(), Harm::Fail { errno });
    let rule = Rule { seed: 0, on, files: files(given)?, share, harm };
    Ok(((rule, Order::Kept), format!("{} of the {what}", percent(share))))
}

fn volatile(lie: bool) -> Rule {
    let (on, harm) = (vec![Access::Sync], Harm::Volatile { lie });
    Rule { seed: 0, on, files: None, share: 1.0, harm }
}

fn accesses(on: &str) -> Vec<Access> {
    match on {
        "read" => vec![Access::Read],
        "write" => vec![Access::Write],
        "sync" => vec![Access::Sync],
        _ => vec![Access::Read, Access::Write, Access::Sync],
    }
}

fn files(given: &Given) -> Result<Option<String>, PlanError> {
    let wanted = "a pattern of paths, such as `wal/*` or `*.log`";
    given.text(FILES.name, wanted, |text| glob::Pattern::new(text).is_ok())
}
