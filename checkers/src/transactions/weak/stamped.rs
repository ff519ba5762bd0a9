//! A map from keys, as an array that is emptied at once.

use super::super::transaction::KeyId;

/// A value for some keys.
pub struct Stamped<T> {
    /// The value of each key, and when it was set.
    values: Vec<(u32, T)>,
    now: u32,
}

impl<T: Copy + Default> Stamped<T> {
    /// Of so many keys none has a value.
    pub fn new(keys: usize) -> Self {
        Self { values: vec![(0, T::default()); keys], now: 1 }
    }

    /// Takes all values away.
    pub fn clear(&mut self) {
        self.now = self.now.checked_add(1).unwrap_or_else(|| {
            self.values.fill((0, T::default()));
            1
        });
    }

    /// The value of a key.
    pub fn get(&self, key: KeyId) -> Option<T> {
        let (set, value) = self.values[key as usize];
        (set == self.now).then_some(value)
    }

    /// Sets the value of a key; tells whether it had none.
    pub fn set(&mut self, key: KeyId, value: T) -> bool {
        let place = &mut self.values[key as usize];
        let new = place.0 != self.now;
        *place = (self.now, value);
        new
    }
}
