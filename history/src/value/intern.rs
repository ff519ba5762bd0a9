//! Where the values of a history are kept that do not fit into a datum.

use std::fmt;
use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::step::WORDS;
use super::{Datum, Tag, ValueRef};

/// The values of a history. Equal ones are kept once.
#[derive(Clone)]
pub struct Values {
    pub(super) texts: Pool<u8>,
    pub(super) lists: Pool<Datum>,
    /// Elements of the lists that are being read.
    open: Vec<Datum>,
}

impl Default for Values {
    fn default() -> Self {
        let mut texts = Pool::default();
        for word in WORDS {
            texts.add(word.as_bytes());
        }
        Self { texts, lists: Pool::default(), open: Vec::new() }
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Values({} texts, {} lists)", self.texts.len(), self.lists.len())
    }
}

impl Values {
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
                let alone = Datum::list(&elements);
                alone.or_else(|| Some(Datum::of(Tag::List, self.lists.find(&elements)?)))
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

    fn found(&self, tag: Tag, text: &[u8]) -> Option<Datum> {
        self.texts.find(text).map(|place| Datum::of(tag, place))
    }

    /// The datum of a text.
    pub fn text(&mut self, text: &str) -> Datum {
        Datum::of(Tag::Text, self.texts.add(text.as_bytes()))
    }

    /// The datum of a list of data of this history.
    pub fn list(&mut self, elements: &[Datum]) -> Datum {
        if let Some(alone) = Datum::list(elements) {
            return alone;
        }
        let base = self.open.len();
        self.open.extend_from_slice(elements);
        self.close(base, Tag::List)
    }

    fn number(&mut self, number: &Number) -> Datum {
        match number.as_i64().and_then(Datum::int) {
            Some(datum) => datum,
            None => Datum::of(Tag::Number, self.texts.add(number.to_string().as_bytes())),
        }
    }

    /// The datum of a whole number.
    pub fn int(&mut self, number: i64) -> Datum {
        Datum::int(number).unwrap_or_else(|| self.number(&Number::from(number)))
    }

    /// Makes a list of all elements that were opened since `base`.
    fn close(&mut self, base: usize, tag: Tag) -> Datum {
        let elements = &self.open[base..];
        let alone = Datum::list(elements).filter(|_| tag == Tag::List);
        let datum = alone.unwrap_or_else(|| Datum::of(tag, self.lists.add(elements)));
        self.open.truncate(base);
        datum
    }

    /// The same of names and values: in the order of the names, of equal ones the last.
    fn close_object(&mut self, base: usize) -> Datum {
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

    /// Takes over a datum of other values.
    pub(crate) fn adopt(&mut self, other: &Values, datum: Datum) -> Datum {
        match datum.tag() {
            Tag::Constant | Tag::Int | Tag::Pair | Tag::Step => datum,
            tag @ (Tag::Number | Tag::Text) => {
                Datum::of(tag, self.texts.add(other.texts.get(datum.place())))
            }
            tag @ (Tag::List | Tag::Object) => {
                let base = self.open.len();
                for &element in other.lists.get(datum.place()) {
                    let element = self.adopt(other, element);
                    self.open.push(element);
                }
                self.close(base, tag)
            }
        }
    }

    /// Reads a value as JSON.
    pub(crate) fn reader(&mut self) -> Reader<'_> {
        Reader(self)
    }
}

/// Sequences one after the other, equal ones once.
#[derive(Clone)]
pub(super) struct Pool<T> {
    items: Vec<T>,
    ends: Vec<usize>,
    /// Each place with a part of its sequence's hash, so that the table grows, and most sequences are
    /// told apart, without a look at the items.
    places: HashTable<(u32, u32)>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { items: Vec::new(), ends: Vec::new(), places: HashTable::new() }
    }
}

impl<T: Copy + Eq + Hash> Pool<T> {
    pub(super) fn get(&self, place: usize) -> &[T] {
        sequence(&self.items, &self.ends, place)
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn find(&self, sequence: &[T]) -> Option<u64> {
        let part = hash_part(sequence);
        let same =
            |&(place, hash): &(u32, u32)| hash == part && self.get(place as usize) == sequence;
        self.places.find(spread(part), same).map(|&(place, _)| u64::from(place))
    }

    /// The place of a sequence, which is added if it is new.
    fn add(&mut self, new: &[T]) -> u64 {
        if let Some(place) = self.find(new) {
            return place;
        }
        let place = u32::try_from(self.len()).expect("fewer than 2^32 different values");
        self.items.extend_from_slice(new);
        self.ends.push(self.items.len());
        let part = hash_part(new);
        self.places.insert_unique(spread(part), (place, part), |&(_, part)| spread(part));
        u64::from(place)
    }
}

/// Half of a sequence's hash.
fn hash_part<T: Hash>(sequence: &[T]) -> u32 {
    let hash = FxBuildHasher.hash_one(sequence);
    (hash >> 32 ^ hash) as u32
}

/// A hash for the table, which takes the place from the low bits and a mark from the high ones.
fn spread(part: u32) -> u64 {
    u64::from(part) << 32 | u64::from(part)
}

fn sequence<'a, T>(items: &'a [T], ends: &[usize], place: usize) -> &'a [T] {
    let from = place.checked_sub(1).map_or(0, |before| ends[before]);
    &items[from..ends[place]]
}

/// Reads JSON straight into the values.
pub(crate) struct Reader<'v>(&'v mut Values);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Datum;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Datum, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Datum;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Datum, E> {
        Ok(Datum::NULL)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Datum, E> {
        Ok(if truth { Datum::TRUE } else { Datum::FALSE })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Datum, E> {
        Ok(self.0.int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Datum, E> {
        Ok(match i64::try_from(number) {
            Ok(number) => self.0.int(number),
            Err(_) => self.0.number(&Number::from(number)),
        })
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Datum, E> {
        // Whole numbers beyond 64 bits come here rounded: two that differ might become one value,
        // and a database be accused of what it did not do.
        if number.abs() >= 2_f64.powi(63) {
            return Err(E::custom("the number is too large to be kept exactly; write it as text"));
        }
        let number = Number::from_f64(number).ok_or_else(|| E::custom("not a finite number"))?;
        Ok(self.0.number(&number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Datum, E> {
        Ok(self.0.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Datum, A::Error> {
        let base = self.0.open.len();
        while let Some(element) = elements.next_element_seed(Reader(self.0))? {
            self.0.open.push(element);
        }
        Ok(self.0.close(base, Tag::List))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Datum, A::Error> {
        let base = self.0.open.len();
        while let Some(name) = fields.next_key_seed(Reader(self.0))? {
            let value = fields.next_value_seed(Reader(self.0))?;
            self.0.open.extend([name, value]);
        }
        Ok(self.0.close_object(base))
    }
}
