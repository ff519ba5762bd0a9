//! `lease`: does a lease belong to one holder for as long as it was granted?
//!
//! Clients acquire leases, renew them while they need them, and release them. A
//! client that hears nothing lets its lease run out.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `acquire` | null | {"ttl_ms": 2000}, and "token": n where there are tokens; `false`: it is another's |
//! | `renew` | {"token": n} | the same, from now on; `false`: it is not the caller's any more |
//! | `release` | {"token": n} | it is free |
//!
//! Finds two holders for certain at once, on the controller's clock; tokens that
//! come twice or fall; renewals under an old token.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 3 | leases at a time |
//! | `rounds` | 100 | how often a lease is asked for before a fresh one takes its place; 0: for ever |
//! | `hold_ms` | 3000 | the longest that a lease is kept |
//! | `idle_ms` | 100 | the longest that a client waits between two leases |
//! | `every_ms` | 50 | how often a lease is renewed |

use tribunal_checkers::Compose;
use tribunal_history::{Map, Value};

use crate::holder::{Holding, Meanwhile};
use crate::lock::last_holders;
use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "leases with two holders",
    source: include_str!("lease.rs"),
    build,
    checker,
};

const NAME: &str = "lease";

fn choose(given: &Map<String, Value>) -> Result<Holding, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let holding = Holding::choose(&mut options, 3000, Meanwhile::Renew)?;
    options.done()?;
    Ok(holding)
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let generator = choose(&setting.options)?.load(setting.seed, NAME);
    let required = vec![("acquire".into(), 10), ("renew".into(), 5)];
    let last = Some(last_holders());
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    choose(given)?;
    Ok(judged::alone(NAME))
}
