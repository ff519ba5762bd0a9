//! Where the values of a history are kept that do not fit into a datum.

use std::fmt;

use serde_json::{Number, Value};

use super::lists::Lists;
use super::pool::{Hashed, Pool};
use super::read::Reader;
use super::step::WORDS;
use super::{Datum, Tag, ValueRef};

/// The values of a history. Equal ones are kept once.
#[derive(Clone)]
pub struct Values {
    pub(super) texts: Pool<u8>,
    pub(super) lists: Lists,
    /// Elements of the lists that are being read.
    pub(super) open: Vec<Datum>,
}

impl Default for Values {
    fn default() -> Self {
        Self::with(Lists::default())
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Values({} texts, {} lists)", self.texts.len(), self.lists.len())
    }
}

impl Values {
    fn with(lists: Lists) -> Self {
        let mut values = Self { texts: Pool::default(), lists, open: Vec::new() };
        for word in WORDS {
            values.add_text(word.as_bytes());
        }
        values
    }

    /// Values that will take over those of the parts of a file.
    pub(crate) fn of_parts() -> Self {
        Self::with(Lists::sharded())
    }

    /// Values of a part, which will be taken over. Until then equal lists may be kept twice,
    /// and their data differ. With room for so many elements of lists.
    pub(crate) fn draft(room: usize) -> Self {
        Self::with(Lists::draft(room))
    }

    /// The value behind a datum of this history.
    pub fn get(&self, datum: Datum) -> ValueRef<'_> {
        ValueRef::new(self, datum)
    }

    /// The datum of a value, which is added if it is new.
    pub fn intern(&mut self, value: &Value) -> Datum {
        match value {
            Value::Null => Datum::NULL,
            Value::Bool(true) => Datum::TRUE,
            Value::Bool(false) => Datum::FALSE,
            Value::Number(number) => self.number(number),
            Value::String(text) => self.text(text),
            Value::Array(elements) => {
                let base = self.open.len();
                for element in elements {
                    let datum = self.intern(element);
                    self.open.push(datum);
                }
                self.close(base, Tag::List)
            }
            Value::Object(fields) => {
                let base = self.open.len();
                for (name, value) in fields {
                    let field = [self.text(name), self.intern(value)];
                    self.open.extend(field);
                }
                self.close_object(base)
            }
        }
    }

    /// The datum of a value, or [`Datum::NOWHERE`] if no event of the history holds it.
    pub fn find(&self, value: &Value) -> Datum {
        let found = match value {
            Value::Null => Some(Datum::NULL),
            Value::Bool(truth) => Some(if *truth { Datum::TRUE } else { Datum::FALSE }),
            Value::Number(number) => match number.as_i64().and_then(Datum::int) {
                Some(datum) => Some(datum),
                None => self.found(Tag::Number, number.to_string().as_bytes()),
            },
            Value::String(text) => self.found(Tag::Text, text.as_bytes()),
            Value::Array(elements) => {
                let elements: Vec<Datum> = elements.iter().map(|value| self.find(value)).collect();
                self.find_list(&elements)
            }
            Value::Object(fields) => {
                let mut pairs: Vec<(&str, &Value)> =
                    fields.iter().map(|(name, value)| (&**name, value)).collect();
                pairs.sort_unstable_by_key(|&(name, _)| name);
                let data = pairs.into_iter().map(|(name, value)| {
                    let name = self.found(Tag::Text, name.as_bytes()).unwrap_or(Datum::NOWHERE);
                    [name, self.find(value)]
                });
                let data: Vec<Datum> = data.flatten().collect();
                self.lists.find(&data).map(|place| Datum::of(Tag::Object, place))
            }
        };
        found.unwrap_or(Datum::NOWHERE)
    }

    /// The place of a text, which is added if it is new.
    pub(super) fn add_text(&mut self, text: &[u8]) -> u64 {
        self.texts.add(text, Hashed::of(text)) as u64
    }

    fn found(&self, tag: Tag, text: &[u8]) -> Option<Datum> {
        let place = self.texts.find(text, Hashed::of(text))?;
        Some(Datum::of(tag, place as u64))
    }

    /// The datum of a text.
    pub fn text(&mut self, text: &str) -> Datum {
        Datum::of(Tag::Text, self.add_text(text.as_bytes()))
    }

    /// The datum of a list of data of this history, if there is one.
    pub(crate) fn find_list(&self, elements: &[Datum]) -> Option<Datum> {
        let alone = Datum::list(elements);
        alone.or_else(|| self.lists.find(elements).map(|place| Datum::of(Tag::List, place)))
    }

    /// The datum of a list of data of this history.
    pub fn list(&mut self, elements: &[Datum]) -> Datum {
        let alone = Datum::list(elements);
        alone.unwrap_or_else(|| Datum::of(Tag::List, self.lists.add(elements)))
    }

    pub(super) fn number(&mut self, number: &Number) -> Datum {
        match number.as_i64().and_then(Datum::int) {
            Some(datum) => datum,
            None => Datum::of(Tag::Number, self.add_text(number.to_string().as_bytes())),
        }
    }

    /// The datum of a whole number.
    pub fn int(&mut self, number: i64) -> Datum {
        Datum::int(number).unwrap_or_else(|| self.number(&Number::from(number)))
    }

    /// Makes a list of all elements that were opened since `base`.
    pub(super) fn close(&mut self, base: usize, tag: Tag) -> Datum {
        let elements = &self.open[base..];
        let alone = Datum::list(elements).filter(|_| tag == Tag::List);
        let datum = alone.unwrap_or_else(|| Datum::of(tag, self.lists.add(elements)));
        self.open.truncate(base);
        datum
    }

    /// The same of names and values: in the order of the names, of equal ones the last.
    pub(super) fn close_object(&mut self, base: usize) -> Datum {
        let flat = &self.open[base..];
        let mut fields: Vec<[Datum; 2]> = flat.chunks_exact(2).map(|it| [it[0], it[1]]).collect();
        let name = |field: &[Datum; 2]| self.texts.get(field[0].place());
        // Stable, so that the last of equal names is the last that was read.
        fields.sort_by(|one, other| name(one).cmp(name(other)));
        fields.reverse();
        fields.dedup_by_key(|field| field[0]);
        fields.reverse();
        self.open.truncate(base);
        self.open.extend(fields.into_iter().flatten());
        self.close(base, Tag::Object)
    }

    /// Reads a value as JSON.
    pub(crate) fn reader(&mut self) -> Reader<'_> {
        Reader(self)
    }
}
