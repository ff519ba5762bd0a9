//! Crashed calls in a search: interchangeable ones counted rather than told
//! apart, and used only where a live call needs them.
//!
//! Two crashed calls that do the same are the same once both are invoked, so a
//! configuration holds only how many of each kind it has used. Of two
//! configurations that are otherwise alike, the one that used fewer of every
//! kind can do all that the other can. And a crashed call may be put off until
//! right before a live call that could not happen without it: if what follows
//! could happen anyway, swap the two, or leave the crashed call out.

use rustc_hash::FxHashMap;

use super::register::{Action, ValueId};

/// How many calls of each kind were used: an interned vector. 0 is none.
pub(super) type UsedId = u32;

/// A kind of crashed call: all that would do the same.
type KindId = u32;

/// The crashed calls invoked so far.
pub(super) struct Crashed {
    kinds: FxHashMap<Action, KindId>,
    actions: Vec<Action>,
    invoked: Vec<u32>,
    /// Kinds by the value they set.
    into: FxHashMap<ValueId, Vec<KindId>>,
    used: UsedTable,
}

impl Crashed {
    pub(super) fn new() -> Self {
        Self {
            kinds: FxHashMap::default(),
            actions: Vec::new(),
            invoked: Vec::new(),
            into: FxHashMap::default(),
            used: UsedTable::new(),
        }
    }

    /// One more crashed call was invoked.
    pub(super) fn invoke(&mut self, action: Action) {
        let Some(value) = action.produces() else { return };
        let kind = *self.kinds.entry(action).or_insert_with(|| {
            let kind = self.actions.len() as KindId;
            self.actions.push(action);
            self.invoked.push(0);
            self.into.entry(value).or_default().push(kind);
            kind
        });
        self.invoked[kind as usize] += 1;
    }

    /// How many different uses of crashed calls were seen so far.
    pub(super) fn combinations(&self) -> usize {
        self.used.counts.len()
    }

    /// Whether `fewer` used no more than `more` of any kind.
    pub(super) fn dominates(&self, fewer: UsedId, more: UsedId) -> bool {
        fewer == more || self.used.dominates(fewer, more)
    }

    /// Every way to bring the register from one value to another through
    /// crashed calls alone, as what would have been used then.
    ///
    /// Only along paths that no value repeats and whose only write comes first:
    /// any other path holds a shorter one. `steps` counts the work, up to `limit`.
    pub(super) fn reach(
        &mut self,
        from: ValueId,
        to: ValueId,
        used: UsedId,
        steps: &mut u64,
        limit: u64,
    ) -> Vec<UsedId> {
        let mut ways = Vec::new();
        let mut paths: Vec<(ValueId, Vec<KindId>)> = vec![(to, Vec::new())];
        while let Some((goal, path)) = paths.pop() {
            *steps += 1;
            if *steps > limit {
                break;
            }
            for &kind in self.into.get(&goal).map_or(&[][..], Vec::as_slice) {
                if self.used.count(used, kind) == self.invoked[kind as usize] {
                    continue;
                }
                let longer = || path.iter().copied().chain([kind]).collect::<Vec<_>>();
                match self.actions[kind as usize] {
                    Action::Cas(old, _) if old != from => {
                        let sets = |&kind: &KindId| self.actions[kind as usize].produces();
                        if !longer().iter().any(|kind| sets(kind) == Some(old)) {
                            paths.push((old, longer()));
                        }
                    }
                    _ => ways.push(longer()),
                }
            }
        }
        ways.iter().map(|path| self.used.plus(used, path)).collect()
    }

    /// Every way to make the register hold anything but `value`, which it holds now.
    pub(super) fn leave(&mut self, value: ValueId, used: UsedId) -> Vec<(ValueId, UsedId)> {
        let mut ways = Vec::new();
        for (kind, &action) in (0..).zip(&self.actions) {
            let possible = action.observes().is_none_or(|old| old == value);
            let other = action.produces().filter(|&new| new != value);
            let left = self.used.count(used, kind) < self.invoked[kind as usize];
            if let (true, true, Some(new)) = (possible, left, other) {
                ways.push((new, self.used.plus(used, &[kind])));
            }
        }
        ways
    }
}

/// Interned counts per kind, sorted by kind, without zeros.
struct UsedTable {
    counts: Vec<Box<[(KindId, u32)]>>,
    ids: FxHashMap<Box<[(KindId, u32)]>, UsedId>,
}

impl UsedTable {
    fn new() -> Self {
        let none: Box<[(KindId, u32)]> = Box::default();
        Self { counts: vec![none.clone()], ids: FxHashMap::from_iter([(none, 0)]) }
    }

    fn count(&self, used: UsedId, kind: KindId) -> u32 {
        let counts = &self.counts[used as usize];
        counts.binary_search_by_key(&kind, |&(kind, _)| kind).map_or(0, |at| counts[at].1)
    }

    fn plus(&mut self, used: UsedId, kinds: &[KindId]) -> UsedId {
        let mut counts = self.counts[used as usize].to_vec();
        for &kind in kinds {
            match counts.binary_search_by_key(&kind, |&(kind, _)| kind) {
                Ok(at) => counts[at].1 += 1,
                Err(at) => counts.insert(at, (kind, 1)),
            }
        }
        let counts = counts.into_boxed_slice();
        if let Some(&id) = self.ids.get(&counts) {
            return id;
        }
        let id = self.counts.len() as UsedId;
        self.counts.push(counts.clone());
        self.ids.insert(counts, id);
        id
    }

    fn dominates(&self, fewer: UsedId, more: UsedId) -> bool {
        let fewer = &self.counts[fewer as usize];
        fewer.len() <= self.counts[more as usize].len()
            && fewer.iter().all(|&(kind, count)| count <= self.count(more, kind))
    }
}
