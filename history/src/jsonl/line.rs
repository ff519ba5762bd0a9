//! One line of the interchange format, read straight into columns.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::columns::{Columns, ERROR, NEMESIS, NONE, Names, Row};
use crate::value::Values;
use crate::{Datum, Event, Kind, Nanos};

/// Adds the event of a line; answers its index, [`Event::UNNUMBERED`] if the line gives none.
pub(super) fn read(line: &[u8], columns: &mut Columns) -> Result<u64, serde_json::Error> {
    let extras = columns.extras.len();
    let mut json = serde_json::Deserializer::from_slice(line);
    let index = Line(columns).deserialize(&mut json).and_then(|it| json.end().map(|()| it));
    if index.is_err() {
        columns.extras.truncate(extras);
    }
    let (index, row) = index?;
    columns.push(row);
    Ok(index)
}

/// The fields of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Index,
    Time,
    Process,
    Type,
    F,
    Key,
    Value,
    Node,
    Error,
    Ext,
    #[serde(other)]
    Unknown,
}

const NAMES: [&str; 10] =
    ["index", "time", "process", "type", "f", "key", "value", "node", "error", "ext"];

struct Line<'c>(&'c mut Columns);

impl<'de> DeserializeSeed<'de> for Line<'_> {
    type Value = (u64, Row);

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Line<'_> {
    type Value = (u64, Row);

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an event, which is a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let columns = self.0;
        let mut index = Event::UNNUMBERED;
        let (mut time, mut process, mut kind, mut f) = (None, None, None, None);
        let (mut key, mut value, mut node) = (NONE, Datum::NULL, NONE);
        let mut seen = 0_u16;
        while let Some(field) = fields.next_key::<Field>()? {
            if field == Field::Unknown {
                fields.next_value::<IgnoredAny>()?;
                continue;
            }
            let bit = 1 << field as u16;
            if seen & bit != 0 {
                return Err(A::Error::duplicate_field(NAMES[field as usize]));
            }
            seen |= bit;
            match field {
                Field::Index => index = fields.next_value()?,
                Field::Time => time = Some(fields.next_value::<Nanos>()?),
                Field::Process => process = Some(fields.next_value_seed(Who)?),
                Field::Type => kind = Some(fields.next_value::<Kind>()?),
                Field::F => f = Some(fields.next_value_seed(OneName(&mut columns.names))?),
                Field::Key => {
                    let datum = fields.next_value_seed(columns.values.reader())?;
                    key = if datum.is_null() { NONE } else { columns.key_place(datum) };
                }
                Field::Value => value = fields.next_value_seed(columns.values.reader())?,
                Field::Node => node = fields.next_value_seed(AnyName(&mut columns.names))?,
                Field::Error => {
                    let datum = fields.next_value_seed(columns.values.reader())?;
                    if !datum.is_null() {
                        columns.extras.push((ERROR, datum));
                    }
                }
                Field::Ext => fields.next_value_seed(Ext(
                    &mut columns.names,
                    &mut columns.values,
                    &mut columns.extras,
                ))?,
                Field::Unknown => {}
            }
        }
        let missing = |field: Field| A::Error::missing_field(NAMES[field as usize]);
        let row = Row {
            time: time.ok_or_else(|| missing(Field::Time))?,
            process: process.ok_or_else(|| missing(Field::Process))?,
            kind: kind.ok_or_else(|| missing(Field::Type))?,
            f: f.ok_or_else(|| missing(Field::F))?,
            key,
            value,
            node,
        };
        Ok((index, row))
    }
}

/// A process, as the number of its column.
struct Who;

impl<'de> DeserializeSeed<'de> for Who {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<u32, D::Error> {
        from.deserialize_any(self)
    }
}

impl Visitor<'_> for Who {
    type Value = u32;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a process number or \"nemesis\"")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u32, E> {
        let small = u32::try_from(number).ok().filter(|&it| it != NEMESIS);
        small.ok_or_else(|| {
            E::custom(format!("process {number} is too large; the last is 4294967294"))
        })
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<u32, E> {
        match name {
            "nemesis" => Ok(NEMESIS),
            _ => Err(E::invalid_value(Unexpected::Str(name), &self)),
        }
    }
}

/// A name that must be there.
struct OneName<'n>(&'n mut Names);

impl<'de> DeserializeSeed<'de> for OneName<'_> {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<u32, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for OneName<'_> {
    type Value = u32;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<u32, E> {
        Ok(self.0.place(name))
    }
}

/// A name or null.
struct AnyName<'n>(&'n mut Names);

impl<'de> DeserializeSeed<'de> for AnyName<'_> {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<u32, D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for AnyName<'_> {
    type Value = u32;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string or null")
    }

    fn visit_none<E: Error>(self) -> Result<u32, E> {
        Ok(NONE)
    }

    fn visit_unit<E: Error>(self) -> Result<u32, E> {
        Ok(NONE)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<u32, D::Error> {
        OneName(self.0).deserialize(from)
    }
}

/// An event's extras.
struct Ext<'c>(&'c mut Names, &'c mut Values, &'c mut Vec<(u32, Datum)>);

impl<'de> DeserializeSeed<'de> for Ext<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Ext<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Self(names, values, extras) = self;
        while let Some(name) = fields.next_key_seed(OneName(names))? {
            extras.push((name, fields.next_value_seed(values.reader())?));
        }
        Ok(())
    }
}
