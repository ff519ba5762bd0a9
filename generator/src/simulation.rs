//! Runs a generator against simulated workers, and returns the history.
//!
//! What the harness's interpreter does on a real clock with real clients, this
//! does in no time: for the tests of generators, of workloads, and of yours. It
//! is strict: a generator that calls on a busy process, waits for a time that
//! has passed, or waits for an event when no call is open, is stopped with a
//! panic that says so.
//!
//! ```
//! use std::time::Duration;
//! use tribunal_generator::{Chain, repeat, simulation::{Answer, Simulation}};
//! use tribunal_history::Call;
//!
//! let reads = repeat(Call::new("read")).limit(2);
//! let history = Simulation::new(&["n1", "n2"], 2).run(reads, |attempt| {
//!     Answer::ok(41).after(Duration::from_millis(3)).on(attempt.node)
//! });
//! assert_eq!(history.last().map(|event| event.time), Some(3_000_000));
//! ```

use std::time::Duration;

use tribunal_history::{Call, Event, Kind, Map, Name, Nanos, Process, Value};

use crate::{Context, Generator, Next, Rng, Worker, nanos};

/// No run of a test is longer; one that is does not end.
const MAX_EVENTS: usize = 2_000_000;

/// A call as it is made.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// When.
    pub time: Nanos,
    /// By whom.
    pub process: Process,
    /// The node that is asked.
    pub node: Option<&'a Name>,
    /// What is called.
    pub call: &'a Call,
}

/// How a simulated call ends.
#[derive(Clone, Debug)]
pub struct Answer {
    latency: Nanos,
    kind: Kind,
    value: Option<Value>,
    error: Value,
    node: Option<Name>,
    ext: Map<String, Value>,
}

impl Answer {
    fn of(kind: Kind) -> Self {
        let (value, error, ext) = (None, Value::Null, Map::new());
        Self { latency: 0, kind, value, error, node: None, ext }
    }

    /// It happened, and this came back.
    pub fn ok(value: impl Into<Value>) -> Self {
        Self { value: Some(value.into()), ..Self::of(Kind::Ok) }
    }

    /// It did not happen.
    pub fn fail(why: &str) -> Self {
        Self { error: why.into(), ..Self::of(Kind::Fail) }
    }

    /// Nobody knows whether it happened.
    pub fn info(why: &str) -> Self {
        Self { error: why.into(), ..Self::of(Kind::Info) }
    }

    /// The same answer, this long after the call.
    pub fn after(mut self, latency: Duration) -> Self {
        self.latency = nanos(latency);
        self
    }

    /// The same answer, from this node.
    pub fn on(mut self, node: Option<&Name>) -> Self {
        self.node = node.cloned();
        self
    }

    /// The same answer with something that the database exposes.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.ext.insert(name.to_owned(), value.into());
        self
    }

    fn event(self, call: &Call, time: Nanos, process: Process) -> Event {
        let mut event = Event::of(call, time, process, self.kind);
        event.value = self.value.unwrap_or(event.value);
        event.node = self.node;
        event.error = self.error;
        event.ext.extend(self.ext);
        event
    }
}

/// The workers of a simulated run.
#[derive(Clone, Debug)]
pub struct Simulation {
    workers: Vec<Worker>,
}

impl Simulation {
    /// So many clients, dealt out to the nodes in turn.
    pub fn new(nodes: &[&str], concurrency: usize) -> Self {
        let node = |at: usize| nodes.get(at % nodes.len().max(1)).map(|node| Name::from(*node));
        let worker = |at| Worker { process: Process::Client(at as u64), node: node(at) };
        Self { workers: (0..concurrency).map(worker).collect() }
    }

    /// And the nemesis. Its calls end as `info`, as they do in a real run.
    pub fn with_nemesis(mut self) -> Self {
        self.workers.push(Worker { process: Process::Nemesis, node: None });
        self
    }

    /// Every call is ok, in no time.
    pub fn quick(self, generator: impl Generator) -> Vec<Event> {
        self.perfect(Duration::ZERO, generator)
    }

    /// Every call is ok, after `latency`.
    pub fn perfect(self, latency: Duration, generator: impl Generator) -> Vec<Event> {
        self.run(generator, |attempt| {
            Answer::ok(attempt.call.value.clone()).after(latency).on(attempt.node)
        })
    }

    /// A third each is ok, fails, and ends unknown, after up to 20 ms.
    pub fn imperfect(self, mut rng: Rng, generator: impl Generator) -> Vec<Event> {
        self.run(generator, |attempt| {
            let answer = match rng.below(3) {
                0 => Answer::ok(attempt.call.value.clone()),
                1 => Answer::fail("refused"),
                _ => Answer::info("timed out"),
            };
            answer.after(Duration::from_nanos(rng.between(0, 20_000_000))).on(attempt.node)
        })
    }

    /// Runs `generator` until it is done and every call has ended.
    pub fn run<R>(self, mut generator: impl Generator, mut respond: R) -> Vec<Event>
    where
        R: FnMut(Attempt) -> Answer,
    {
        let mut run = Run::new(self.workers);
        loop {
            if run.open.first().is_some_and(|open| open.event.time <= run.time) {
                run.complete(&mut generator);
                continue;
            }
            match generator.next(&run.context()) {
                Next::Call(process, call) => {
                    run.invoke(&mut generator, process, call, &mut respond)
                }
                Next::Wait(until) => run.wait(until),
                Next::Done => break,
            }
        }
        while let Some(open) = run.open.first() {
            run.time = open.event.time.max(run.time);
            run.complete(&mut generator);
        }
        run.events
    }
}

/// A run in progress.
struct Run {
    time: Nanos,
    workers: Vec<Worker>,
    /// The longest idle first.
    free: Vec<Worker>,
    /// Calls with their completions, the next to end first.
    open: Vec<Open>,
    events: Vec<Event>,
}

struct Open {
    /// The caller's place among the workers.
    worker: usize,
    event: Event,
}

impl Run {
    fn new(workers: Vec<Worker>) -> Self {
        Self { time: 0, free: workers.clone(), workers, open: Vec::new(), events: Vec::new() }
    }

    fn context(&self) -> Context<'_> {
        Context { time: self.time, free: &self.free, all: &self.workers }
    }

    fn record(&mut self, generator: &mut impl Generator, mut event: Event) {
        event.index = self.events.len() as u64;
        assert!(
            self.events.len() < MAX_EVENTS,
            "the generator made {MAX_EVENTS} events: it never ends"
        );
        generator.update(&self.context(), &event);
        self.events.push(event);
    }

    fn invoke<R>(
        &mut self,
        generator: &mut impl Generator,
        process: Process,
        call: Call,
        respond: &mut R,
    ) where
        R: FnMut(Attempt) -> Answer,
    {
        let Some(free) = self.free.iter().position(|worker| worker.process == process) else {
            panic!("{}: the generator calls {} on {process}, which is not free", self.at(), call.f);
        };
        let caller = self.free.remove(free);
        let worker = self.workers.iter().position(|worker| worker.process == process);
        let worker = worker.expect("who is free is a worker");
        let node = caller.node.as_ref();
        let answer = respond(Attempt { time: self.time, process, node, call: &call });
        let end = self.time.saturating_add(answer.latency);
        let mut event = answer.event(&call, end, process);
        if process == Process::Nemesis {
            event.kind = Kind::Info;
        }
        let mut invocation = Event::of(&call, self.time, process, Kind::Invoke);
        invocation.node = caller.node;
        self.record(generator, invocation);
        let place = self.open.partition_point(|open| open.event.time <= end);
        self.open.insert(place, Open { worker, event });
    }

    /// Ends the call that is due: its worker is free, under a new number if its
    /// process is retired.
    fn complete(&mut self, generator: &mut impl Generator) {
        let Open { worker, event } = self.open.remove(0);
        if event.kind == Kind::Info {
            let clients = self.workers.iter().filter(|worker| worker.process.is_client()).count();
            if let Process::Client(number) = &mut self.workers[worker].process {
                *number += clients as u64;
            }
        }
        self.free.push(self.workers[worker].clone());
        self.record(generator, event);
    }

    fn wait(&mut self, until: Nanos) {
        assert!(
            until > self.time,
            "{}: the generator waits for {until} ns, which has passed",
            self.at()
        );
        let end = self.open.first().map_or(Nanos::MAX, |open| open.event.time);
        let wake = until.min(end);
        assert!(
            wake < Nanos::MAX,
            "{}: the generator waits for an event, but no call is open and nothing is due",
            self.at()
        );
        self.time = wake;
    }

    fn at(&self) -> String {
        format!("at {} ns, after {} events", self.time, self.events.len())
    }
}
