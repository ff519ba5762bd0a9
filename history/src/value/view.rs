//! A value of a history, to be read like a `serde_json::Value`.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use super::{Datum, Tag, Values};

/// A value of a history, borrowed from it.
///
/// Compare only values of one history with each other.
#[derive(Clone, Copy)]
pub struct ValueRef<'h> {
    values: &'h Values,
    datum: Datum,
}

impl<'h> ValueRef<'h> {
    pub(super) fn new(values: &'h Values, datum: Datum) -> Self {
        Self { values, datum }
    }

    /// The value in eight bytes.
    pub fn datum(self) -> Datum {
        self.datum
    }

    /// Whether it is null.
    pub fn is_null(self) -> bool {
        self.datum.is_null()
    }

    /// The truth value that it is.
    pub fn as_bool(self) -> Option<bool> {
        self.datum.as_bool()
    }

    /// The whole number that it is.
    pub fn as_i64(self) -> Option<i64> {
        match self.datum.tag() {
            Tag::Int => self.datum.as_i64(),
            Tag::Number => self.number().as_i64(),
            _ => None,
        }
    }

    /// The same where it is not negative.
    pub fn as_u64(self) -> Option<u64> {
        match self.datum.tag() {
            Tag::Int => self.datum.as_i64().and_then(|number| u64::try_from(number).ok()),
            Tag::Number => self.number().as_u64(),
            _ => None,
        }
    }

    /// The text that it is.
    pub fn as_str(self) -> Option<&'h str> {
        (self.datum.tag() == Tag::Text).then(|| self.text())
    }

    fn text(self) -> &'h str {
        str::from_utf8(self.values.texts.get(self.datum.place())).expect("texts are added as text")
    }

    fn number(self) -> Number {
        let text = self.text();
        let whole = text
            .parse::<i64>()
            .map(Number::from)
            .or_else(|_| text.parse::<u64>().map(Number::from));
        // The standard library reads back exactly what was written; serde_json may be off by one bit.
        let any = whole.ok().or_else(|| Number::from_f64(text.parse().ok()?));
        any.expect("numbers are added as JSON writes them")
    }

    /// The elements of the list that it is.
    pub fn elements(self) -> Option<Elements<'h>> {
        let from = match self.datum.tag() {
            Tag::Pair => Source::Pair(self.datum.halves()),
            Tag::Step => Source::Step(self.datum.parts()),
            Tag::List => Source::List(self.values.lists.get(self.datum.place())),
            _ => return None,
        };
        Some(Elements { values: self.values, from, at: 0 })
    }

    /// Both elements of the list of two that it is.
    pub fn pair(self) -> Option<[ValueRef<'h>; 2]> {
        let mut elements = self.elements().filter(|elements| elements.len() == 2)?;
        Some([elements.next()?, elements.next()?])
    }

    /// The fields of the object that it is, in the order of their names.
    pub fn entries(self) -> Option<Entries<'h>> {
        let object = self.datum.tag() == Tag::Object;
        object.then(|| Entries {
            values: self.values,
            left: self.values.lists.get(self.datum.place()),
        })
    }

    /// A field of the object that it is.
    pub fn get(self, name: &str) -> Option<ValueRef<'h>> {
        self.entries()?.find(|&(there, _)| there == name).map(|(_, value)| value)
    }

    /// The same value, owned.
    pub fn to_value(self) -> Value {
        match self.datum.tag() {
            Tag::Constant => self.as_bool().map_or(Value::Null, Value::Bool),
            Tag::Int => self.datum.as_i64().into(),
            Tag::Number => Value::Number(self.number()),
            Tag::Text => self.text().into(),
            Tag::Pair | Tag::Step | Tag::List => {
                self.elements().into_iter().flatten().map(ValueRef::to_value).collect()
            }
            Tag::Object => {
                let fields = self.entries().into_iter().flatten();
                Value::Object(fields.map(|(name, it)| (name.to_owned(), it.to_value())).collect())
            }
        }
    }
}

impl PartialEq for ValueRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        debug_assert!(std::ptr::eq(self.values, other.values), "values of two histories");
        self.datum == other.datum
    }
}

impl Eq for ValueRef<'_> {}

impl Hash for ValueRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.datum.hash(state);
    }
}

impl PartialEq<Value> for ValueRef<'_> {
    fn eq(&self, other: &Value) -> bool {
        self.values.find(other) == self.datum
    }
}

/// As JSON, without spaces.
impl fmt::Display for ValueRef<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.datum.as_i64() {
            Some(number) => write!(out, "{number}"),
            None => write!(out, "{}", self.to_value()),
        }
    }
}

impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

impl Serialize for ValueRef<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(to)
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef) -> Self {
        value.to_value()
    }
}

/// The elements of a list.
#[derive(Clone)]
pub struct Elements<'h> {
    values: &'h Values,
    from: Source<'h>,
    at: usize,
}

#[derive(Clone)]
enum Source<'h> {
    Pair([Datum; 2]),
    Step([Datum; 3]),
    List(&'h [Datum]),
}

impl Elements<'_> {
    /// The elements as data.
    pub fn data(&self) -> &[Datum] {
        match &self.from {
            Source::Pair(pair) => &pair[self.at..],
            Source::Step(step) => &step[self.at..],
            Source::List(list) => &list[self.at..],
        }
    }
}

impl<'h> Iterator for Elements<'h> {
    type Item = ValueRef<'h>;

    fn next(&mut self) -> Option<ValueRef<'h>> {
        let datum = *self.data().first()?;
        self.at += 1;
        Some(ValueRef::new(self.values, datum))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.data().len(), Some(self.data().len()))
    }
}

impl ExactSizeIterator for Elements<'_> {}

/// The fields of an object.
#[derive(Clone)]
pub struct Entries<'h> {
    values: &'h Values,
    left: &'h [Datum],
}

impl<'h> Iterator for Entries<'h> {
    type Item = (&'h str, ValueRef<'h>);

    fn next(&mut self) -> Option<Self::Item> {
        let (field, left) = self.left.split_first_chunk::<2>()?;
        self.left = left;
        let [name, value] = field.map(|datum| ValueRef::new(self.values, datum));
        Some((name.text(), value))
    }
}
