//! Something for each process: in a table, as their numbers are small and dense, but for stray ones.

use rustc_hash::FxHashMap;

/// Numbers below this have a place in the table, up to the highest that occurs.
const DENSE: u64 = 1 << 18;

/// A `T` for each process.
#[derive(Default)]
pub(super) struct ByProcess<T> {
    dense: Vec<T>,
    others: FxHashMap<u64, T>,
}

impl<T: Clone + Default> ByProcess<T> {
    /// That of a process.
    pub(super) fn get(&mut self, process: u64) -> &mut T {
        if process >= DENSE {
            return self.others.entry(process).or_default();
        }
        let place = process as usize;
        if place >= self.dense.len() {
            self.dense.resize(place + 1, T::default());
        }
        &mut self.dense[place]
    }
}
