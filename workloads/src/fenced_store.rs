//! `fenced-store`: does a store that a lock guards refuse who has lost the lock?
//!
//! Clients acquire a lock, write under its token to the store of the same key,
//! and release it. The lock may be a lease, of which a holder may not know that
//! it has run out: it is the store that must refuse it (Kleppmann, *How to do
//! distributed locking*).
//!
//! | call | value | ok |
//! |---|---|---|
//! | `acquire` | null | {"token": n}; `false`: somebody else holds it |
//! | `write` | {"token": n, "value": v} | it is written; `false`: the token is too old |
//! | `release` | {"token": n} | it is free |
//! | `read` | null | the value that was written last, or null |
//!
//! Values are 1, 2, 3, … over all keys. Only the last calls read.
//!
//! Finds writes under a token that was accepted after a higher one had been, and
//! tokens that come twice or fall.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 3 | locks, each with its store, at a time |
//! | `rounds` | 100 | how often a lock is asked for before a fresh one takes its place; 0: for ever |
//! | `hold_ms` | 3000 | the longest that a client takes itself for the holder |
//! | `idle_ms` | 100 | the longest that a client waits between two locks |
//! | `every_ms` | 50 | how often a holder writes |

use std::time::Duration;

use tribunal_checkers::linearizability::lock::{FencedLock, FencedStore};
use tribunal_checkers::{Compose, Judge, Statistics};
use tribunal_generator::{Boxed, Chain, each_node, repeat, sequence};
use tribunal_history::{Call, Map, Value};

use crate::holder::{Holding, Meanwhile};
use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "stores that take writes under old tokens",
    source: include_str!("fenced_store.rs"),
    build,
    checker,
};

const NAME: &str = "fenced-store";

fn choose(given: &Map<String, Value>) -> Result<Holding, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let holding = Holding::choose(&mut options, 3000, Meanwhile::Write)?;
    options.done()?;
    Ok(holding)
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let holding = choose(&setting.options)?;
    let generator = holding.load(setting.seed, NAME);
    let required = vec![("acquire".into(), 10), ("write".into(), 10)];
    let last = Some(last_reads(holding.keys()));
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

/// The first stores on every node, each until it is ok.
fn last_reads(keys: u64) -> Boxed {
    each_node(move |_node| {
        let read = |key: u64| {
            let call = Call::new("read").key(key.to_string()).mark("final", true);
            repeat(call).delay(Duration::from_millis(200)).limit(10).until_ok().boxed()
        };
        sequence((0..keys).map(read)).time_limit(Duration::from_secs(10)).boxed()
    })
    .boxed()
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    choose(given)?;
    // The lock may be a lease, so its holders may overlap; its tokens may not.
    let tokens = Judge::new(FencedLock { exclusive: false }).among(&["acquire", "release"]);
    let store = Judge::new(FencedStore::default()).among(&["write", "read"]);
    Ok(Compose::new().with("tokens", tokens).with("store", store).with("statistics", Statistics))
}
