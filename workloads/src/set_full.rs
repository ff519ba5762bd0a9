//! `set-full`: what becomes of every element of a set, as Jepsen's `set-full` asks.
//!
//! [`crate::set`] for databases whose reads may be stale: the same calls and
//! options, and every element is told as stable, lost, stale or never read.
//! Only loss, invention and doubling are anomalies, unless `linearizable = true`.
//!
//! | option | default | |
//! |---|---|---|
//! | `linearizable` | false | whether a read may miss no element that was there before it began |
//!
//! and those of `set`.

use tribunal_checkers::{Compose, SetFull, Statistics};
use tribunal_history::{Map, Value};

use crate::options::Options;
use crate::set::{Choice, load, required};
use crate::{Definition, Setting, Workload, WorkloadError};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "sets that lose elements",
    source: include_str!("set_full.rs"),
    build,
    checker,
};

const NAME: &str = "set-full";

fn choose(given: &Map<String, Value>) -> Result<(Choice, bool), WorkloadError> {
    let mut options = Options::new(NAME, given);
    let choice = Choice::read(&mut options)?;
    let linearizable = options.flag("linearizable", false)?;
    options.done()?;
    Ok((choice, linearizable))
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let (choice, _) = choose(&setting.options)?;
    let (generator, last) = load(setting.seed, &choice);
    let checker = checker(&setting.options)?;
    Ok(Workload { generator, last: Some(last), checker, required: required() })
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    let (_, linearizable) = choose(given)?;
    let elements = SetFull { linearizable };
    Ok(Compose::new().with("elements", elements).with("statistics", Statistics))
}
