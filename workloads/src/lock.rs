//! `lock`: has each lock one holder at a time?
//!
//! Clients acquire locks, hold them for a while and release them. Locks that are
//! let go by time alone are leases: [`crate::lease`].
//!
//! | call | value | ok |
//! |---|---|---|
//! | `acquire` | null | it is held (perhaps {"token": n}); `false`: somebody else holds it |
//! | `release` | null, or {"token": n} | it is free |
//!
//! Finds two holders at once.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 3 | locks at a time |
//! | `rounds` | 100 | how often a lock is asked for before a fresh one takes its place; 0: for ever |
//! | `hold_ms` | 200 | the longest that a lock is held |
//! | `idle_ms` | 100 | the longest that a client waits between two locks |

use std::time::Duration;

use tribunal_checkers::Compose;
use tribunal_generator::{Boxed, Chain, each_node, repeat};
use tribunal_history::{Call, Map, Value};

use crate::holder::{Holding, Meanwhile};
use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "locks with two holders",
    source: include_str!("lock.rs"),
    build,
    checker,
};

const NAME: &str = "lock";

fn choose(given: &Map<String, Value>) -> Result<Holding, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let holding = Holding::choose(&mut options, 200, Meanwhile::Nothing)?;
    options.done()?;
    Ok(holding)
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let generator = choose(&setting.options)?.load(setting.seed, NAME);
    let required = vec![("acquire".into(), 10), ("release".into(), 5)];
    let last = Some(last_holders());
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

/// A lock that nobody has asked for is got through every node, in the end: the healed cluster serves.
pub(crate) fn last_holders() -> Boxed {
    each_node(|node| {
        let acquire = Call::new("acquire").key(format!("last {node}")).mark("final", true);
        repeat(acquire).delay(Duration::from_millis(200)).limit(10).until_ok().boxed()
    })
    .boxed()
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    choose(given)?;
    Ok(judged::alone(NAME))
}
