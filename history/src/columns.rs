//! Events side by side: a column for each of their parts.
//!
//! This is how a [`History`](crate::History) keeps them: some thirty bytes an
//! event, where an [`Event`] of its own takes two hundred. Nothing is checked
//! here.

use hashbrown::HashTable;
use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde_json::Value;
use std::hash::BuildHasher;

use crate::value::Translation;
use crate::{Datum, Event, Kind, Name, Nanos, Process, Values};

/// A place in [`Columns::names`] or [`Columns::keys`] that is none.
pub(crate) const NONE: u32 = u32::MAX;

/// Stands for the name of an event's `error` among its extras.
pub(crate) const ERROR: u32 = u32::MAX - 1;

/// The number that stands for the nemesis. Clients' numbers are below.
pub(crate) const NEMESIS: u32 = u32::MAX;

/// Events, a column for each part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    pub time: Vec<Nanos>,
    /// A client's number, or [`NEMESIS`].
    pub process: Vec<u32>,
    pub kind: Vec<Kind>,
    /// A place in `names`.
    pub f: Vec<u32>,
    /// A place in `keys`, or [`NONE`].
    pub key: Vec<u32>,
    pub value: Vec<Datum>,
    /// A place in `names`, or [`NONE`].
    pub node: Vec<u32>,
    /// For each event, where its extras end; empty while there are none at all.
    pub extra_ends: Vec<u32>,
    /// What the events hold beside the above: a place in `names` or [`ERROR`], and the value.
    pub extras: Vec<(u32, Datum)>,
    pub names: Names,
    /// Every key that occurs, in the order of their first events.
    pub keys: Vec<Datum>,
    key_places: FxHashMap<Datum, u32>,
    pub values: Values,
}

/// The parts of an event that are in columns of their own.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub time: Nanos,
    pub process: u32,
    pub kind: Kind,
    pub f: u32,
    pub key: u32,
    pub value: Datum,
    pub node: u32,
}

impl Columns {
    /// Columns that will take over those of the parts of a file.
    pub fn of_parts() -> Self {
        Self { values: Values::of_parts(), ..Self::default() }
    }

    /// Columns of a part, to be [taken over](Columns::join); see [`Values::draft`].
    pub fn draft(room: usize) -> Self {
        Self { values: Values::draft(room), ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.time.len()
    }

    pub fn reserve(&mut self, events: usize) {
        self.time.reserve(events);
        self.process.reserve(events);
        self.kind.reserve(events);
        self.f.reserve(events);
        self.key.reserve(events);
        self.value.reserve(events);
        self.node.reserve(events);
    }

    /// Adds a row, and all extras that were pushed since the last one.
    pub fn push(&mut self, row: Row) {
        self.time.push(row.time);
        self.process.push(row.process);
        self.kind.push(row.kind);
        self.f.push(row.f);
        self.key.push(row.key);
        self.value.push(row.value);
        self.node.push(row.node);
        if !self.extras.is_empty() {
            // The first extras of all: those before had none.
            self.extra_ends.resize(self.len() - 1, 0);
            self.extra_ends.push(self.extras.len() as u32);
        }
    }

    /// Adds an event. `None` if its process number is too large to be kept.
    pub fn push_event(&mut self, event: &Event) -> Option<()> {
        let row = Row {
            time: event.time,
            process: number(event.process)?,
            kind: event.kind,
            f: self.names.place(&event.f),
            key: event.key.as_ref().map_or(NONE, |key| self.intern_key(key)),
            value: self.values.intern(&event.value),
            node: event.node.as_ref().map_or(NONE, |node| self.names.place(node)),
        };
        if !event.error.is_null() {
            let error = self.values.intern(&event.error);
            self.extras.push((ERROR, error));
        }
        for (name, value) in &event.ext {
            let extra = (self.names.place(name), self.values.intern(value));
            self.extras.push(extra);
        }
        self.push(row);
        Some(())
    }

    fn intern_key(&mut self, key: &Value) -> u32 {
        let datum = self.values.intern(key);
        self.key_place(datum)
    }

    /// The place of a key, which is added if it is new.
    pub fn key_place(&mut self, key: Datum) -> u32 {
        *self.key_places.entry(key).or_insert_with(|| {
            self.keys.push(key);
            (self.keys.len() - 1) as u32
        })
    }

    /// The extras of an event.
    pub fn extras(&self, at: usize) -> &[(u32, Datum)] {
        if self.extra_ends.is_empty() {
            return &[];
        }
        let from = at.checked_sub(1).map_or(0, |before| self.extra_ends[before]);
        &self.extras[from as usize..self.extra_ends[at] as usize]
    }

    /// Adds the events of several [drafts](Columns::draft) after these, in order.
    pub fn join(&mut self, mut drafts: Vec<Columns>) {
        let values = drafts.iter_mut().map(|draft| std::mem::take(&mut draft.values));
        let translations = self.values.adopt(values.collect());
        let both = drafts.par_iter_mut().zip(&translations);
        both.for_each(|(draft, translation)| draft.translate(translation));
        drafts.into_iter().for_each(|draft| self.append(draft));
    }

    /// Makes all data those of the columns that take these over.
    fn translate(&mut self, translation: &Translation) {
        let Self { value, keys, extras, .. } = self;
        let extras = extras.iter_mut().map(|(_, datum)| datum);
        value.iter_mut().chain(keys).chain(extras).for_each(|it| *it = translation.of(*it));
    }

    /// Adds the events of others, whose data are of these values already.
    fn append(&mut self, other: Columns) {
        let names: Vec<u32> = other.names.iter().map(|name| self.names.place(name)).collect();
        let name = |place: u32| names.get(place as usize).copied().unwrap_or(place);
        let keys: Vec<u32> = other.keys.iter().map(|&key| self.key_place(key)).collect();
        let before = self.extras.len() as u32;
        if before > 0 || !other.extras.is_empty() {
            self.extra_ends.resize(self.len(), before);
            match other.extra_ends.is_empty() {
                true => self.extra_ends.resize(self.len() + other.len(), before),
                false => self.extra_ends.extend(other.extra_ends.iter().map(|end| before + end)),
            }
        }
        self.time.extend(&other.time);
        self.process.extend(&other.process);
        self.kind.extend(&other.kind);
        self.f.extend(other.f.iter().map(|&place| name(place)));
        self.key.extend(other.key.iter().map(|&it| keys.get(it as usize).copied().unwrap_or(it)));
        self.node.extend(other.node.iter().map(|&place| name(place)));
        self.value.extend(&other.value);
        self.extras.extend(other.extras.iter().map(|&(place, datum)| (name(place), datum)));
    }
}

/// The number of a process in its column.
pub(crate) fn number(process: Process) -> Option<u32> {
    match process {
        Process::Nemesis => Some(NEMESIS),
        Process::Client(number) => u32::try_from(number).ok().filter(|&it| it != NEMESIS),
    }
}

/// The process of a number.
pub(crate) fn process(number: u32) -> Process {
    match number {
        NEMESIS => Process::Nemesis,
        client => Process::Client(u64::from(client)),
    }
}

/// Functions, nodes and the names of extras.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    list: Vec<Name>,
    places: HashTable<u32>,
}

impl Names {
    pub fn get(&self, place: u32) -> &Name {
        &self.list[place as usize]
    }

    pub fn iter(&self) -> impl Iterator<Item = &Name> {
        self.list.iter()
    }

    /// The place of a name that occurs.
    pub fn find(&self, name: &str) -> Option<u32> {
        let hash = FxBuildHasher.hash_one(name);
        self.places.find(hash, |&place| &*self.list[place as usize] == name).copied()
    }

    /// The place of a name, which is added if it is new.
    pub fn place(&mut self, name: &str) -> u32 {
        if let Some(place) = self.find(name) {
            return place;
        }
        let place = self.list.len() as u32;
        self.list.push(name.into());
        let list = &self.list;
        let hash = |name: &str| FxBuildHasher.hash_one(name);
        self.places.insert_unique(hash(name), place, |&place| hash(&list[place as usize]));
        place
    }
}
