//! A step of a transaction in one datum: `["r", 7, null]`, `["w", 7, 12]`, `["append", 7, 12]`.
//!
//! A history of a million transactions holds many millions of them, and hardly two
//! are equal. So they are kept like numbers where key and value are small, and are looked up
//! nowhere. Nothing else is told of transactions here.

use super::{Datum, TAG_BITS, Tag};

/// The words of steps. Every [`Values`](super::Values) holds them as its first texts, in this order.
pub(super) const WORDS: [&str; 3] = ["r", "w", "append"];

/// The place of the word for a read.
const READ: u64 = 0;

const VALUE_BITS: u32 = 30;
const KEY_BITS: u32 = 29;

/// Stands for a value of null: no number of [`VALUE_BITS`] that is kept here.
const NO_VALUE: u64 = (1 << VALUE_BITS) - 1;

impl Datum {
    /// A step, if it is made of one of the words, a small key, and null or a small value.
    pub(super) fn step(word: Self, key: Self, value: Self) -> Option<Self> {
        let is_word = word.tag() == Tag::Text && word.place() < WORDS.len();
        let small = |datum: Self, bound: u64| {
            let number = datum.as_i64().and_then(|number| u64::try_from(number).ok());
            number.filter(|&number| number < bound)
        };
        let key = small(key, 1 << KEY_BITS).filter(|_| is_word)?;
        let value = if value.is_null() { NO_VALUE } else { small(value, NO_VALUE)? };
        let word = word.payload();
        Some(Self::of(Tag::Step, word << (KEY_BITS + VALUE_BITS) | key << VALUE_BITS | value))
    }

    /// A step that stands for itself, as it is before anybody has run it: what a read finds is null.
    pub(crate) fn asked(self) -> Option<Self> {
        let word = self.payload() >> (KEY_BITS + VALUE_BITS);
        let found = if word == READ { NO_VALUE } else { 0 };
        (self.tag() == Tag::Step).then_some(Self(self.0 | found << TAG_BITS))
    }

    /// The word, the key and the value of a step.
    pub(super) fn parts(self) -> [Self; 3] {
        let number = |bits: u64| Self::of(Tag::Int, bits);
        let payload = self.payload();
        let value = match payload & NO_VALUE {
            NO_VALUE => Self::NULL,
            value => number(value),
        };
        let key = number(payload >> VALUE_BITS & ((1 << KEY_BITS) - 1));
        [Self::of(Tag::Text, payload >> (KEY_BITS + VALUE_BITS)), key, value]
    }
}
