//! Logs: values are appended, each at an offset, and consumers poll them in order.
//!
//! Offsets grow from append to append; some may be left out (by aborted
//! transactions, by the log's own marks). A poll returns a run of neighbours, and a
//! consumer's next poll goes on where its last one ended. It need not be up to date, so
//! what was never polled past is not missed.
//!
//! Calls: `append` v -> offset; `poll` -> [[offset, v], …] (of a watched object `write` and `watch`); `assign`, `subscribe` and
//! `seek`, after which the process may poll from anywhere, as after a poll of unknown outcome.
//!
//! [`offsets`] decides every history in n log n. Not judged: transactions over several logs.

pub mod offsets;
mod wording;

use std::collections::BTreeMap;

use tribunal_history::{Datum, History, Operation, Process, ValueRef};

use super::model::{Conflict, Decision, Model, Object};
use super::shown;

/// A log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Log;

/// A call on a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Appended a value.
    Append {
        /// The value.
        value: Datum,
        /// Where, if the answer is known.
        offset: Option<i64>,
    },
    /// Found these values at these offsets.
    Poll {
        /// Who.
        process: u64,
        /// The offsets and the values.
        entries: Box<[(i64, Datum)]>,
    },
    /// Went elsewhere in the log, or lost its place.
    Seek {
        /// Who.
        process: u64,
    },
}

/// What a log holds, and where its consumers are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// Offsets and values in order. Nobody knows the offset of an append of unknown
    /// outcome until it is polled.
    entries: Vec<(Option<i64>, Datum)>,
    /// The entry that each consumer polls next.
    places: BTreeMap<u64, usize>,
}

impl State {
    /// Whether offsets grow, with room for those that are not known.
    fn grows(&self) -> bool {
        let (mut last, mut unknown) = (None, 0);
        self.entries.iter().all(|&(offset, _)| {
            let Some(offset) = offset else {
                unknown += 1;
                return true;
            };
            let room = last.is_none_or(|last: i64| offset - last > unknown);
            (last, unknown) = (Some(offset), 0);
            room
        })
    }

    fn with(&self, entry: (Option<i64>, Datum)) -> Self {
        let mut after = self.clone();
        after.entries.push(entry);
        after
    }

    /// After a poll that found these entries from this place on; `None` if it cannot have.
    fn polled(&self, process: u64, from: usize, polled: &[(i64, Datum)]) -> Option<Self> {
        let mut after = self.clone();
        let run = after.entries.get_mut(from..from + polled.len())?;
        for (entry, &(offset, value)) in run.iter_mut().zip(polled) {
            if entry.1 != value || entry.0.is_some_and(|there| there != offset) {
                return None;
            }
            entry.0 = Some(offset);
        }
        after.places.insert(process, from + polled.len());
        after.grows().then_some(after)
    }
}

impl Model for Log {
    type Call = Call;
    type State = State;

    fn init(&self) -> State {
        State::default()
    }

    fn shown(&self, state: &State, history: &History) -> String {
        shown::list(state.entries.iter().map(|(_, value)| value), history)
    }

    fn step(&self, state: &State, call: &Call) -> impl IntoIterator<Item = State> {
        match call {
            Call::Append { value, offset } => {
                let after = state.with((*offset, *value));
                if after.grows() { vec![after] } else { vec![] }
            }
            Call::Poll { entries, .. } if entries.is_empty() => vec![state.clone()],
            Call::Poll { process, entries } => {
                let place = state.places.get(process);
                let places = place.map_or(0..state.entries.len(), |&place| place..place + 1);
                places.filter_map(|from| state.polled(*process, from, entries)).collect()
            }
            Call::Seek { process } => {
                let mut after = state.clone();
                after.places.remove(process);
                vec![after]
            }
        }
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        let Process::Client(process) = operation.process() else { return Ok(None) };
        match operation.f() {
            "append" | "write" => append(operation).map(Some),
            "assign" | "subscribe" | "seek" => Ok(Some(Call::Seek { process })),
            "poll" | "watch" => match operation.result() {
                None => Ok(Some(Call::Seek { process })),
                Some(polled) => {
                    let entries = entries(polled).ok_or_else(|| {
                        format!(
                            "a poll must answer [[offset, value], …], and this one did {polled}"
                        )
                    })?;
                    Ok(Some(Call::Poll { process, entries }))
                }
            },
            other => Err(format!(
                "`{other}` is not a call of a log; its calls are append, poll, assign, subscribe \
                 and seek"
            )),
        }
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        let conflict = offsets::check(&object.ops).err().map(|breach| {
            let calls = breach.calls(&object.ops);
            Conflict {
                kind: wording::kind(object, &breach),
                message: wording::breach(object, &breach),
                calls: calls.iter().map(|&at| object.ops[at as usize].number).collect(),
            }
        });
        Some(Decision { judge: "offsets", conflict })
    }
}

fn append(operation: &Operation) -> Result<Call, String> {
    let value = operation.argument().datum();
    let Some(result) = operation.result() else { return Ok(Call::Append { value, offset: None }) };
    let offset = result.as_i64();
    match offset {
        Some(_) => Ok(Call::Append { value, offset }),
        None => Err(format!("an append must answer its offset, and this one did {result}")),
    }
}

fn entries(polled: ValueRef) -> Option<Box<[(i64, Datum)]>> {
    let entry = |entry: ValueRef| {
        let [offset, value] = entry.pair()?;
        Some((offset.as_i64()?, value.datum()))
    };
    if polled.is_null() {
        return Some(Box::default());
    }
    polled.elements()?.map(entry).collect()
}
