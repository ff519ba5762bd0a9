//! `unique-ids`: is no id given twice?
//!
//! | call | value | ok |
//! |---|---|---|
//! | `generate` | null | an id: a number or a text |

use std::time::Duration;

use tribunal_checkers::Compose;
use tribunal_generator::{Chain, each_node, repeat};
use tribunal_history::{Call, Map, Value};

use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "ids that are given twice",
    source: include_str!("unique_ids.rs"),
    build,
    checker,
};

const NAME: &str = "unique-ids";

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let last = each_node(|_node| {
        let generate = Call::new("generate").mark("final", true);
        repeat(generate).delay(Duration::from_millis(200)).limit(10).until_ok().boxed()
    });
    Ok(Workload {
        generator: repeat(Call::new("generate")).boxed(),
        last: Some(last.boxed()),
        checker: checker(&setting.options)?,
        required: vec![("generate".into(), 10)],
    })
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    Options::new(NAME, given).done()?;
    Ok(judged::alone(NAME))
}
