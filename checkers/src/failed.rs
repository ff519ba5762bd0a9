//! Calls that failed, by what they were to put in: who asks for a value that nobody put
//! there is told at once, however many strangers and however many failures there are.

use rustc_hash::FxHashMap;
use tribunal_history::{Datum, Operation};

/// Of each value the first call that failed.
pub(crate) struct Failed<'h>(FxHashMap<Datum, Operation<'h>>);

impl<'h> Failed<'h> {
    /// These calls, in order.
    pub fn of(calls: &[Operation<'h>]) -> Self {
        let mut first = FxHashMap::default();
        for call in calls {
            first.entry(call.argument().datum()).or_insert(*call);
        }
        Self(first)
    }

    /// The first that was to put this in.
    pub fn find(&self, value: Datum) -> Option<Operation<'h>> {
        self.0.get(&value).copied()
    }
}
