//! Sets: what was added is there, until it is removed.
//!
//! - [`grow`] decides sets that only grow, with reads of the whole set, in time linear in what the reads hold;
//! - [`element`] decides sets with `remove`, element by element, where nobody reads them whole
//!   and each element is added and removed once at most.
//!
//! All else is left to the search. `add` and `remove` always succeed here: an `add` of what is there
//! and a `remove` of what is not change nothing, and what they answer is not looked at.

mod clash;
pub mod element;
pub mod grow;
mod model;
mod sentences;

use std::sync::Arc;

use tribunal_history::Datum;

pub use clash::{Clash, Since};
pub use model::{GrowOnlySet, Set};

/// A position among the calls.
pub type At = u32;

/// What a call does to a set, or learned of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Puts an element in.
    Add(Datum),
    /// Takes an element out.
    Remove(Datum),
    /// Found whether an element is in.
    Contains(Datum, bool),
    /// Found exactly these elements: sorted as data, each once. [`Call::read`] makes it so.
    Read(Arc<[Datum]>),
}

impl Call {
    /// A read of these elements.
    pub fn read(elements: impl IntoIterator<Item = Datum>) -> Self {
        let mut elements: Vec<Datum> = elements.into_iter().collect();
        elements.sort_unstable();
        elements.dedup();
        Call::Read(elements.into())
    }
}
