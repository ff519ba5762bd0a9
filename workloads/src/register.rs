//! `register`: is each key a linearizable register?
//!
//! [`crate::cas_register`] for databases without compare-and-set: the same
//! calls, values, anomalies and options, without `cas`, and with one more:
//!
//! | option | default | |
//! |---|---|---|
//! | `reset` | 0 | how often the initial value is written, which may not be null then: to a client for which that is to delete the key |

use tribunal_checkers::Compose;
use tribunal_history::{Map, Value};

use crate::cas_register::{Choice, judge, load};
use crate::keyed::{Keyed, Patience};
use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "linearizable registers",
    source: include_str!("register.rs"),
    build,
    checker,
};

const NAME: &str = "register";

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let keyed = Keyed::choose(&mut options, 10, 200)?;
    let [read, write, reset] = options.weights([("read", 1), ("write", 1), ("reset", 0)])?;
    let initial = options.value("initial", Value::Null);
    if reset > 0 && initial.is_null() {
        let expected = "a value that can be written, where `reset` is above 0".to_owned();
        return Err(options.bad("initial", &initial, expected));
    }
    let budget = options.number("budget", 2_000_000, 1..=u64::MAX)?;
    let patience = Patience::choose(&mut options, 10)?;
    options.done()?;
    let weights = [read, write, 0, reset];
    Ok(Choice { keyed, weights, initial, budget, patience })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let choice = choose(&setting.options)?;
    let (generator, last) = load(setting.seed, &choice);
    let required = vec![("read".into(), 10), ("write".into(), 10)];
    Ok(Workload { generator, last: Some(last), checker: judge(&choice), required })
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    Ok(judge(&choose(given)?))
}
