//! JSON, read straight into values. What it means is not known here.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::{Datum, Tag, Values};

/// Reads JSON straight into the values.
pub(crate) struct Reader<'v>(pub(super) &'v mut Values);

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
