//! A seed fixes the calls, whatever the cluster does with them.

use std::time::Duration;

use tribunal_generator::simulation::Simulation;
use tribunal_generator::{
    Boxed, Chain, Context, Generator, Next, Seed, Worker, clients, keys, mix, repeat, repeat_with,
};
use tribunal_history::{Call, Event, Kind, Process, Value};

/// All that is random at once: keys, a mix, a Poisson process, random values.
fn load(seed: Seed) -> Boxed {
    let key = move |number: u64| {
        let mut rng = seed.stream(&format!("key {number}"));
        let writes = repeat_with(move || Call::new("write").value(rng.below(1000)));
        let reads = repeat(Call::new("read"));
        mix(seed.stream(&format!("mix {number}")), [writes.boxed(), reads.boxed()]).boxed()
    };
    let calls = keys::independent(seed.stream("keys"), 5, 20, key);
    clients(calls.stagger(seed.stream("stagger"), Duration::from_millis(1)).limit(1000)).boxed()
}

type Seen = (String, Option<Value>, Value);

fn calls(history: &[Event]) -> Vec<Seen> {
    let invocations = history.iter().filter(|event| event.kind == Kind::Invoke);
    invocations.map(|event| (event.f.to_string(), event.key.clone(), event.value.clone())).collect()
}

#[test]
fn the_same_seed_gives_the_same_calls_whatever_the_latencies_and_outcomes() {
    let cluster = |concurrency| Simulation::new(&["n1", "n2", "n3"], concurrency);
    let quick = calls(&cluster(3).quick(load(Seed(7))));
    assert_eq!(quick.len(), 1000);
    assert_eq!(quick, calls(&cluster(30).perfect(Duration::from_millis(9), load(Seed(7)))));
    for outcome in 0..5 {
        let rng = Seed(outcome).stream("outcome");
        assert_eq!(quick, calls(&cluster(10).imperfect(rng, load(Seed(7)))));
    }
    assert_ne!(quick, calls(&cluster(3).quick(load(Seed(8)))));
}

#[test]
fn to_ask_more_often_changes_nothing() {
    let workers = [Worker { process: Process::Client(0), node: None }];
    let ask = |generator: &mut Boxed, time, free| {
        generator.next(&Context { time, free: if free { &workers } else { &[] }, all: &workers })
    };
    let drive = |asks: usize| {
        let mut generator = load(Seed(7));
        let mut made = Vec::new();
        let mut time = 0;
        loop {
            for _ in 0..asks {
                assert!(!matches!(ask(&mut generator, time, false), Next::Call(..)));
            }
            match ask(&mut generator, time, true) {
                Next::Call(_, call) => made.push((time, call)),
                Next::Wait(until) => time = until,
                Next::Done => return made,
            }
        }
    };
    let once = drive(0);
    assert_eq!(once.len(), 1000);
    assert!(once == drive(1) && once == drive(7));
}

#[test]
#[should_panic(expected = "which is not free")]
fn a_call_on_a_busy_process_is_an_error() {
    struct Pushy;
    impl Generator for Pushy {
        fn next(&mut self, _: &Context) -> Next {
            Next::Call(Process::Client(0), Call::new("read"))
        }
    }
    Simulation::new(&["n1"], 2).perfect(Duration::from_millis(1), Pushy);
}
