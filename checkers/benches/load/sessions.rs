//! Sessions of transactions on registers, simulated, as Plume's text: a causally consistent history,
//! or one with a single read that is not.

use std::io::{self, Write};

/// What the sessions do.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Transactions in all.
    pub transactions: u64,
    /// Reads and writes of each, as many of the one as of the other.
    pub operations: u64,
    /// Registers.
    pub keys: u64,
    /// Sessions, each of which runs one transaction after the other.
    pub sessions: u64,
    /// How many commits a snapshot may be behind.
    pub lag: u64,
    /// Whether one read in the middle finds the first value of its register.
    pub stale: bool,
    /// Whether all of a session's lines come before the next one's.
    pub by_session: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            transactions: 1_000_000,
            operations: 8,
            keys: 10_000,
            sessions: 50,
            lag: 1_000,
            stale: false,
            by_session: false,
        }
    }
}

/// A linear congruential generator (Knuth's MMIX constants).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

/// Every version of every register: when it was committed, and its value.
struct Store(Vec<Vec<(u64, u64)>>);

impl Store {
    /// What a snapshot of this moment holds; 0 before the first write.
    fn read(&self, key: u64, moment: u64) -> u64 {
        let versions = &self.0[key as usize];
        let count = versions.partition_point(|&(committed, _)| committed <= moment);
        count.checked_sub(1).map_or(0, |last| versions[last].1)
    }
}

/// The sessions under way.
struct Run {
    shape: Shape,
    draw: Draw,
    store: Store,
    /// The moment of each session's last snapshot or commit; moments count from 1.
    seen: Vec<u64>,
    value: u64,
    stale: bool,
}

/// Writes the history. All transactions commit one after the other; each reads a moment of the past,
/// but none before its session's last, and its own writes.
pub fn write(out: &mut impl Write, shape: Shape) -> io::Result<()> {
    let store = Store(vec![Vec::new(); shape.keys as usize]);
    let seen = vec![0; shape.sessions as usize];
    let mut run = Run { shape, draw: Draw(1), store, seen, value: 0, stale: shape.stale };
    let mut held: Vec<Vec<u8>> = vec![Vec::new(); shape.sessions as usize];
    for transaction in 0..shape.transactions {
        let session = run.draw.below(shape.sessions);
        match shape.by_session {
            true => run.transaction(&mut held[session as usize], transaction, session)?,
            false => run.transaction(out, transaction, session)?,
        }
    }
    held.iter().try_for_each(|lines| out.write_all(lines))
}

impl Run {
    fn transaction(&mut self, out: &mut impl Write, number: u64, session: u64) -> io::Result<()> {
        let last = self.seen[session as usize];
        let moment = number.saturating_sub(self.draw.below(self.shape.lag + 1)).max(last);
        let mut written: Vec<(u64, u64)> = Vec::new();
        for _ in 0..self.shape.operations {
            let key = self.draw.below(self.shape.keys);
            if self.draw.below(2) == 0 {
                self.value += 1;
                written.retain(|&(there, _)| there != key);
                written.push((key, self.value));
                writeln!(out, "w({key},{},{session},{number})", self.value)?;
                continue;
            }
            let own = written.iter().find(|&&(there, _)| there == key);
            let found = own.map_or_else(|| self.found(key, moment), |&(_, value)| value);
            writeln!(out, "r({key},{found},{session},{number})")?;
        }
        self.seen[session as usize] = if written.is_empty() { moment } else { number + 1 };
        for (key, value) in written {
            self.store.0[key as usize].push((number + 1, value));
        }
        Ok(())
    }

    /// What a snapshot finds; once, if that is asked for, the register's first value instead.
    fn found(&mut self, key: u64, moment: u64) -> u64 {
        let found = self.store.read(key, moment);
        let first = self.store.0[key as usize].first().map_or(found, |&(_, value)| value);
        let goes_back = self.stale && moment > self.shape.transactions / 2 && first != found;
        self.stale &= !goes_back;
        if goes_back { first } else { found }
    }
}
