//! A replica that lies: it keeps nothing that it acknowledges, and shows the first value that it was given
//! as if it were newer than all others. What such a node may do to a protocol that reckons with crashes
//! alone (Lamport, Shostak and Pease, "The Byzantine Generals Problem", TOPLAS 1982).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::message::{PeerAnswer, PeerRequest, Versioned};

/// What it was told.
#[derive(Default)]
pub struct Liar {
    /// Of each key the first version, under a stamp higher than any that it has seen.
    told: Mutex<HashMap<String, Versioned>>,
}

impl Liar {
    /// Answers a coordinator.
    pub fn answer(&self, request: PeerRequest) -> PeerAnswer {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, version) = match request {
            PeerRequest::Query { key } => return PeerAnswer::Has(told.get(&key).cloned()),
            PeerRequest::Store { key, version } | PeerRequest::Hint { key, version, .. } => {
                (key, version)
            }
        };
        let counter = version.stamp.counter + 1;
        let lie = told.entry(key).or_insert(version);
        lie.stamp.counter = lie.stamp.counter.max(counter);
        PeerAnswer::Stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamp::Stamper;

    #[test]
    fn the_first_value_is_shown_as_the_newest() {
        let (liar, stamper) = (Liar::default(), Stamper::new("n1", 1));
        for value in [1, 2, 3] {
            let version = Versioned { value: value.into(), stamp: stamper.stamp(None) };
            liar.answer(PeerRequest::Store { key: "x".into(), version });
        }
        let PeerAnswer::Has(Some(shown)) = liar.answer(PeerRequest::Query { key: "x".into() })
        else {
            panic!("nothing is shown")
        };
        assert_eq!((shown.value, shown.stamp.counter), (1.into(), 4));
    }
}
