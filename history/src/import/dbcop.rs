//! dbcop's JSON: an object whose `data` are sessions of transactions of events.
//!
//! ```json
//! {"params": {}, "data": [[{"events": [{"Write": {"variable": 1, "version": 2}},
//!                                      {"Read": {"variable": 1, "version": null}}], "committed": true}]]}
//! ```
//!
//! Or, compact, `["w", 1, 2]` and `["r", 1, null]` for the events. A version of null was there before all
//! writes. Read with serde, straight into the history: what else the file says is passed over.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::error::{Excerpt, ImportError, Problem};
use super::sessions::{Fate, Sessions, Words};
use super::steps::{Step, datum};
use super::text::Position;
use crate::{History, Values};

/// Reads a whole file.
pub(super) fn read(from: &mut impl Read) -> Result<History, ImportError> {
    let mut values = Values::default();
    let words = Words::of(&mut values);
    let mut into = Into { values, words, sessions: Sessions::default(), session: 0 };
    let mut json = serde_json::Deserializer::from_reader(std::io::BufReader::new(from));
    let read = Whole(&mut into).deserialize(&mut json).and_then(|()| json.end());
    match read {
        Ok(()) => Ok(into.sessions.finish(into.values)),
        Err(error) if error.is_io() => Err(ImportError::Io(error.into())),
        Err(error) => {
            let at = Position { line: error.line() as u64, column: error.column() as u64 };
            Err(ImportError::at(at, problem(&error)))
        }
    }
}

fn problem(error: &serde_json::Error) -> Problem {
    if error.is_eof() {
        let began = Position { line: 1, column: 1 };
        return Problem::CutOff { what: "the history", began };
    }
    // serde_json adds the place, which is ours to tell.
    let text = error.to_string();
    Problem::NotDbcop(Excerpt::of(text.split(" at line ").next().unwrap_or(&text)))
}

/// Where what is read goes.
struct Into {
    values: Values,
    words: Words,
    sessions: Sessions,
    /// The session that is being read, from 0.
    session: u32,
}

/// The object, and in it the sessions.
struct Whole<'i>(&'i mut Into);

impl<'de> DeserializeSeed<'de> for Whole<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object with `data`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut there = false;
        while let Some(name) = fields.next_key::<String>()? {
            match (name.as_str(), there) {
                ("data", true) => return Err(A::Error::duplicate_field("data")),
                ("data", false) => {
                    there = true;
                    fields.next_value_seed(Data(self.0))?;
                }
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        if there { Ok(()) } else { Err(A::Error::missing_field("data")) }
    }
}

/// All sessions.
struct Data<'i>(&'i mut Into);

impl<'de> DeserializeSeed<'de> for Data<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Data<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of sessions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sessions: A) -> Result<(), A::Error> {
        while sessions.next_element_seed(Session(self.0))?.is_some() {
            self.0.session += 1;
        }
        Ok(())
    }
}

/// One session.
struct Session<'i>(&'i mut Into);

impl<'de> DeserializeSeed<'de> for Session<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Session<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a session, which is a list of transactions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut transactions: A) -> Result<(), A::Error> {
        while let Some(transaction) = transactions.next_element::<Transaction>()? {
            self.0.add(&transaction);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Transaction {
    events: Vec<Event>,
    committed: bool,
}

impl Into {
    fn add(&mut self, transaction: &Transaction) {
        for event in &transaction.events {
            let Fields { variable, version } = event.fields;
            let values = &mut self.values;
            let (key, value) = (datum(values, variable), version.map(|it| datum(values, it)));
            let step = self.words.step(values, Step { reads: event.reads, key, value });
            self.sessions.extend(&[step]);
        }
        let fate = if transaction.committed { Fate::Committed } else { Fate::Aborted };
        self.sessions.end(self.session, fate, 0);
    }
}

/// A read, or a write.
struct Event {
    reads: bool,
    fields: Fields,
}

#[derive(Clone, Copy, Deserialize)]
struct Fields {
    variable: u64,
    version: Option<u64>,
}

/// What an event does, in either notation.
#[derive(Clone, Copy, PartialEq, Deserialize)]
enum Word {
    #[serde(alias = "r")]
    Read,
    #[serde(alias = "w")]
    Write,
}

impl Event {
    fn of<E: Error>(word: Word, fields: Fields) -> Result<Self, E> {
        match (word, fields.version) {
            (Word::Write, None) => Err(E::custom("a write without a version")),
            _ => Ok(Self { reads: word == Word::Read, fields }),
        }
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an event, which is a Read or a Write of a variable")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Event, A::Error> {
        let word = fields.next_key::<Word>()?.ok_or_else(|| A::Error::missing_field("Read"))?;
        let event = Event::of(word, fields.next_value()?)?;
        match fields.next_key::<Word>()? {
            None => Ok(event),
            Some(_) => Err(A::Error::custom("an event that is two")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Event, A::Error> {
        let short = |count: usize| A::Error::invalid_length(count, &"an event of three parts");
        let word = parts.next_element::<Word>()?.ok_or_else(|| short(0))?;
        let variable = parts.next_element()?.ok_or_else(|| short(1))?;
        let version = parts.next_element()?.ok_or_else(|| short(2))?;
        Event::of(word, Fields { variable, version })
    }
}
