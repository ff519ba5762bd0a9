//! Causal consistency: whoever saw a transaction, directly or through others, reads nothing older of
//! what it wrote.
//!
//! In the order that was guessed a read is at odds with the rule only where a writer of its key
//! lies between whom it read and the reader itself, and was seen. Such writers are few, and
//! near: a [`Window`] just wide enough for them tells whether they were seen. For those that are
//! farther away than the widest one, what the reader saw is walked through. Where such a window would be
//! wide and the sessions are few, [`clocks`] tell it instead.

use std::ops::Range;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::super::transaction::KeyId;
use super::clocks::{self, Question};
use super::history_order::Order;
use super::saturation::{Learned, Source};
use super::table::{Read, Table};
use super::window::Window;
use crate::transactions::register::reads::INITIAL;

/// Places that are looked at together. A window begins earlier by its width.
const CHUNK: usize = 1 << 16;

/// The widest window: 128 MiB of rows.
const WIDEST: usize = 1 << 15;

/// Transactions that may be walked through for each chunk.
const BUDGET: u64 = 100_000_000;

/// What contradicts the order, and how many questions were left open by the budget.
pub fn infer(table: &Table, order: &Order) -> (Vec<Learned>, u64) {
    let writers = Writers::of(table, order);
    let firsts: Vec<usize> = (0..order.txns.len()).step_by(CHUNK).collect();
    let places = |first: usize| first..order.txns.len().min(first + CHUNK);
    let doubts = firsts.par_iter().map(|&first| doubts(table, order, &writers, places(first)));
    let doubts: Vec<Vec<Doubt>> = doubts.collect();
    let farthest = doubts.iter().flatten().map(|doubt| doubt.reach(&writers)).max();
    if farthest.is_some_and(|reach| clocks::pay(table, reach.min(WIDEST))) {
        return (by_clocks(table, order, &writers, &doubts), 0);
    }
    let chunks = firsts.into_par_iter().zip(doubts).map(|(first, doubts)| {
        let (found, writers) = (Vec::new(), &writers);
        let mut chunk = Chunk { table, order, writers, found, open: 0, budget: BUDGET };
        chunk.settle(&doubts, places(first));
        (chunk.found, chunk.open)
    });
    let chunks: Vec<(Vec<Learned>, u64)> = chunks.collect();
    let open = chunks.iter().map(|(_, open)| open).sum();
    (chunks.into_iter().flat_map(|(found, _)| found).collect(), open)
}

/// What contradicts the order, where there are few sessions and doubts that are far apart.
fn by_clocks(
    table: &Table,
    order: &Order,
    writers: &Writers,
    doubts: &[Vec<Doubt>],
) -> Vec<Learned> {
    let (mut questions, mut reads) = (Vec::new(), Vec::new());
    for doubt in doubts.iter().flatten() {
        for &place in &writers.places[doubt.writers.clone()] {
            questions.push(Question { seen: order.txns[place as usize], by: doubt.place });
            reads.push(doubt.read);
        }
    }
    let answers = clocks::answer(table, order, &questions).into_iter();
    let yes = answers.zip(questions).zip(reads).filter(|((seen, _), _)| *seen);
    yes.map(|((_, question), read)| Learned {
        before: question.seen,
        after: read.writer,
        reader: order.txns[question.by as usize],
        key: read.key,
        source: Source::Rule,
    })
    .collect()
}

/// The places of every key's writers, in order.
struct Writers {
    begins: Vec<u32>,
    places: Vec<u32>,
}

impl Writers {
    fn of(table: &Table, order: &Order) -> Self {
        let mut begins = vec![0_u32; table.keys + 1];
        for &txn in &order.txns {
            table.writes(txn).iter().for_each(|&key| begins[key as usize + 1] += 1);
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        let mut next = begins.clone();
        let mut places = vec![0; sum as usize];
        for (place, &txn) in (0..).zip(&order.txns) {
            for &key in table.writes(txn) {
                let at = &mut next[key as usize];
                places[*at as usize] = place;
                *at += 1;
            }
        }
        Self { begins, places }
    }

    /// Which of the places are of writers of a key after one place and before another.
    fn between(&self, key: KeyId, after: Option<u32>, before: u32) -> Range<usize> {
        let begins = [key, key + 1].map(|key| self.begins[key as usize] as usize);
        let all = &self.places[begins[0]..begins[1]];
        // Those after the first are few.
        let first = after.map_or(0, |after| all.partition_point(|&place| place <= after));
        let count = all[first..].iter().take_while(|&&place| place < before).count();
        begins[0] + first..begins[0] + first + count
    }
}

/// A read between which and its writer others wrote the key.
struct Doubt {
    /// The place of the reader.
    place: u32,
    read: Read,
    /// Those others, among the places of writers.
    writers: Range<usize>,
}

impl Doubt {
    /// How far back the first of those others is.
    fn reach(&self, writers: &Writers) -> usize {
        (self.place - writers.places[self.writers.start]) as usize
    }
}

/// The doubts of the transactions at some places.
fn doubts(table: &Table, order: &Order, writers: &Writers, places: Range<usize>) -> Vec<Doubt> {
    let reads = places.flat_map(|place| {
        let reads = table.reads(order.txns[place]).iter();
        reads.map(move |&read| (place as u32, read))
    });
    let doubts = reads.map(|(place, read)| {
        let written = (read.writer != INITIAL).then(|| order.places[read.writer as usize]);
        Doubt { place, read, writers: writers.between(read.key, written, place) }
    });
    doubts.filter(|doubt| !doubt.writers.is_empty()).collect()
}

struct Chunk<'a> {
    table: &'a Table,
    order: &'a Order,
    writers: &'a Writers,
    found: Vec<Learned>,
    open: u64,
    budget: u64,
}

impl Chunk<'_> {
    fn settle(&mut self, doubts: &[Doubt], places: Range<usize>) {
        let (table, order) = (self.table, self.order);
        let reach = doubts.iter().map(|doubt| doubt.reach(self.writers)).max();
        let Some(least) = reach else { return };
        let width = (least + 1).min(WIDEST);
        let start = places.start.saturating_sub(2 * width);
        let mut window = Window::new(width, start);
        let mut doubts = doubts.iter().peekable();
        for place in start..places.end {
            // What comes after the last doubt needs no row.
            if doubts.peek().is_none() {
                break;
            }
            let saw = table.saw(order.txns[place]);
            window.add(place, saw.map(|txn| order.places[txn as usize] as usize));
            while let Some(doubt) = doubts.next_if(|doubt| doubt.place as usize == place) {
                self.ask(doubt, &window);
            }
        }
    }

    /// Which of the writers in question the reader saw.
    fn ask(&mut self, doubt: &Doubt, window: &Window) {
        let reader = self.order.txns[doubt.place as usize];
        for &place in &self.writers.places[doubt.writers.clone()] {
            let seen = match ((doubt.place - place) as usize) < window.width() {
                true => Some(window.saw(place as usize)),
                false => self.walk(place, doubt.place),
            };
            match seen {
                Some(false) => {}
                None => self.open += 1,
                Some(true) => self.found.push(Learned {
                    before: self.order.txns[place as usize],
                    after: doubt.read.writer,
                    reader,
                    key: doubt.read.key,
                    source: Source::Rule,
                }),
            }
        }
    }

    /// Whether one saw another, by a walk through all between them that it saw; `None` if the
    /// budget ends before.
    fn walk(&mut self, seen: u32, by: u32) -> Option<bool> {
        let mut passed: FxHashSet<u32> = FxHashSet::default();
        let mut path = vec![by];
        while let Some(place) = path.pop() {
            for txn in self.table.saw(self.order.txns[place as usize]) {
                self.budget = self.budget.checked_sub(1)?;
                let next = self.order.places[txn as usize];
                if next == seen {
                    return Some(true);
                }
                if next > seen && passed.insert(next) {
                    path.push(next);
                }
            }
        }
        Some(false)
    }
}
