//! How the values of the parts of a file become those of one history: several parts at once, on all cores.
//!
//! Lists are taken over level by level, because a list can be compared only when its elements are
//! data of the history: first those that hold no list, then those that hold only such, and so on. In each
//! level the parts are translated and hashed in parallel, then every shard takes in what is its own, part
//! after part, so that the places are the same on any number of cores.

use rayon::prelude::*;

use super::lists::{Added, Lists};
use super::pool::Pool;
use super::{Datum, Tag, Values};

/// What the data of a part are in the values that took it over.
pub(crate) struct Translation {
    /// By place in the part.
    texts: Vec<u64>,
    lists: Vec<u64>,
}

impl Translation {
    /// The datum of a value that the part had as `datum`.
    pub(crate) fn of(&self, datum: Datum) -> Datum {
        match datum.tag() {
            Tag::Constant | Tag::Int | Tag::Pair | Tag::Step => datum,
            tag @ (Tag::Number | Tag::Text) => Datum::of(tag, self.texts[datum.place()]),
            tag @ (Tag::List | Tag::Object) => Datum::of(tag, self.lists[datum.place()]),
        }
    }
}

impl Values {
    /// Takes over [drafts](Values::draft).
    pub(crate) fn adopt(&mut self, drafts: Vec<Values>) -> Vec<Translation> {
        let own = |draft: &Values| {
            let texts = (0..draft.texts.len()).map(|place| self.add_text(draft.texts.get(place)));
            texts.collect()
        };
        let texts: Vec<Vec<u64>> = drafts.iter().map(own).collect();
        let parts = drafts.into_iter().zip(texts);
        let mut parts: Vec<Part> = parts.map(|(draft, texts)| Part::new(draft, texts)).collect();
        parts.par_iter_mut().for_each(Part::tell_levels);
        let levels = parts.iter().map(|part| part.levels.len()).max().unwrap_or(0);
        for level in 0..levels {
            parts.par_iter_mut().for_each(|part| part.translate(level));
            self.lists.take_level(&mut parts, level);
        }
        parts.into_iter().map(|part| part.translation).collect()
    }

    /// Takes over the lists of drafts whose elements are data of these values already.
    pub(crate) fn adopt_lists(&mut self, drafts: Vec<Values>) -> Vec<Translation> {
        let parts = drafts.into_iter().map(|draft| Part::new(draft, Vec::new()));
        let mut parts: Vec<Part> = parts.collect();
        parts
            .iter_mut()
            .for_each(|part| part.levels = vec![(0..part.lists.len() as u32).collect()]);
        self.lists.take_level(&mut parts, 0);
        parts.into_iter().map(|part| part.translation).collect()
    }
}

impl Lists {
    /// Adds the lists of a level, which have been translated, and notes where they are.
    fn take_level(&mut self, parts: &mut [Part], level: usize) {
        let sort_out = |part: &Part| self.sort_out(&part.lists, part.level(level).iter().copied());
        let sorted: Vec<_> = parts.par_iter().map(sort_out).collect();
        let pools: Vec<&Pool<Datum>> = parts.iter().map(|part| &part.lists).collect();
        let added = self.add_all(&pools, sorted);
        parts.par_iter_mut().enumerate().for_each(|(at, part)| part.note(&added, at));
    }
}

/// A draft that is being taken over.
struct Part {
    lists: Pool<Datum>,
    /// The lists by level; those that hold no list first.
    levels: Vec<Vec<u32>>,
    translation: Translation,
}

impl Part {
    fn new(draft: Values, texts: Vec<u64>) -> Self {
        let lists = draft.lists.into_draft();
        let translation = Translation { texts, lists: vec![0; lists.len()] };
        Self { lists, levels: Vec::new(), translation }
    }

    fn tell_levels(&mut self) {
        let mut level_of: Vec<u32> = Vec::with_capacity(self.lists.len());
        for list in 0..self.lists.len() {
            // What a list holds was there before it.
            let inner = self.lists.get(list).iter().filter(|datum| datum.is_kept_list());
            let level = inner.map(|datum| level_of[datum.place()] + 1).max().unwrap_or(0);
            level_of.push(level);
            if self.levels.len() <= level as usize {
                self.levels.resize(level as usize + 1, Vec::new());
            }
            self.levels[level as usize].push(list as u32);
        }
    }

    fn level(&self, level: usize) -> &[u32] {
        self.levels.get(level).map_or(&[], |lists| lists)
    }

    /// Makes the elements of the lists of a level data of the history, as all below that level are.
    fn translate(&mut self, level: usize) {
        let Self { lists, levels, translation } = self;
        for &list in levels.get(level).into_iter().flatten() {
            for element in lists.get_mut(list as usize) {
                *element = translation.of(*element);
            }
        }
    }

    fn note(&mut self, added: &Added, at: usize) {
        added.of(at).for_each(|(list, place)| self.translation.lists[list as usize] = place);
    }
}

impl Datum {
    /// Whether it is a list or an object that the values keep.
    fn is_kept_list(self) -> bool {
        matches!(self.tag(), Tag::List | Tag::Object)
    }
}
