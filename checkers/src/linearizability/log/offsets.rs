//! Logs by their offsets: exact in n log n, linear where offsets are dense.
//!
//! What is in the log is known: every acknowledged append, and whatever was polled. An
//! append of unknown outcome that nobody polled is left out, for nobody depends on it. Offsets
//! put the entries in order, so it remains to see that
//!
//! - an offset has one append and one value,
//! - no call that knows of an offset ended before the append of a lower one began (one pass
//!   from the highest offset down, with the earliest end so far),
//! - polls are runs of neighbours, and each consumer's polls follow one another.
//!
//! The log only grows at its end, so a poll that is right once stays right: its start does
//! not matter. Several appends of unknown outcome of one value are alike but for their
//! starts, and what must be there first is there earlier: they are matched in order.

use rustc_hash::FxHashMap;
use tribunal_history::Datum;

use super::super::model::{NEVER, Op, Point};
use super::Call;

/// No call.
const NONE: u32 = u32::MAX;

/// Why the calls on a log have no order. Calls are positions among the ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// Two acknowledged appends at one offset.
    SameOffset {
        /// One of them.
        first: u32,
        /// The other.
        second: u32,
    },
    /// Two calls know different values of one offset.
    Diverged {
        /// The append there, or a poll.
        first: u32,
        /// A poll.
        second: u32,
        /// The offset.
        offset: i64,
    },
    /// A poll found a value that was not appended, or not as often as it is there.
    Unappended {
        /// The poll.
        poll: u32,
        /// Where it found it.
        offset: i64,
        /// Another call that shows the only append of that value elsewhere.
        elsewhere: Option<u32>,
    },
    /// A poll found offsets in another order than that of the log.
    Unsorted {
        /// The poll.
        poll: u32,
    },
    /// A poll passed over an entry.
    Skipped {
        /// The poll that found the entry after it.
        poll: u32,
        /// The same consumer's poll before, if that found the entry before it.
        before: Option<u32>,
        /// A call that shows that there is an entry: its append, or a poll.
        entry: u32,
        /// Its offset.
        offset: i64,
    },
    /// A consumer went back.
    Rewound {
        /// The poll that found again what had been polled.
        poll: u32,
        /// The same consumer's poll before.
        before: u32,
    },
    /// A call knew of an offset before the append of it, or of a lower one, began.
    OutOfOrder {
        /// The call that ended first: an append at this or a higher offset, or a poll.
        early: u32,
        /// The append that began afterwards.
        late: u32,
        /// Where the append took effect.
        offset: i64,
        /// A poll that shows that it did, where its outcome is unknown.
        shown: Option<u32>,
    },
}

/// Judges the calls on a log, in the order of their starts.
pub fn check(ops: &[Op<Call>]) -> Result<(), Breach> {
    let mut log = Entries::of(ops);
    log.add_appends()?;
    log.add_polls()?;
    log.match_unknown()?;
    log.follow_polls()?;
    log.in_order()
}

/// What is known of an offset.
#[derive(Clone, Copy)]
struct Entry {
    value: Datum,
    /// Its append.
    append: u32,
    /// The poll of it that ended first.
    poll: u32,
}

const UNKNOWN: Entry = Entry { value: Datum::NOWHERE, append: NONE, poll: NONE };

/// The entries of a log, by offset.
struct Entries<'a> {
    ops: &'a [Op<Call>],
    /// Every offset that occurs, in order.
    offsets: Vec<i64>,
    /// For each offset from the first one on, its place; empty where offsets are far apart.
    places: Vec<u32>,
    entries: Vec<Entry>,
}

/// Offsets per entry up to which there is a table of them.
const SPARSE: usize = 4;

impl<'a> Entries<'a> {
    fn of(ops: &'a [Op<Call>]) -> Self {
        let (mut first, mut last, mut count) = (i64::MAX, i64::MIN, 0);
        each_offset(ops, |offset| {
            (first, last, count) = (first.min(offset), last.max(offset), count + 1);
        });
        let mut log = Self { ops, offsets: Vec::new(), places: Vec::new(), entries: Vec::new() };
        if last.abs_diff(first) < (SPARSE * count) as u64 {
            log.places = vec![NONE; last.abs_diff(first) as usize + 1];
            each_offset(ops, |offset| log.places[offset.abs_diff(first) as usize] = 0);
            for (offset, place) in (first..).zip(&mut log.places).filter(|(_, place)| **place == 0)
            {
                *place = log.offsets.len() as u32;
                log.offsets.push(offset);
            }
        } else {
            log.offsets.reserve(count);
            each_offset(ops, |offset| log.offsets.push(offset));
            log.offsets.sort_unstable();
            log.offsets.dedup();
        }
        log.entries = vec![UNKNOWN; log.offsets.len()];
        log
    }

    /// The place of an offset that occurs.
    fn place(&self, offset: i64) -> usize {
        match self.places.is_empty() {
            true => self.offsets.binary_search(&offset).unwrap_or_else(|place| place),
            false => self.places[offset.abs_diff(self.offsets[0]) as usize] as usize,
        }
    }

    fn add_appends(&mut self) -> Result<(), Breach> {
        for (at, op) in (0..).zip(self.ops) {
            let Call::Append { value, offset: Some(offset) } = op.call else { continue };
            let place = self.place(offset);
            let entry = &mut self.entries[place];
            if entry.append != NONE {
                return Err(Breach::SameOffset { first: entry.append, second: at });
            }
            *entry = Entry { value, append: at, poll: NONE };
        }
        Ok(())
    }

    fn add_polls(&mut self) -> Result<(), Breach> {
        let mut diverged = None;
        for (at, op) in (0..).zip(self.ops) {
            let Call::Poll { entries, .. } = &op.call else { continue };
            for &(offset, value) in entries {
                let place = self.place(offset);
                let entry = &mut self.entries[place];
                if entry.value == Datum::NOWHERE {
                    entry.value = value;
                } else if entry.value != value {
                    let first = if entry.append == NONE { entry.poll } else { entry.append };
                    diverged = diverged.or(Some(Breach::Diverged { first, second: at, offset }));
                }
                if entry.poll == NONE || op.end < self.ops[entry.poll as usize].end {
                    entry.poll = at;
                }
            }
        }
        diverged.map_or(Ok(()), Err)
    }

    /// Finds appends of unknown outcome for the entries that no other append explains.
    fn match_unknown(&mut self) -> Result<(), Breach> {
        let mut unexplained: FxHashMap<Datum, Vec<u32>> = FxHashMap::default();
        for place in (0..self.entries.len() as u32).rev() {
            let entry = &self.entries[place as usize];
            if entry.append == NONE {
                unexplained.entry(entry.value).or_default().push(place);
            }
        }
        if unexplained.is_empty() {
            return Ok(());
        }
        for (at, op) in (0..).zip(self.ops) {
            let Call::Append { value, offset: None } = op.call else { continue };
            if let Some(place) = unexplained.get_mut(&value).and_then(Vec::pop) {
                self.entries[place as usize].append = at;
            }
        }
        let left = unexplained.values().filter_map(|places| places.last()).min();
        left.map_or(Ok(()), |&place| {
            let Entry { value, poll, .. } = self.entries[place as usize];
            let known =
                self.entries.iter().find(|entry| entry.value == value && entry.append != NONE);
            let shows = |entry: &Entry| if entry.poll == NONE { entry.append } else { entry.poll };
            let offset = self.offsets[place as usize];
            Err(Breach::Unappended { poll, offset, elsewhere: known.map(shows) })
        })
    }

    /// Polls are runs of neighbours, and go on where the consumer's last one ended.
    fn follow_polls(&self) -> Result<(), Breach> {
        let mut consumers: FxHashMap<u64, Consumer> = FxHashMap::default();
        for (at, op) in (0..).zip(self.ops) {
            match &op.call {
                Call::Append { .. } => {}
                Call::Seek { process } => {
                    let consumer = consumers.entry(*process).or_default();
                    match op.end {
                        NEVER => consumer.lost += 1,
                        _ => consumer.last = None,
                    }
                }
                Call::Poll { entries, .. } if entries.is_empty() => {}
                Call::Poll { process, entries } => {
                    let (first, last) = self.run(at, entries)?;
                    let consumer = consumers.entry(*process).or_default();
                    self.follows(consumer, at, first)?;
                    consumer.last = Some((at, last));
                }
            }
        }
        Ok(())
    }

    /// The first and the last place of a poll without gaps.
    fn run(&self, poll: u32, entries: &[(i64, Datum)]) -> Result<(usize, usize), Breach> {
        let first = self.place(entries[0].0);
        for (place, &(offset, _)) in (first..).zip(entries) {
            match self.place(offset) {
                found if found == place => {}
                found if found < place => return Err(Breach::Unsorted { poll }),
                _ => return Err(self.skipped(poll, None, place)),
            }
        }
        Ok((first, first + entries.len() - 1))
    }

    fn follows(&self, consumer: &mut Consumer, poll: u32, first: usize) -> Result<(), Breach> {
        let Some((before, last)) = consumer.last.filter(|&(_, last)| last + 1 != first) else {
            return Ok(());
        };
        if consumer.lost > 0 {
            consumer.lost -= 1;
            return Ok(());
        }
        Err(match first <= last {
            true => Breach::Rewound { poll, before },
            false => self.skipped(poll, Some(before), last + 1),
        })
    }

    fn skipped(&self, poll: u32, before: Option<u32>, place: usize) -> Breach {
        let Entry { append, poll: shown, .. } = self.entries[place];
        let entry = if self.ops[append as usize].crashed() { shown } else { append };
        Breach::Skipped { poll, before, entry, offset: self.offsets[place] }
    }

    /// Nobody knew of an entry before it or a lower one was appended.
    fn in_order(&self) -> Result<(), Breach> {
        let (mut end, mut early): (Point, u32) = (NEVER, NONE);
        for (entry, &offset) in self.entries.iter().zip(&self.offsets).rev() {
            let append = &self.ops[entry.append as usize];
            if append.end < end {
                (end, early) = (append.end, entry.append);
            }
            if entry.poll != NONE && self.ops[entry.poll as usize].end < end {
                (end, early) = (self.ops[entry.poll as usize].end, entry.poll);
            }
            if append.start > end {
                let shown = append.crashed().then_some(entry.poll);
                return Err(Breach::OutOfOrder { early, late: entry.append, offset, shown });
            }
        }
        Ok(())
    }
}

/// Where a consumer is.
#[derive(Default)]
struct Consumer {
    /// Its last poll that found anything, and the last place that this found.
    last: Option<(u32, usize)>,
    /// How often it may have lost its place since it began.
    lost: u32,
}

fn each_offset(ops: &[Op<Call>], mut found: impl FnMut(i64)) {
    for op in ops {
        match &op.call {
            Call::Append { offset, .. } => offset.iter().for_each(|&offset| found(offset)),
            Call::Poll { entries, .. } => entries.iter().for_each(|&(offset, _)| found(offset)),
            Call::Seek { .. } => {}
        }
    }
}

impl Breach {
    /// The calls that show it, with the appends of all that was polled.
    pub fn calls(&self, ops: &[Op<Call>]) -> Vec<u32> {
        let mut log = Entries::of(ops);
        // All that can be tied together is, whatever is wrong with it.
        let _ = log.add_appends();
        let _ = log.add_polls();
        let _ = log.match_unknown();
        let mut calls = self.named();
        if let Breach::Unappended { offset, .. } = *self {
            let value = log.entries[log.place(offset)].value;
            let alike = log.entries.iter().filter(|entry| entry.value == value);
            calls.extend(alike.flat_map(|entry| [entry.append, entry.poll]));
            calls.retain(|&at| at != NONE);
        }
        let polled = calls.iter().filter_map(|&at| match &ops[at as usize].call {
            Call::Poll { entries, .. } => Some(entries.iter()),
            _ => None,
        });
        let appends = polled.flatten().map(|&(offset, _)| log.entries[log.place(offset)].append);
        let appends: Vec<u32> = appends.filter(|&at| at != NONE).collect();
        calls.extend(appends);
        calls.sort_unstable();
        calls.dedup();
        calls
    }

    /// The calls that it names.
    fn named(&self) -> Vec<u32> {
        match *self {
            Breach::SameOffset { first, second } | Breach::Diverged { first, second, .. } => {
                vec![first, second]
            }
            Breach::Unappended { poll, elsewhere, .. } => {
                [poll].into_iter().chain(elsewhere).collect()
            }
            Breach::Unsorted { poll } => vec![poll],
            Breach::Rewound { poll, before } => vec![poll, before],
            Breach::Skipped { poll, before, entry, .. } => {
                [poll, entry].into_iter().chain(before).collect()
            }
            Breach::OutOfOrder { early, late, shown, .. } => {
                [early, late].into_iter().chain(shown).collect()
            }
        }
    }
}
