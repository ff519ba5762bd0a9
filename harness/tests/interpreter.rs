//! The interpreter against clients in this process: what it records, when it
//! retires a process, how it stops, and that a seed fixes the calls.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::{Mutex, watch};
use tribunal_client::{Client, Failure, Node, Outcome, Reply};
use tribunal_generator::{Boxed, Chain, Generator, Next, Seed, mix, repeat, repeat_with};
use tribunal_harness::deadline::Deadline;
use tribunal_harness::events::{Listener, RunEvent};
use tribunal_harness::interpreter::{Interpreter, InterpreterError};
use tribunal_harness::nemesis::{Nemesis, NemesisReply, Peace};
use tribunal_harness::{Recorder, Worker};
use tribunal_history::{Call, Effect, FaultNote, History, Kind, Nanos, Process, Stage, Value};

struct Nobody;

impl Listener for Nobody {
    fn on(&mut self, _: RunEvent) {}
}

/// Answers after a while of its own, or (`read`) never.
struct Slow {
    wait: Duration,
    opened: u32,
}

#[async_trait]
impl Client for Slow {
    async fn open(&mut self, _: &Node) -> Result<(), Failure> {
        self.opened += 1;
        Ok(())
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        match &*call.f {
            "hang" => std::future::pending().await,
            "panic" => panic!("a client's own mistake"),
            "refuse" => Err(Failure::fail("refused")),
            "connections" => Ok(Reply::of(self.opened)),
            _ => {
                tokio::time::sleep(self.wait).await;
                Ok(Reply::default())
            }
        }
    }
}

/// A nemesis whose faults always bite.
struct Biting;

#[async_trait]
impl Nemesis for Biting {
    async fn invoke(&mut self, call: &Call) -> NemesisReply {
        let note: FaultNote = serde_json::from_value(call.value.clone()).unwrap();
        let stage = if note.stage == Stage::Inject { Stage::Injected } else { Stage::Healed };
        let effect = Some(Effect { observed: true, evidence: Vec::new() });
        NemesisReply { note: FaultNote { stage, effect, ..note }, error: None }
    }

    async fn heal_all(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// A nemesis with a mistake in it.
struct Panicking;

#[async_trait]
impl Nemesis for Panicking {
    async fn invoke(&mut self, _: &Call) -> NemesisReply {
        panic!("a nemesis' own mistake")
    }

    async fn heal_all(&mut self) -> Vec<String> {
        panic!("another one")
    }
}

fn node(id: &str) -> Node {
    Node { id: id.into(), ip: "127.0.0.1".into(), ports: Default::default() }
}

fn interpreter(waits_ms: &[u64], nemesis: Box<dyn Nemesis>) -> (tempfile::TempDir, Interpreter) {
    let folder = tempfile::tempdir().unwrap();
    let recorder =
        Recorder::create(&folder.path().join("history.arrow"), Box::new(Nobody)).unwrap();
    let worker = |wait: &u64| {
        let client = Slow { wait: Duration::from_millis(*wait), opened: 0 };
        let deadline = Deadline::new(Duration::from_millis(100), None);
        Worker::new(Box::new(client), node("n1"), deadline)
    };
    let workers = waits_ms.iter().map(worker).collect();
    let nemesis = Arc::new(Mutex::new(nemesis));
    (folder, Interpreter::new(workers, nemesis, recorder))
}

/// Runs a generator to its end on workers of these latencies.
async fn record(waits_ms: &[u64], mut generator: Boxed) -> Result<History, InterpreterError> {
    let (_folder, mut interpreter) = interpreter(waits_ms, Box::new(Peace));
    let (_keep, mut stop) = watch::channel(false);
    interpreter.run(&mut generator, &mut stop).await?;
    Ok(interpreter.finish().await.finish().unwrap().0)
}

fn calls(history: &History) -> Vec<(String, Value)> {
    let call = |operation: tribunal_history::Operation| {
        (operation.f().to_owned(), operation.argument().to_value())
    };
    history.operations().map(call).collect()
}

fn workload(seed: Seed) -> Boxed {
    let mut value = 0;
    let writes = repeat_with(move || {
        value += 1;
        Call::new("write").value(value)
    });
    let mut chance = seed.stream("cas");
    let cas = repeat_with(move || Call::new("cas").value(json!([chance.below(9), 1])));
    mix(seed.stream("mix"), [writes.boxed(), cas.boxed(), repeat(Call::new("read")).boxed()])
        .stagger(seed.stream("stagger"), Duration::from_micros(500))
        .limit(200)
        .boxed()
}

#[tokio::test]
async fn a_seed_fixes_the_calls_whatever_the_latencies() {
    let fast = record(&[0; 8], workload(Seed(11))).await.unwrap();
    let slow = record(&[1, 9, 3, 0, 5], workload(Seed(11))).await.unwrap();
    let other = record(&[0; 8], workload(Seed(12))).await.unwrap();
    assert_eq!(calls(&fast).len(), 200);
    assert_eq!(calls(&fast), calls(&slow));
    assert_ne!(calls(&fast), calls(&other));
}

#[tokio::test]
async fn a_call_that_hangs_is_an_info_and_retires_its_process() {
    let load = tribunal_generator::calls(["hang", "write", "connections"].map(Call::new)).boxed();
    let history = record(&[0], load).await.unwrap();
    let operations: Vec<_> = history.operations().collect();
    assert_eq!(operations[0].kind(), Kind::Info);
    assert_eq!(operations[0].process(), Process::Client(0));
    let error = operations[0].completion().unwrap().error().as_str().unwrap();
    assert!(error.contains("no answer within"), "{error}");
    assert!(operations[1].is_ok());
    assert_ne!(operations[1].process(), Process::Client(0), "a retired number was used again");
    assert_eq!(
        operations[2].result().map(Value::from),
        Some(json!(2)),
        "the connection of a call that hung was kept"
    );
}

#[tokio::test]
async fn a_refusal_is_certain_and_keeps_its_process() {
    let load = tribunal_generator::calls(["refuse", "write"].map(Call::new)).boxed();
    let history = record(&[0], load).await.unwrap();
    let operations: Vec<_> = history.operations().collect();
    assert_eq!(operations[0].kind(), Kind::Fail);
    assert_eq!(operations[0].process(), operations[1].process());
}

#[tokio::test]
async fn a_generator_that_waits_for_nothing_is_an_error() {
    struct Never;
    impl Generator for Never {
        fn next(&mut self, _: &tribunal_generator::Context) -> Next {
            Next::Wait(Nanos::MAX)
        }
    }
    let stuck = record(&[0], Box::new(Never)).await;
    assert!(matches!(stuck, Err(InterpreterError::Stuck)), "{:?}", stuck.map(|h| h.len()));
}

#[tokio::test]
async fn a_stop_ends_the_load_and_waits_for_open_calls() {
    let (_folder, mut interpreter) = interpreter(&[20, 20], Box::new(Peace));
    let (sender, mut stop) = watch::channel(false);
    let mut endless = repeat(Call::new("write")).boxed();
    let stopper = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        sender.send(true).unwrap();
        // Kept until the run is over: a dropped sender must not look like a stop.
        sender
    });
    interpreter.run(&mut endless, &mut stop).await.unwrap();
    drop(stopper.await.unwrap());
    let history = interpreter.finish().await.finish().unwrap().0;
    assert!(history.operations().count() >= 2);
    assert!(history.operations().all(|operation| operation.is_ok()));
}

#[tokio::test]
async fn a_client_that_panics_ends_the_run() {
    let load = tribunal_generator::calls(["write", "panic"].map(Call::new)).boxed();
    let died = record(&[0], load).await;
    let Err(InterpreterError::WorkerDied { worker: 0, why }) = died else {
        panic!("{:?}", died.map(|history| history.len()))
    };
    assert!(why.contains("panic"), "{why}");
}

#[tokio::test]
async fn a_nemesis_that_panics_has_ended_its_call() {
    let (_folder, mut interpreter) = interpreter(&[0], Box::new(Panicking));
    let (_keep, mut stop) = watch::channel(false);
    interpreter.run(&mut one_fault(), &mut stop).await.unwrap();
    interpreter.heal().await.unwrap();
    let left = interpreter.heal_all().await;
    assert!(left.len() == 1 && left[0].starts_with("the nemesis died"), "{left:?}");
    let history = interpreter.finish().await.finish().unwrap().0;
    let [fault] = &history.faults()[..] else { panic!("not one fault: {:?}", history.faults()) };
    assert!(fault.injected.is_none() && !fault.effect.observed, "{fault:?}");
    assert!(fault.error.as_ref().is_some_and(|why| why.contains("the nemesis died")), "{fault:?}");
}

/// A generator of one fault, which nobody heals.
fn one_fault() -> Boxed {
    let note = FaultNote {
        id: 0,
        stage: Stage::Inject,
        nodes: vec!["n1".into()],
        summary: "n1".into(),
        plan: Default::default(),
        effect: None,
    };
    let call = Call::new("pause").value(serde_json::to_value(note).unwrap());
    tribunal_generator::nemesis(tribunal_generator::once(call)).boxed()
}

#[tokio::test]
async fn a_fault_that_was_cut_short_is_healed_in_the_history() {
    let (_folder, mut interpreter) = interpreter(&[0], Box::new(Biting));
    let (_keep, mut stop) = watch::channel(false);
    interpreter.run(&mut one_fault(), &mut stop).await.unwrap();
    interpreter.heal().await.unwrap();
    let history = interpreter.finish().await.finish().unwrap().0;
    let [fault] = &history.faults()[..] else { panic!("not one fault: {:?}", history.faults()) };
    assert!(fault.injected.is_some() && fault.until.is_some(), "{fault:?}");
    assert!(fault.effect.observed);
}
