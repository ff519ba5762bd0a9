//! Several registers as one object: a `txn` reads and writes any of them at one instant.
//!
//! `["r", key, value]` and `["w", key, value]`, one after the other; a read sees the
//! writes before it in its own transaction. A register that was never written holds
//! what it began with, or null. What a transaction without an answer has read is unknown, what it wrote may
//! have been written.

use serde_json::{Map, Value};
use tribunal_history::{Datum, History, Operation, ValueRef};

use super::super::model::Model;

/// Registers that are read and written together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MultiRegister {
    /// Keys of one history that do not begin with null, and their first values, in the order of the keys.
    initial: Vec<(Datum, Datum)>,
}

impl MultiRegister {
    /// Registers of this history that begin with these values. JSON's keys are texts: a key stands for
    /// itself, and for the value that it spells, so that `"1"` is also the register 1.
    pub fn starting(history: &History, initial: &Map<String, Value>) -> Self {
        let values = history.values();
        let mut held = Vec::new();
        for (key, value) in initial {
            let spelled: Option<Value> = serde_json::from_str(key).ok();
            let keys = [Some(Value::from(key.as_str())), spelled];
            for key in keys.iter().flatten().map(|key| values.find(key)) {
                if key != Datum::NOWHERE {
                    set(&mut held, key, values.find(value));
                }
            }
        }
        Self { initial: held }
    }
}

/// One read or write of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Micro {
    /// Found this value under this key.
    Read(Datum, Datum),
    /// Sets it.
    Write(Datum, Datum),
}

impl Model for MultiRegister {
    type Call = Vec<Micro>;
    /// Keys that do not hold null, and their values, in the order of the keys.
    type State = Vec<(Datum, Datum)>;

    fn init(&self) -> Self::State {
        self.initial.clone()
    }

    fn step(
        &self,
        state: &Self::State,
        call: &Vec<Micro>,
    ) -> impl IntoIterator<Item = Self::State> {
        let mut state = state.clone();
        let happens = call.iter().all(|micro| match *micro {
            Micro::Read(key, value) => held(&state, key) == value,
            Micro::Write(key, value) => {
                set(&mut state, key, value);
                true
            }
        });
        happens.then_some(state)
    }

    fn looks(&self, call: &Vec<Micro>) -> bool {
        call.iter().all(|micro| matches!(micro, Micro::Read(..)))
    }

    fn shown(&self, state: &Self::State, history: &History) -> String {
        let values = history.values();
        let pair = |&(key, value): &(Datum, Datum)| match value {
            // No call mentions it, so the history does not know it.
            Datum::NOWHERE => format!("{}: as it began", values.get(key)),
            value => format!("{}: {}", values.get(key), values.get(value)),
        };
        match state.is_empty() {
            true => "nothing".to_owned(),
            false => format!("{{{}}}", state.iter().map(pair).collect::<Vec<_>>().join(", ")),
        }
    }

    fn call(&self, operation: &Operation) -> Result<Option<Vec<Micro>>, String> {
        if operation.f() != "txn" {
            let other = operation.f();
            return Err(format!("`{other}` is not a call of a multi-register; its call is txn"));
        }
        let told = operation.result().unwrap_or(operation.argument());
        let Some(elements) = told.elements() else {
            return Err(format!("the value of a txn must be a list, and this one is {told}"));
        };
        let parsed: Result<Vec<Option<Micro>>, String> =
            elements.map(|element| micro(element, operation.is_ok())).collect();
        let micros: Vec<Micro> = parsed?.into_iter().flatten().collect();
        Ok((!micros.is_empty()).then_some(micros))
    }
}

/// One element of a transaction; `None` for a read that nobody knows the answer of.
fn micro(element: ValueRef, answered: bool) -> Result<Option<Micro>, String> {
    let mut parts = element.elements().into_iter().flatten();
    let parts = (parts.next().and_then(ValueRef::as_str), parts.next(), parts.next(), parts.next());
    match parts {
        (Some("r"), Some(key), Some(value), None) => {
            Ok(answered.then_some(Micro::Read(key.datum(), value.datum())))
        }
        (Some("w"), Some(key), Some(value), None) => {
            Ok(Some(Micro::Write(key.datum(), value.datum())))
        }
        _ => Err(format!(
            "a txn of a multi-register holds [\"r\", key, value] and [\"w\", key, value], and this \
             one holds {element}"
        )),
    }
}

fn held(state: &[(Datum, Datum)], key: Datum) -> Datum {
    let at = state.binary_search_by_key(&key, |&(key, _)| key);
    at.map_or(Datum::NULL, |at| state[at].1)
}

fn set(state: &mut Vec<(Datum, Datum)>, key: Datum, value: Datum) {
    match state.binary_search_by_key(&key, |&(key, _)| key) {
        Ok(at) if value.is_null() => drop(state.remove(at)),
        Ok(at) => state[at].1 = value,
        Err(_) if value.is_null() => {}
        Err(at) => state.insert(at, (key, value)),
    }
}
