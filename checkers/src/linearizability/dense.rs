//! From the values of one object to small numbers, for arrays instead of hash maps.
//!
//! Most histories number their values, so that a plain table does; whatever else
//! they hold goes through a hash map. Nothing is known here of what the numbers mean.

use rustc_hash::FxHashMap;
use tribunal_history::Datum;

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// A number for each of some values.
pub(super) enum Dense {
    /// By distance from the least integer.
    Table { least: i64, numbers: Vec<u32> },
    /// By hash.
    Map(FxHashMap<Datum, u32>),
}

impl Dense {
    /// Room for these values, with no number yet.
    pub fn of(values: impl Iterator<Item = Datum> + Clone) -> Self {
        let (mut count, mut least, mut most) = (0_usize, i64::MAX, i64::MIN);
        let mut integers = true;
        for value in values {
            count += 1;
            match value.as_i64() {
                Some(integer) => (least, most) = (least.min(integer), most.max(integer)),
                None => integers = false,
            }
        }
        // A table with more than a handful of slots a value costs more than it saves.
        let span = most.checked_sub(least).and_then(|span| usize::try_from(span).ok());
        match span.filter(|&span| integers && span / 8 <= count) {
            Some(span) => Dense::Table { least, numbers: vec![NONE; span + 1] },
            None => Dense::Map(FxHashMap::with_capacity_and_hasher(count, Default::default())),
        }
    }

    /// The number of a value, or [`NONE`].
    pub fn get(&self, value: Datum) -> u32 {
        match self {
            Dense::Table { least, numbers } => {
                let at = value.as_i64().and_then(|integer| integer.checked_sub(*least));
                let at = at.and_then(|at| usize::try_from(at).ok());
                at.and_then(|at| numbers.get(at)).copied().unwrap_or(NONE)
            }
            Dense::Map(numbers) => numbers.get(&value).copied().unwrap_or(NONE),
        }
    }

    /// Numbers one of the values that [`Dense::of`] was told of, and returns the number it had.
    pub fn set(&mut self, value: Datum, number: u32) -> u32 {
        match self {
            Dense::Table { least, numbers } => {
                let at = value.as_i64().map_or(0, |integer| (integer - *least) as usize);
                std::mem::replace(&mut numbers[at], number)
            }
            Dense::Map(numbers) => numbers.insert(value, number).unwrap_or(NONE),
        }
    }
}
