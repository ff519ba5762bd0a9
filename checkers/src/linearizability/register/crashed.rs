//! Crashed calls in a search: interchangeable ones counted rather than told apart.
//!
//! Two crashed calls that do the same are the same once both are invoked, so a
//! configuration holds only how many of each kind it has used. Of two
//! configurations that are otherwise alike, the one that used fewer of every
//! kind can do all that the other can.
//!
//! Counts are packed: a kind has a field as wide as its supply, with a guard bit
//! above it, so that one subtraction compares all fields of a word.

use rustc_hash::FxHashMap;

use super::op::{Action, Op, ValueId};

/// How many calls of each kind were used: an interned vector. 0 is none.
pub(super) type UsedId = u32;

/// A kind of crashed call: all that would do the same.
pub(super) type KindId = u32;

/// The kinds of which no more uses are counted than were invoked. The others have no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// Every kind: exactly the history.
    All,
    /// Those that set this value: what is impossible then is impossible.
    Into(ValueId),
    /// None.
    None,
}

/// The crashed calls invoked so far.
pub(super) struct Crashed {
    kinds: FxHashMap<Action, KindId>,
    supply: Vec<Supply>,
    /// The swaps into each value.
    swaps: Vec<Vec<KindId>>,
    used: UsedTable,
}

struct Supply {
    action: Action,
    invoked: u32,
    field: Option<Field>,
    /// What a use of it costs, in the comparison of configurations of which only some can be kept.
    weight: u32,
}

impl Crashed {
    /// Crashed calls among `ops`, of which none has been invoked yet.
    pub(super) fn new(ops: &[Op], values: usize, counted: Counted) -> Self {
        let mut totals: Vec<(Action, u32)> = Vec::new();
        let mut kinds: FxHashMap<Action, KindId> = FxHashMap::default();
        for op in ops.iter().filter(|op| op.crashed() && op.action.produces().is_some()) {
            let kind = *kinds.entry(op.action).or_insert(totals.len() as KindId);
            match totals.get_mut(kind as usize) {
                Some((_, total)) => *total += 1,
                None => totals.push((op.action, 1)),
            }
        }
        let (mut swaps, mut fields) = (vec![Vec::new(); values], Fields::default());
        let supply = (0..).zip(&totals).map(|(kind, &(action, total))| {
            let new = action.produces().expect("crashed calls here set a value");
            if let Action::Cas(..) = action {
                swaps[new as usize].push(kind);
            }
            let tells = match counted {
                Counted::All => true,
                Counted::Into(value) => value == new,
                Counted::None => false,
            };
            let field = tells.then(|| fields.add(total));
            Supply { action, invoked: 0, field, weight: weight(action, total) }
        });
        let supply = supply.collect();
        Self { kinds, supply, swaps, used: UsedTable::new(fields) }
    }

    /// One more crashed call was invoked.
    pub(super) fn invoke(&mut self, action: Action) {
        if let Some(&kind) = self.kinds.get(&action) {
            self.supply[kind as usize].invoked += 1;
        }
    }

    /// Whether `fewer` used no more than `more` of any kind.
    pub(super) fn dominates(&self, fewer: UsedId, more: UsedId) -> bool {
        fewer == more || self.used.dominates(fewer, more)
    }

    /// How dear the calls used were; a guess, for choosing what to keep.
    pub(super) fn cost(&self, used: UsedId) -> u32 {
        self.used.cost[used as usize]
    }

    /// A kind of which `used` leaves a call to use.
    pub(super) fn left(&self, action: Action, used: UsedId) -> Option<KindId> {
        let kind = *self.kinds.get(&action)?;
        self.has(kind, used).then_some(kind)
    }

    /// The kinds of swaps into a value of which `used` leaves some, with the values they swap.
    pub(super) fn swaps_into(
        &self,
        value: ValueId,
        used: UsedId,
    ) -> impl Iterator<Item = (KindId, ValueId)> {
        let left = self.swaps[value as usize].iter().filter(move |&&kind| self.has(kind, used));
        left.filter_map(|&kind| Some((kind, self.supply[kind as usize].action.observes()?)))
    }

    /// All kinds of which `used` leaves some.
    pub(super) fn all_left(&self, used: UsedId) -> impl Iterator<Item = (KindId, Action)> {
        let kinds = (0..).zip(&self.supply).filter(move |&(kind, _)| self.has(kind, used));
        kinds.map(|(kind, supply)| (kind, supply.action))
    }

    fn has(&self, kind: KindId, used: UsedId) -> bool {
        let supply = &self.supply[kind as usize];
        match supply.field {
            Some(field) => self.used.count(used, field) < supply.invoked,
            None => supply.invoked > 0,
        }
    }

    /// What has been used after one more of a kind.
    pub(super) fn plus(&mut self, used: UsedId, kind: KindId) -> UsedId {
        let supply = &self.supply[kind as usize];
        supply.field.map_or(used, |field| self.used.plus(used, field, supply.weight))
    }
}

/// A rare kind is dearer than a common one, and a write, which fits everywhere, than a swap.
fn weight(action: Action, total: u32) -> u32 {
    let fits = if matches!(action, Action::Write(_)) { 3 } else { 2 };
    (fits * 1_000 / total.min(1_000)).max(1)
}

/// Where a kind's count is.
#[derive(Clone, Copy)]
struct Field {
    word: u32,
    shift: u32,
    bits: u32,
}

/// Lays fields out in words.
#[derive(Default)]
struct Fields {
    /// The guard bit of every field, by word.
    guards: Vec<u64>,
    /// The bits taken in the last word.
    taken: u32,
}

impl Fields {
    /// A field that counts up to `total`.
    fn add(&mut self, total: u32) -> Field {
        let bits = u32::BITS - total.leading_zeros();
        if self.guards.is_empty() || self.taken + bits + 1 > u64::BITS {
            self.guards.push(0);
            self.taken = 0;
        }
        let (word, shift) = (self.guards.len() - 1, self.taken);
        self.guards[word] |= 1 << (shift + bits);
        self.taken += bits + 1;
        Field { word: word as u32, shift, bits }
    }
}

/// Vectors of counts, each once.
struct UsedTable {
    guards: Vec<u64>,
    /// The vectors one after the other, as many words each as there are guards.
    words: Vec<u64>,
    cost: Vec<u32>,
    ids: FxHashMap<Box<[u64]>, UsedId>,
}

impl UsedTable {
    fn new(fields: Fields) -> Self {
        let none = vec![0; fields.guards.len()];
        let ids = FxHashMap::from_iter([(none.clone().into_boxed_slice(), 0)]);
        Self { guards: fields.guards, words: none, cost: vec![0], ids }
    }

    fn vector(&self, used: UsedId) -> &[u64] {
        let stride = self.guards.len();
        &self.words[used as usize * stride..][..stride]
    }

    fn count(&self, used: UsedId, field: Field) -> u32 {
        let word = self.words[used as usize * self.guards.len() + field.word as usize];
        (word >> field.shift) as u32 & ((1 << field.bits) - 1)
    }

    fn plus(&mut self, used: UsedId, field: Field, weight: u32) -> UsedId {
        let mut counts: Box<[u64]> = self.vector(used).into();
        counts[field.word as usize] += 1 << field.shift;
        if let Some(&id) = self.ids.get(&counts) {
            return id;
        }
        let id = self.cost.len() as UsedId;
        self.words.extend_from_slice(&counts);
        self.cost.push(self.cost[used as usize] + weight);
        self.ids.insert(counts, id);
        id
    }

    /// With its guard set, a field stays above zero where the other takes no more than it has.
    fn dominates(&self, fewer: UsedId, more: UsedId) -> bool {
        let mut words = self.vector(fewer).iter().zip(self.vector(more)).zip(&self.guards);
        words.all(|((&fewer, &more), &guards)| ((more | guards) - fewer) & guards == guards)
    }
}
