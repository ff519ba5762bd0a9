//! One fault's doing on one directed link: what becomes of each frame. Pure: it has
//! no clock, no socket, and its chance from a stream of its own, so that the n-th
//! frame of a link fares the same whatever other faults and links do.

use serde::{Deserialize, Serialize};
use tribunal_generator::Rng;

use super::rule::Rule;

/// How far behind a narrow link may be before it drops what comes, in nanoseconds: a
/// router's buffer.
const LONGEST_QUEUE: u64 = 200_000_000;

/// A frame on its way: when it arrives, and what has been done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// On the monotonic clock, in nanoseconds.
    pub due: u64,
    /// Which bit is flipped, counted anew for each frame; `None` leaves it whole.
    pub flip: Option<Flip>,
}

/// A bit to be flipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flip {
    /// Any number; its remainder by the number of bits there are is the bit.
    pub chance: u64,
    /// Whether the checksum is made to fit.
    pub mend: bool,
}

/// Frames that came to harm, by the harm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// All that went in.
    pub frames: u64,
    /// Those that came later than they would have.
    pub delayed: u64,
    /// By chance, or because a narrow link's queue was full.
    pub lost: u64,
    /// Those that came twice.
    pub duplicated: u64,
    /// Those of which a bit was flipped.
    pub corrupted: u64,
    /// Those that were held back, so that others overtook them.
    pub reordered: u64,
    /// Those that came again later.
    pub replayed: u64,
    /// Those that wait for the rule's end.
    pub held: u64,
}

impl Tally {
    /// Frames that did not fare as on a whole link.
    pub fn harmed(&self) -> u64 {
        let Self { delayed, lost, duplicated, corrupted, reordered, replayed, held, .. } = self;
        delayed + lost + duplicated + corrupted + reordered + replayed + held
    }
}

/// A rule at work.
pub struct Layer {
    rule: Rule,
    chance: Rng,
    /// When the link will have sent what it has.
    free: u64,
    /// When the last frame arrives that keeps to the order.
    last: u64,
    /// What it did so far.
    pub tally: Tally,
}

impl Layer {
    /// A rule that begins.
    pub fn new(rule: Rule, chance: Rng) -> Self {
        Self { rule, chance, free: 0, last: 0, tally: Tally::default() }
    }

    /// What it does.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// A frame of `bytes` enters; its passages are given to `on`. None of them: it is lost, or
    /// held where the rule says so.
    pub fn pass(&mut self, frame: Passage, bytes: usize, on: &mut impl FnMut(Passage)) {
        self.tally.frames += 1;
        // Each kind of chance is drawn for every frame, so that one more kind in a rule
        // leaves the others' draws as they were.
        let [lost, doubled, corrupted, late, again] =
            std::array::from_fn(|_| self.chance.fraction());
        let (bit, jitter) = (self.chance.bits(), self.chance.fraction());
        if self.rule.hold {
            self.tally.held += 1;
            return;
        }
        if lost < self.rule.loss {
            self.tally.lost += 1;
            return;
        }
        let Some(mut due) = self.sent(frame.due, bytes) else {
            self.tally.lost += 1;
            return;
        };
        due = self.delayed(due, jitter);
        self.tally.delayed += u64::from(due > frame.due);
        if late < self.rule.reorder {
            self.tally.reordered += 1;
            due += self.rule.reorder_ns;
        } else {
            self.last = due;
        }
        let mut flip = frame.flip;
        if corrupted < self.rule.corrupt {
            self.tally.corrupted += 1;
            flip = Some(Flip { chance: bit, mend: self.rule.mend });
        }
        on(Passage { due, flip });
        if doubled < self.rule.duplicate {
            self.tally.duplicated += 1;
            on(Passage { due, flip });
        }
        if again < self.rule.replay {
            self.tally.replayed += 1;
            on(Passage { due: due + self.rule.replay_ns, flip });
        }
    }

    /// When a link of this rate has sent the frame; `None` if its queue is full.
    fn sent(&mut self, due: u64, bytes: usize) -> Option<u64> {
        if self.rule.rate == 0 {
            return Some(due);
        }
        let begins = self.free.max(due);
        if begins - due > LONGEST_QUEUE {
            return None;
        }
        let takes = u128::from(bytes as u64) * 8_000_000_000 / u128::from(self.rule.rate);
        self.free = begins.saturating_add(takes as u64);
        Some(self.free)
    }

    /// `jitter` is from 0 to 1.
    fn delayed(&self, due: u64, jitter: f64) -> u64 {
        let Rule { delay_ns, jitter_ns, .. } = self.rule;
        let spread = (jitter * 2.0 * jitter_ns as f64) as u64;
        let due = (due + delay_ns + spread).saturating_sub(jitter_ns).max(due);
        // Frames of one link keep their order, unless a rule says otherwise.
        due.max(self.last)
    }
}

#[cfg(test)]
mod tests {
    use tribunal_generator::Seed;

    use super::*;

    const MS: u64 = 1_000_000;

    /// The arrivals of frames of 1,000 bytes that leave every millisecond.
    fn run(rule: Rule, frames: u64) -> (Vec<(u64, Passage)>, Tally) {
        let mut layer = Layer::new(rule, Seed(1).stream("n1>n2"));
        let mut arrived = Vec::new();
        for frame in 0..frames {
            let entry = Passage { due: frame * MS, flip: None };
            layer.pass(entry, 1000, &mut |passage| arrived.push((frame, passage)));
        }
        (arrived, layer.tally)
    }

    fn share(count: u64, of: u64) -> f64 {
        count as f64 / of as f64
    }

    #[test]
    fn a_delay_is_kept_to_the_nanosecond_and_jitter_keeps_the_order() {
        let rule = Rule { delay_ns: 10 * MS, ..Rule::default() };
        let (arrived, tally) = run(rule.clone(), 100);
        assert!(arrived.iter().all(|(frame, it)| it.due == (frame + 10) * MS));
        assert_eq!((tally.frames, tally.delayed), (100, 100));
        let (arrived, _) = run(Rule { jitter_ns: 5 * MS, ..rule }, 1000);
        assert!(arrived.windows(2).all(|pair| pair[0].1.due <= pair[1].1.due));
        let delay = |(frame, it): &(u64, Passage)| it.due - frame * MS;
        assert!(arrived.iter().all(|it| (5 * MS..15 * MS + MS).contains(&delay(it))));
        assert!(arrived.iter().any(|it| delay(it) < 7 * MS));
        assert!(arrived.iter().any(|it| delay(it) > 13 * MS));
    }

    #[test]
    fn shares_are_those_that_were_asked_for() {
        let rule =
            Rule { loss: 0.1, duplicate: 0.2, corrupt: 0.05, reorder: 0.02, ..Rule::default() };
        let (arrived, tally) = run(Rule { reorder_ns: 5 * MS, ..rule }, 100_000);
        let near = |found: f64, wanted: f64| (found - wanted).abs() < wanted * 0.1;
        assert!(near(share(tally.lost, tally.frames), 0.1), "{tally:?}");
        let kept = tally.frames - tally.lost;
        assert!(near(share(tally.duplicated, kept), 0.2), "{tally:?}");
        assert!(near(share(tally.corrupted, kept), 0.05), "{tally:?}");
        assert!(near(share(tally.reordered, kept), 0.02), "{tally:?}");
        assert_eq!(arrived.len() as u64, kept + tally.duplicated);
        let overtaken = arrived.windows(2).filter(|pair| pair[0].1.due > pair[1].1.due).count();
        let overtaken = overtaken as u64;
        // One that is held back just before another overtakes only once with it.
        let likely = tally.reordered * 9 / 10..=tally.reordered;
        assert!(likely.contains(&overtaken), "{overtaken}: {tally:?}");
    }

    #[test]
    fn a_narrow_link_spaces_frames_and_drops_what_its_queue_cannot_hold() {
        // A millisecond has 4,000 bits, a frame 8,000: every second one has to go.
        let (arrived, tally) = run(Rule { rate: 4_000_000, ..Rule::default() }, 10_000);
        assert!(arrived.windows(2).all(|pair| pair[1].1.due - pair[0].1.due >= 2 * MS));
        assert!((4_800..5_000).contains(&tally.lost), "{tally:?}");
        let wait = |(frame, it): &(u64, Passage)| it.due - frame * MS;
        assert!(arrived.iter().all(|it| wait(it) <= LONGEST_QUEUE + 2 * MS));
    }

    #[test]
    fn one_more_harm_leaves_the_others_draws() {
        let lost = |rule| {
            let (arrived, _) = run(rule, 1000);
            arrived.iter().map(|(frame, _)| *frame).collect::<std::collections::BTreeSet<_>>()
        };
        let loss = Rule { loss: 0.3, ..Rule::default() };
        assert_eq!(lost(loss.clone()), lost(Rule { duplicate: 0.5, delay_ns: 7, ..loss }));
    }

    #[test]
    fn what_is_held_does_not_pass() {
        let (arrived, tally) = run(Rule { hold: true, ..Rule::default() }, 10);
        assert_eq!((arrived.len(), tally.held, tally.harmed()), (0, 10, 10));
    }

    #[test]
    fn a_replayed_frame_comes_again_much_later() {
        let rule = Rule { replay: 1.0, replay_ns: 300 * MS, ..Rule::default() };
        let (arrived, tally) = run(rule, 2);
        let due: Vec<u64> = arrived.iter().map(|(_, it)| it.due / MS).collect();
        assert_eq!((due, tally.replayed), (vec![0, 300, 1, 301], 2));
    }
}
