//! The states of an object as numbers, and what each call does to them.
//!
//! A state is kept once. What a call does to a state is remembered in a cache
//! of fixed size: most are asked for again at once, or never.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::super::model::Model;
use super::index::Index;

/// A state, as a position among all that were met.
pub(super) type StateId = u32;

/// A call, as a position among the different calls of a history.
pub(super) type ClassId = u32;

/// The states met so far, and what calls did to them.
pub(super) struct Space<'m, M: Model> {
    model: &'m M,
    classes: &'m [M::Call],
    states: Vec<M::State>,
    index: Index,
    cache: Vec<(u64, Next)>,
    /// The outcomes of calls that have several.
    choices: Vec<Box<[StateId]>>,
    /// What the states occupy, nearly.
    weight: usize,
}

/// What a call does to a state.
#[derive(Clone, Copy)]
enum Next {
    /// It cannot have happened there.
    Nothing,
    One(StateId),
    /// One of these, by their position.
    Several(u32),
}

/// No state and no call.
const UNUSED: u64 = u64::MAX;

impl<'m, M: Model> Space<'m, M> {
    /// The first state; it is what an object holds before the first call.
    pub(super) const INITIAL: StateId = 0;

    pub(super) fn new(model: &'m M, classes: &'m [M::Call]) -> Self {
        // A hundred steps for a small history, and never more than fits a processor's own memory.
        let cached = (16 * classes.len()).next_power_of_two().clamp(1 << 8, 1 << 16);
        let mut space = Self {
            model,
            classes,
            states: Vec::new(),
            index: Index::default(),
            cache: vec![(UNUSED, Next::Nothing); cached],
            choices: Vec::new(),
            weight: 0,
        };
        space.intern(model.init());
        space
    }

    /// Whether the call leaves every state as it is.
    pub(super) fn looks(&self, class: ClassId) -> bool {
        self.model.looks(&self.classes[class as usize])
    }

    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// A state itself.
    pub(super) fn state(&self, id: StateId) -> &M::State {
        &self.states[id as usize]
    }

    /// What the states occupy, nearly.
    pub(super) fn bytes(&self) -> usize {
        self.weight + self.index.bytes() + self.cache.len() * size_of::<(u64, Next)>()
    }

    /// What the object may hold after a call, one state after the other.
    pub(super) fn after(
        &mut self,
        state: StateId,
        class: ClassId,
    ) -> impl Iterator<Item = StateId> + use<M> {
        let next = self.next(state, class);
        let several: &[StateId] = match &next {
            Next::Nothing => &[],
            Next::One(one) => std::slice::from_ref(one),
            Next::Several(at) => &self.choices[*at as usize],
        };
        // Almost always at most one: then nothing is allocated.
        let (first, rest) = match several {
            [] => (None, Vec::new()),
            [first, rest @ ..] => (Some(*first), rest.to_vec()),
        };
        first.into_iter().chain(rest)
    }

    /// Whether a call may lead from one state to another.
    pub(super) fn leads(&mut self, from: StateId, class: ClassId, to: StateId) -> bool {
        match self.next(from, class) {
            Next::Nothing => false,
            Next::One(one) => one == to,
            Next::Several(at) => self.choices[at as usize].contains(&to),
        }
    }

    fn next(&mut self, state: StateId, class: ClassId) -> Next {
        let key = u64::from(state) << 32 | u64::from(class);
        let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let place = mixed as usize & (self.cache.len() - 1);
        if self.cache[place].0 == key {
            return self.cache[place].1;
        }
        let next = self.step(state, class);
        self.cache[place] = (key, next);
        next
    }

    fn step(&mut self, state: StateId, class: ClassId) -> Next {
        let (model, call) = (self.model, &self.classes[class as usize]);
        let mut after = model.step(&self.states[state as usize], call).into_iter();
        let Some(first) = after.next() else { return Next::Nothing };
        let Some(second) = after.next() else {
            drop(after);
            return Next::One(self.intern(first));
        };
        let states: Vec<M::State> = [first, second].into_iter().chain(after).collect();
        let mut choice: Vec<StateId> = states.into_iter().map(|state| self.intern(state)).collect();
        choice.sort_unstable();
        choice.dedup();
        self.weight += size_of_val(&*choice) + size_of::<Box<[StateId]>>();
        self.choices.push(choice.into());
        Next::Several(self.choices.len() as u32 - 1)
    }

    fn intern(&mut self, state: M::State) -> StateId {
        let (hash, bytes) = weigh(&state);
        let same = |id: u32| self.states[id as usize] == state;
        if let Some(id) = self.index.find(hash, same) {
            return id;
        }
        let id = self.states.len() as StateId;
        self.index.insert(hash, id);
        self.states.push(state);
        self.weight += size_of::<M::State>() + 2 * bytes;
        id
    }

    /// Forgets all states but those in `keep` and the first; returns the new name of each old one.
    pub(super) fn forget_but(&mut self, keep: impl Iterator<Item = StateId>) -> Vec<StateId> {
        let mut kept = vec![false; self.states.len()];
        kept[Self::INITIAL as usize] = true;
        keep.for_each(|id| kept[id as usize] = true);
        self.index = Index::default();
        self.cache.fill((UNUSED, Next::Nothing));
        (self.choices, self.weight) = (Vec::new(), 0);
        let old = std::mem::take(&mut self.states);
        let rename = |(state, kept)| if kept { self.intern(state) } else { StateId::MAX };
        old.into_iter().zip(kept).map(rename).collect()
    }
}

/// The hash of a state, and how many bytes it is made of: all that is hashed.
fn weigh(state: &impl Hash) -> (u64, usize) {
    let mut scale = Scale { hasher: FxHasher::default(), bytes: 0 };
    state.hash(&mut scale);
    (scale.hasher.finish(), scale.bytes)
}

/// Hashes, and counts what it hashes.
struct Scale {
    hasher: FxHasher,
    bytes: usize,
}

impl Hasher for Scale {
    fn finish(&self) -> u64 {
        self.hasher.finish()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.hasher.write(bytes);
    }

    fn write_u32(&mut self, number: u32) {
        self.bytes += 4;
        self.hasher.write_u32(number);
    }

    fn write_u64(&mut self, number: u64) {
        self.bytes += 8;
        self.hasher.write_u64(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.bytes += 8;
        self.hasher.write_usize(number);
    }
}
