//! Who appended which element to one key.

use rustc_hash::FxHashMap;
use tribunal_history::Datum;

use crate::transactions::TxnId;

/// No place: the element is not in the order of the key.
pub const UNREAD: u32 = u32::MAX;

/// An element that was appended.
#[derive(Clone, Copy, Debug)]
pub struct Append {
    /// By whom.
    pub txn: TxnId,
    /// Its place in the order of the key's elements, or [`UNREAD`].
    pub place: u32,
}

/// The appended elements of a key. Small whole numbers, which most are, need no hashing.
#[derive(Debug, Default)]
pub struct Writers {
    least: i64,
    near: Vec<Option<Append>>,
    far: FxHashMap<Datum, Append>,
}

impl Writers {
    /// Room for elements, none of which is there yet.
    pub fn with_room(elements: impl Iterator<Item = Datum> + Clone) -> Self {
        let numbers = || elements.clone().filter_map(Datum::as_i64);
        let (Some(least), Some(most)) = (numbers().min(), numbers().max()) else {
            return Self::default();
        };
        let room = most.abs_diff(least).saturating_add(1);
        let dense = room <= 64 + 8 * numbers().count() as u64;
        Self {
            least,
            near: vec![None; if dense { room as usize } else { 0 }],
            far: FxHashMap::default(),
        }
    }

    fn place(&self, element: Datum) -> Option<usize> {
        let place = usize::try_from(element.as_i64()?.checked_sub(self.least)?).ok()?;
        (place < self.near.len()).then_some(place)
    }

    /// Who appended an element.
    pub fn get(&self, element: Datum) -> Option<Append> {
        match self.place(element) {
            Some(place) => self.near[place],
            None => self.far.get(&element).copied(),
        }
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, element: Datum) -> Option<&mut Append> {
        match self.place(element) {
            Some(place) => self.near[place].as_mut(),
            None => self.far.get_mut(&element),
        }
    }

    /// Notes who appended an element.
    pub fn set(&mut self, element: Datum, append: Append) {
        match self.place(element) {
            Some(place) => self.near[place] = Some(append),
            None => {
                self.far.insert(element, append);
            }
        }
    }
}
