//! `list-append`: which isolation level do transactions on lists keep?
//!
//! Clients read and append to a few lists in transactions. Every value is
//! appended once, so that a list tells the order of its writes (Kingsbury and
//! Alvaro, *Elle*, VLDB 2020). A list that was appended to often enough is
//! replaced by a fresh one. In the end, the lists of that time are read on every node, and each
//! that was replaced once, so that its last appends are known.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `txn` | [["r", k, null], ["append", k, v], …] | the same, reads filled in: ["r", k, [v, …]], or null where there is no list |
//!
//! Keys are texts, values 1, 2, 3, … of each list.
//!
//! Finds every anomaly from dirty writes to real-time cycles, and says which
//! levels still hold.
//!
//! | option | default | |
//! |---|---|---|
//! | `level` | strict-serializable | the isolation level that is promised |
//! | `keys` | 5 | lists at a time, some hotter than others |
//! | `writes_per_key` | 50 | appends to a list before a fresh one takes its place |
//! | `min_length`, `max_length` | 1, 4 | micro-operations of a transaction |
//! | `read`, `append` | 1, 1 | how often each is done, relative to each other |
//! | `final_seconds` | 10 | the time for the last reads of a node, and again for those of replaced lists |

use serde_json::json;
use tribunal_checkers::transactions::{Level, ListAppend};
use tribunal_checkers::{Compose, Statistics};
use tribunal_generator::{Chain, repeat_with};
use tribunal_history::{Call, Map, Value};

use crate::options::Options;
use crate::pool::{Pool, Shape, transaction};
use crate::{Definition, Setting, Workload, WorkloadError};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "isolation of transactions on lists",
    source: include_str!("list_append.rs"),
    build,
    checker,
};

const NAME: &str = "list-append";

fn choose(given: &Map<String, Value>) -> Result<(Level, Shape), WorkloadError> {
    let mut options = Options::new(NAME, given);
    let level = options.level("level", Level::StrictSerializable)?;
    let shape = Shape::choose(&mut options, "append")?;
    options.done()?;
    Ok((level, shape))
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let (_, shape) = choose(&setting.options)?;
    let mut pool = Pool::new(shape, setting.seed.stream(NAME));
    let last = Some(pool.last_reads());
    let generator = repeat_with(move || draw(&mut pool)).boxed();
    let required = vec![("txn".into(), 20)];
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

fn draw(pool: &mut Pool) -> Call {
    let length = pool.length();
    let step = |_| match pool.writes() {
        true => {
            let (key, value) = pool.write();
            json!(["append", key.to_string(), value])
        }
        false => json!(["r", pool.read().to_string(), null]),
    };
    transaction((0..length).map(step).collect())
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    let (level, _) = choose(given)?;
    Ok(Compose::new().with(NAME, ListAppend { level }).with("statistics", Statistics))
}
