//! `fenced-lock`: has each lock one holder at a time, and does every grant have a higher token?
//!
//! [`crate::lock`] for locks that answer `acquire` with {"token": n}: the same
//! calls and options, and tokens must grow. Where the lock is a lease, holders
//! overlap whenever one is paused for long enough, and only the tokens count.
//!
//! | option | default | |
//! |---|---|---|
//! | `exclusive` | true | whether two holders at once are an anomaly |
//!
//! and those of `lock`.

use tribunal_checkers::linearizability::lock::FencedLock;
use tribunal_checkers::{Compose, Judge, Statistics};
use tribunal_history::{Map, Value};

use crate::holder::{Holding, Meanwhile};
use crate::lock::last_holders;
use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "locks whose tokens do not grow",
    source: include_str!("fenced_lock.rs"),
    build,
    checker,
};

const NAME: &str = "fenced-lock";

fn choose(given: &Map<String, Value>) -> Result<(Holding, bool), WorkloadError> {
    let mut options = Options::new(NAME, given);
    let holding = Holding::choose(&mut options, 200, Meanwhile::Nothing)?;
    let exclusive = options.flag("exclusive", true)?;
    options.done()?;
    Ok((holding, exclusive))
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let generator = choose(&setting.options)?.0.load(setting.seed, NAME);
    let required = vec![("acquire".into(), 10), ("release".into(), 5)];
    let last = Some(last_holders());
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    let (_, exclusive) = choose(given)?;
    let lock = Judge::new(FencedLock { exclusive });
    Ok(Compose::new().with(NAME, lock).with("statistics", Statistics))
}
