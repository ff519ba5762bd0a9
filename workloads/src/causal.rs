//! `causal`: is whatever a client sees seen with all that caused it?
//!
//! Clients read and write single registers; each process is a session. What a
//! session saw and did before a write is its cause, and nobody may see the write
//! and then something older than its causes. This is what causally consistent
//! stores promise, and all of the four session guarantees together (Terry et
//! al., PDIS 1994; Bouajjani et al., POPL 2017).
//!
//! | call | value | ok |
//! |---|---|---|
//! | `txn` | [["r", k, null]] or [["w", k, v]] | the same, the read filled in |
//!
//! Finds stale reads of one's own writes, reads that go back in time, effects
//! without their causes. Real time between clients is not asked for.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 5 | registers at a time, some hotter than others |
//! | `writes_per_key` | 50 | writes of a register before a fresh one takes its place |
//! | `read`, `write` | 2, 1 | how often each is called, relative to each other |

use std::time::Duration;

use serde_json::json;
use tribunal_checkers::transactions::{Level, RwRegister};
use tribunal_checkers::{Compose, Statistics};
use tribunal_generator::{Chain, each_node, repeat, repeat_with};
use tribunal_history::{Call, Map, Value};

use crate::options::Options;
use crate::pool::{Pool, Shape, transaction};
use crate::{Definition, Setting, Workload, WorkloadError};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "effects that are seen without their causes",
    source: include_str!("causal.rs"),
    build,
    checker,
};

const NAME: &str = "causal";

fn choose(given: &Map<String, Value>) -> Result<Shape, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let shape = Shape::of_single(&mut options)?;
    options.done()?;
    Ok(shape)
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let mut pool = Pool::new(choose(&setting.options)?, setting.seed.stream(NAME));
    let last = each_node(|_node| {
        let read = transaction(vec![json!(["r", "0", null])]).mark("final", true);
        repeat(read).delay(Duration::from_millis(200)).limit(10).until_ok().boxed()
    });
    let generator = repeat_with(move || draw(&mut pool)).boxed();
    let required = vec![("txn".into(), 20)];
    let checker = checker(&setting.options)?;
    Ok(Workload { generator, last: Some(last.boxed()), checker, required })
}

fn draw(pool: &mut Pool) -> Call {
    let step = match pool.writes() {
        true => {
            let (key, value) = pool.write();
            json!(["w", key.to_string(), value])
        }
        false => json!(["r", pool.read().to_string(), null]),
    };
    transaction(vec![step])
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    choose(given)?;
    let registers = RwRegister { level: Level::Causal };
    Ok(Compose::new().with(NAME, registers).with("statistics", Statistics))
}
