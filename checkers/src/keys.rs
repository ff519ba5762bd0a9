//! The calls on each object of a history.

use rustc_hash::FxHashMap;
use tribunal_history::{Datum, History, Operation, ValueRef};

/// Its calls by key, in the order of their first calls. An absent key is a key too.
pub(crate) fn by_key(history: &History) -> Vec<(Option<ValueRef<'_>>, Vec<Operation<'_>>)> {
    let mut numbers: FxHashMap<Option<Datum>, usize> = FxHashMap::default();
    let mut objects: Vec<(Option<ValueRef>, Vec<Operation>)> = Vec::new();
    for operation in history.operations() {
        let key = operation.key();
        let number = *numbers.entry(key.map(ValueRef::datum)).or_insert_with(|| {
            objects.push((key, Vec::new()));
            objects.len() - 1
        });
        objects[number].1.push(operation);
    }
    objects
}
