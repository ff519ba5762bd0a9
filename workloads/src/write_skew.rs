//! `write-skew`: of two inserts that exclude each other, does only one succeed?
//!
//! Two clients at a time each look whether a key has a row, and insert one if
//! not (Jepsen's `adya` G2). Under snapshot isolation both may find nothing and
//! both insert; under serializability one of them must fail.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `insert` | [id, null] or [null, id], by key | it is inserted, into the first or the second table; `fail`: the key had a row |
//!
//! Ids are 1, 2, 3, … over all keys; each key gets two inserts, one after the other.

use std::time::Duration;

use serde_json::json;
use tribunal_checkers::Compose;
use tribunal_generator::{Boxed, Chain, each_node, repeat, repeat_with};
use tribunal_history::{Call, Map, Value};

use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "inserts that miss each other",
    source: include_str!("write_skew.rs"),
    build,
    checker,
};

const NAME: &str = "write-skew";

fn choose(given: &Map<String, Value>) -> Result<(), WorkloadError> {
    Options::new(NAME, given).done()
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let generator = repeat_with(load()).boxed();
    let required = vec![("insert".into(), 10)];
    let last = Some(last_inserts());
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

/// Nothing is left to chance: who inserts first is the database's affair.
fn load() -> impl FnMut() -> Call + Send + 'static {
    let mut id: u64 = 0;
    move || {
        id += 1;
        let row = if id % 2 == 1 { json!([id, null]) } else { json!([null, id]) };
        Call::new("insert").value(row).key(id.div_ceil(2).to_string())
    }
}

/// A key of its own through every node: the healed cluster serves.
fn last_inserts() -> Boxed {
    let mut node = 0;
    each_node(move |_node| {
        node += 1;
        // Each try has a key of its own: one that crashed may have inserted.
        let mut tries = 0;
        let insert = repeat(Call::new("insert")).map(move |call| {
            tries += 1;
            let row = json!([1_000_000_000_u64 + node * 1000 + tries, null]);
            call.value(row).key(format!("last {node} {tries}")).mark("final", true)
        });
        insert.delay(Duration::from_millis(200)).limit(10).until_ok().boxed()
    })
    .boxed()
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    choose(given)?;
    Ok(judged::alone(NAME))
}
