//! `rw-register`: which isolation level do transactions on registers keep?
//!
//! [`crate::list_append`] for databases without lists: the same options, with
//! `write` in place of `append`. A register tells its last value only, so the
//! order of its writes comes from transactions that read it before they write
//! it; with `blind = true` none need to, and the judge has to find an order.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `txn` | [["r", k, null], ["w", k, v], …] | the same, reads filled in: ["r", k, v], or null |
//!
//! | option | default | |
//! |---|---|---|
//! | `blind` | false | whether registers are written without being read first |
//!
//! and those of `list-append`.
//!
//! The levels `read-committed`, `read-atomic` and `causal` have the order of each session in
//! them here, as AWDIT has them; those of `list-append`, and all others without `session`, `strong`
//! or `strict` in their names, are told by the data alone.

use serde_json::json;
use tribunal_checkers::transactions::{Level, RwRegister};
use tribunal_checkers::{Compose, Statistics};
use tribunal_generator::{Chain, repeat_with};
use tribunal_history::{Call, Map, Value};

use crate::options::Options;
use crate::pool::{Pool, Shape, transaction};
use crate::{Definition, Setting, Workload, WorkloadError};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "isolation of transactions on registers",
    source: include_str!("rw_register.rs"),
    build,
    checker,
};

const NAME: &str = "rw-register";

struct Choice {
    level: Level,
    blind: bool,
    shape: Shape,
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let level = options.level("level", Level::StrictSerializable)?;
    let blind = options.flag("blind", false)?;
    let shape = Shape::choose(&mut options, "write")?;
    options.done()?;
    Ok(Choice { level, blind, shape })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let Choice { blind, shape, .. } = choose(&setting.options)?;
    let mut pool = Pool::new(shape, setting.seed.stream(NAME));
    let last = Some(pool.last_reads());
    let generator = repeat_with(move || draw(&mut pool, blind)).boxed();
    let required = vec![("txn".into(), 20)];
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

fn draw(pool: &mut Pool, blind: bool) -> Call {
    let (mut steps, mut seen) = (Vec::new(), Vec::new());
    for _ in 0..pool.length() {
        if !pool.writes() {
            let key = pool.read();
            seen.push(key);
            steps.push(json!(["r", key.to_string(), null]));
            continue;
        }
        let (key, value) = pool.write();
        if !blind && !seen.contains(&key) {
            seen.push(key);
            steps.push(json!(["r", key.to_string(), null]));
        }
        steps.push(json!(["w", key.to_string(), value]));
    }
    transaction(steps)
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    let level = choose(given)?.level;
    Ok(Compose::new().with(NAME, RwRegister { level }).with("statistics", Statistics))
}
