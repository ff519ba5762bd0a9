//! `leader`: are there ever two leaders?
//!
//! Every client asks its own node who it is, again and again, and sometimes
//! writes to it. An answer says that the node held itself leader at *some*
//! instant between question and answer; two answers of one term enclose a time
//! in which it did all along. Where two nodes' times overlap there were two.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `probe` | null | {"node": "n1", "role": "leader" or "follower", "term": 3} |
//! | `write` | v | the node took it as a leader; `"ext": {"node": "n1", "term": 3}` |
//!
//! Values are 1, 2, 3, … A follower answers a write with `fail`. A store that
//! does not tell who served a write is judged by its probes alone.
//!
//! Finds two leaders of one term; two leaders at a time, where that is
//! forbidden; writes that a deposed leader acknowledged.
//!
//! | option | default | |
//! |---|---|---|
//! | `exclusive` | true | whether two leaders at a time, of different terms, are an anomaly |
//! | `probe`, `write` | 9, 1 | how often each is called, relative to each other |
//!
//! Where leadership is a lease or a lock it is exclusive. Raft and its kin allow
//! two leaders of different terms for a moment: say `exclusive = false`, and
//! they are only counted.

use std::time::Duration;

use tribunal_checkers::{Compose, Leader, Statistics};
use tribunal_generator::{Boxed, Chain, Seed, each_node, repeat, repeat_with};
use tribunal_history::{Call, Map, Value};

use crate::options::Options;
use crate::{CallError, Definition, Setting, Workload, WorkloadError};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "two leaders at a time",
    source: include_str!("leader.rs"),
    build,
    checker,
};

const NAME: &str = "leader";

/// A call on the caller's own node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Who are you?
    Probe,
    /// Take this, if you are the leader.
    Write(i64),
}

impl Function {
    /// What a client is asked for.
    pub fn parse(call: &Call) -> Result<Self, CallError> {
        match (&*call.f, call.value.as_i64()) {
            ("probe", _) => Ok(Function::Probe),
            ("write", Some(value)) => Ok(Function::Write(value)),
            _ => Err(CallError::of(NAME, call)),
        }
    }
}

impl From<Function> for Call {
    fn from(function: Function) -> Call {
        match function {
            Function::Probe => Call::new("probe"),
            Function::Write(value) => Call::new("write").value(value),
        }
    }
}

/// `[workload.leader]`.
struct Choice {
    exclusive: bool,
    /// Of probe and write.
    weights: [u64; 2],
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let exclusive = options.flag("exclusive", true)?;
    let weights = options.weights([("probe", 9), ("write", 1)])?;
    options.done()?;
    Ok(Choice { exclusive, weights })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let choice = choose(&setting.options)?;
    let generator = repeat_with(load(setting.seed, choice.weights)).boxed();
    let required = vec![("probe".into(), 10)];
    let last = Some(last_probes());
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

/// The calls. Whoever has been idle for the longest makes the next one, so that
/// all nodes are asked in turn, and a paused one holds up nobody.
fn load(seed: Seed, [probe, write]: [u64; 2]) -> impl FnMut() -> Call + Send + 'static {
    let mut rng = seed.stream("leader");
    let mut written = 0;
    move || {
        if rng.below(probe + write) < probe {
            return Function::Probe.into();
        }
        written += 1;
        Function::Write(written).into()
    }
}

/// Who leads in the end, by the word of every node: each is asked until it answers, but not for ever.
fn last_probes() -> Boxed {
    each_node(|_node| {
        let probe = Call::from(Function::Probe).mark("final", true);
        repeat(probe).delay(Duration::from_millis(200)).limit(10).until_ok().boxed()
    })
    .boxed()
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    let exclusive = choose(given)?.exclusive;
    Ok(Compose::new().with("leader", Leader { exclusive }).with("statistics", Statistics))
}
