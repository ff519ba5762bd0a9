//! `semaphore`: are there never more holders than permits?
//!
//! [`crate::lock`] for objects that several may hold at once: the same calls,
//! of permits, which nobody owns.
//!
//! | option | default | |
//! |---|---|---|
//! | `permits` | 2 | how many may hold it at once |
//!
//! and those of `lock`. With one permit it is a mutex.

use tribunal_checkers::objects::Setting as Said;
use tribunal_checkers::{Compose, Statistics};
use tribunal_history::{Map, Value};

use crate::holder::{Holding, Meanwhile};
use crate::lock::last_holders;
use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "semaphores with too many holders",
    source: include_str!("semaphore.rs"),
    build,
    checker,
};

const NAME: &str = "semaphore";

fn choose(given: &Map<String, Value>) -> Result<(Holding, u32), WorkloadError> {
    let mut options = Options::new(NAME, given);
    let holding = Holding::choose(&mut options, 200, Meanwhile::Nothing)?;
    let permits = options.number("permits", 2, 1..=1000)?;
    options.done()?;
    Ok((holding, permits as u32))
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let generator = choose(&setting.options)?.0.load(setting.seed, NAME);
    let required = vec![("acquire".into(), 10), ("release".into(), 5)];
    let last = Some(last_holders());
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    let said = Said { permits: Some(choose(given)?.1), ..Said::default() };
    let permits = judged::object_with(NAME, &said);
    Ok(Compose::new().with(NAME, permits).with("statistics", Statistics))
}
