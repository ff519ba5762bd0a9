//! Who saw whom, however far apart, for few sessions: a clock for each transaction, of how far it saw each
//! session.
//!
//! Whoever saw a transaction saw all before it in its session, so one number a session is enough
//! (Mattern, "Virtual Time and Global States of Distributed Systems", 1989). The sessions are gone through in
//! groups, so that a clock is one line of the processor's cache, and memory does not grow with them.

use rayon::prelude::*;

use super::super::transaction::TxnId;
use super::history_order::Order;
use super::table::Table;

/// Sessions of a group.
const GROUP: usize = 16;

/// Groups that are gone through at once: 64 bytes for each transaction and each of them.
const AT_ONCE: usize = 4;

/// Whether one saw another.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The one who may have been seen; its place is before the other's.
    pub seen: TxnId,
    /// The place of the other.
    pub by: u32,
}

/// Where a transaction is in its session, both from 1; zeros if it is in none.
type Whose = (u32, u32);

/// Whether clocks cost less than [windows](super::window) so wide. A window has a bit for each place, a clock
/// 32 for each session. They know only of transactions that are in a session.
pub fn pay(table: &Table, width: usize) -> bool {
    let present = table.present.iter().filter(|&&present| present).count();
    let in_sessions: usize = table.sessions.iter().map(Vec::len).sum();
    table.sessions.len() * (u32::BITS as usize) < width && in_sessions == present
}

/// The answers to questions, which are in the order of their places.
pub fn answer(table: &Table, order: &Order, questions: &[Question]) -> Vec<bool> {
    let mut whose: Vec<Whose> = vec![(0, 0); table.len()];
    for (session, txns) in (1..).zip(&table.sessions) {
        for (index, &txn) in (1..).zip(txns) {
            whose[txn as usize] = (session, index);
        }
    }
    let mut groups: Vec<Vec<u32>> = vec![Vec::new(); table.sessions.len().div_ceil(GROUP)];
    for (number, question) in (0..).zip(questions) {
        groups[group(whose[question.seen as usize])].push(number);
    }
    let mut answers = vec![false; questions.len()];
    let groups: Vec<(usize, Vec<u32>)> = groups.into_iter().enumerate().collect();
    for groups in groups.chunks(AT_ONCE) {
        let seen = groups.par_iter().flat_map_iter(|(group, asked)| {
            let pass = Pass { table, order, whose: &whose, group: *group };
            pass.seen(questions, asked)
        });
        let seen: Vec<u32> = seen.collect();
        seen.into_iter().for_each(|number| answers[number as usize] = true);
    }
    answers
}

fn group((session, _): Whose) -> usize {
    (session as usize - 1) / GROUP
}

/// One look at all transactions, for the sessions of one group.
struct Pass<'a> {
    table: &'a Table,
    order: &'a Order,
    whose: &'a [Whose],
    group: usize,
}

impl Pass<'_> {
    /// Those of the questions asked whose answer is yes.
    fn seen(&self, questions: &[Question], asked: &[u32]) -> Vec<u32> {
        let Some(&last) = asked.last() else { return Vec::new() };
        let end = questions[last as usize].by as usize + 1;
        let mut clocks: Vec<[u32; GROUP]> = Vec::with_capacity(end);
        for &txn in &self.order.txns[..end] {
            let clock = self.clock(txn, &clocks);
            clocks.push(clock);
        }
        let was_seen = |&number: &u32| {
            let Question { seen, by } = questions[number as usize];
            let (session, index) = self.whose[seen as usize];
            clocks[by as usize][(session as usize - 1) % GROUP] >= index
        };
        asked.iter().copied().filter(was_seen).collect()
    }

    /// How far a transaction saw each session of the group, itself included; `clocks` has those before it.
    fn clock(&self, txn: TxnId, clocks: &[[u32; GROUP]]) -> [u32; GROUP] {
        let mut clock = [0; GROUP];
        for seen in self.table.saw(txn) {
            let other = &clocks[self.order.places[seen as usize] as usize];
            clock.iter_mut().zip(other).for_each(|(mine, &other)| *mine = (*mine).max(other));
        }
        let (session, index) = self.whose[txn as usize];
        if group((session, index)) == self.group {
            clock[(session as usize - 1) % GROUP] = index;
        }
        clock
    }
}
