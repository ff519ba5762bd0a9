//! Values at rest: every JSON value of a history, each kept once.
//!
//! A history of a million calls holds a few million values, most of them small
//! numbers. A [`Datum`] is such a value in eight bytes: null, truth values,
//! whole numbers, pairs of small ones and most steps of transactions stand for
//! themselves, all else is a place in the [`Values`] of its history, which holds equal values only once.
//! So two data of one history are the same value exactly if their bits are the
//! same, and checkers compare, hash and copy values as plain numbers.
//!
//! A datum says nothing without its history (but for numbers); a [`ValueRef`]
//! is the two together, and reads like a `serde_json::Value`.

mod adopt;
mod intern;
mod lists;
mod pool;
mod read;
mod step;
mod view;

pub(crate) use adopt::Translation;

pub use intern::Values;
pub use view::{Elements, Entries, ValueRef};

/// A JSON value of a history, in eight bytes. The order of data is total and
/// says nothing about the values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Datum(u64);

/// What the low bits of a datum say of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    /// 0 null, 1 false, 2 true, 3 nowhere.
    Constant,
    /// A whole number of 61 bits.
    Int,
    /// A list of two whole numbers of 30 bits each: the argument of most swaps.
    Pair,
    /// A number that is none of the above, by its JSON text.
    Number,
    /// Text.
    Text,
    /// A list of data.
    List,
    /// An object: a list of names and values by turns, in the order of the names.
    Object,
    /// A list of a word, a small key and a small value: most steps of transactions.
    Step,
}

const TAG_BITS: u32 = 3;
const HALF_BITS: u32 = 30;

impl Datum {
    /// JSON's null.
    pub const NULL: Self = Self::of(Tag::Constant, 0);
    /// JSON's false.
    pub const FALSE: Self = Self::of(Tag::Constant, 1);
    /// JSON's true.
    pub const TRUE: Self = Self::of(Tag::Constant, 2);
    /// No value of any history: what [`Values::find`] answers for one that does not occur.
    pub const NOWHERE: Self = Self::of(Tag::Constant, 3);

    const fn of(tag: Tag, payload: u64) -> Self {
        Self(payload << TAG_BITS | tag as u64)
    }

    /// A whole number, if it has at most 61 bits.
    pub fn int(number: i64) -> Option<Self> {
        let datum = Self::of(Tag::Int, number as u64);
        (datum.as_i64() == Some(number)).then_some(datum)
    }

    /// A pair of two whole numbers, if both are small.
    fn pair(first: Self, second: Self) -> Option<Self> {
        let half = |datum: Self| {
            let number = datum.as_i64()?;
            let (half, rest) = (number as u64 & ((1 << HALF_BITS) - 1), 64 - HALF_BITS);
            (((half << rest) as i64) >> rest == number).then_some(half)
        };
        Some(Self::of(Tag::Pair, half(first)? << HALF_BITS | half(second)?))
    }

    /// A list that stands for itself.
    pub(crate) fn list(elements: &[Self]) -> Option<Self> {
        match *elements {
            [first, second] => Self::pair(first, second),
            [word, key, value] => Self::step(word, key, value),
            _ => None,
        }
    }

    /// Both numbers of a pair.
    fn halves(self) -> [Self; 2] {
        let signed = |half: u64| {
            let rest = 64 - HALF_BITS;
            ((half << rest) as i64) >> rest
        };
        let payload = self.payload();
        [payload >> HALF_BITS, payload & ((1 << HALF_BITS) - 1)]
            .map(|half| Self::of(Tag::Int, signed(half) as u64))
    }

    fn tag(self) -> Tag {
        match self.0 & ((1 << TAG_BITS) - 1) {
            0 => Tag::Constant,
            1 => Tag::Int,
            2 => Tag::Pair,
            3 => Tag::Number,
            4 => Tag::Text,
            5 => Tag::List,
            6 => Tag::Object,
            _ => Tag::Step,
        }
    }

    fn payload(self) -> u64 {
        self.0 >> TAG_BITS
    }

    /// Its place in the [`Values`], where it has one.
    fn place(self) -> usize {
        self.payload() as usize
    }

    /// The whole number that it is.
    pub fn as_i64(self) -> Option<i64> {
        (self.tag() == Tag::Int).then_some(self.0 as i64 >> TAG_BITS)
    }

    /// Whether it is null.
    pub fn is_null(self) -> bool {
        self == Self::NULL
    }

    /// The truth value that it is.
    pub fn as_bool(self) -> Option<bool> {
        match self {
            Self::TRUE => Some(true),
            Self::FALSE => Some(false),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Datum {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.as_i64() {
            Some(number) => write!(out, "{number}"),
            None if self.is_null() => out.write_str("null"),
            None => write!(out, "{:?}#{}", self.tag(), self.payload()),
        }
    }
}
