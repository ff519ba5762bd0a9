//! Random trees of combinators: whatever is combined, the run ends, the history
//! is well formed, and to ask more often changes nothing.

use std::time::Duration;

use tribunal_generator::simulation::Simulation;
use tribunal_generator::{
    Boxed, Chain, Context, Generator, Next, Pace, Policy, Rng, Seed, Worker, any, calls, clients,
    cycle, cycle_times, each_node, each_process, each_worker, flip_flop, keys, mix, nemesis,
    on_workers, phases, repeat, reserve, sequence, shortest_any, sleep,
};
use tribunal_history::{Call, Event, History, Kind, Process};

const TREES: u64 = 3000;

/// The clients of a run.
const CLIENTS: u64 = 5;

/// Grows a tree whose leaves end by themselves.
struct Gardener {
    seed: Seed,
    /// Whether it grows what counts time from its first ask.
    timed: bool,
    /// How many clients there are for it.
    clients: u64,
    rng: Rng,
    streams: u64,
}

impl Gardener {
    fn new(seed: u64, timed: bool, clients: u64) -> Self {
        Self { seed: Seed(seed), timed, clients, rng: Seed(seed).stream("tree"), streams: 0 }
    }

    fn stream(&mut self) -> Rng {
        self.streams += 1;
        self.seed.stream(&format!("stream {}", self.streams))
    }

    fn time(&mut self) -> Duration {
        Duration::from_micros(self.rng.between(0, 30_000))
    }

    fn leaf(&mut self) -> Boxed {
        let name = ["a", "b", "c", "d"][self.rng.below(4) as usize];
        let count = self.rng.below(6);
        match self.rng.below(5) {
            0 if self.timed => sleep(self.time()).boxed(),
            1 => calls((0..count).map(move |value| Call::new(name).value(value))).boxed(),
            _ => repeat(Call::new(name)).limit(count).boxed(),
        }
    }

    fn several(&mut self, depth: u64) -> Vec<Boxed> {
        (0..self.rng.below(4)).map(|_| self.tree(depth - 1)).collect()
    }

    fn tree(&mut self, depth: u64) -> Boxed {
        if depth == 0 {
            return self.leaf();
        }
        match self.rng.below(24) {
            0 => any(self.several(depth)).boxed(),
            1 => sequence(self.several(depth)).boxed(),
            2 => phases(self.several(depth)).boxed(),
            3 => mix(self.stream(), self.several(depth)).boxed(),
            4 => flip_flop(self.several(depth)).boxed(),
            5 => shortest_any(self.several(depth)).boxed(),
            6 => {
                let leaf = |_| repeat(Call::new("k")).boxed();
                let (at_once, each) = (self.rng.between(1, 3), self.rng.between(1, 4));
                let keys = keys::independent(self.stream(), at_once as usize, each, leaf);
                let skew = [0.0, 1.0][self.rng.below(2) as usize];
                keys.skewed(skew).limit(self.rng.below(10)).boxed()
            }
            7 => {
                let rounds = self.rng.below(4);
                cycle(self.shoot(self.clients, depth)).times(rounds).boxed()
            }
            8 if self.timed => {
                let parts = self.several(depth).into_iter();
                cycle_times(parts.map(|part| (self.time(), part)).collect::<Vec<_>>()).boxed()
            }
            9..12 => self.each(depth),
            12..15 => self.some(depth),
            _ => self.around(depth),
        }
    }

    /// One for each.
    fn each(&mut self, depth: u64) -> Boxed {
        let mut grow = self.shoot(1, depth);
        match self.rng.below(3) {
            0 => each_node(move |node| grow(u64::from(node.as_bytes()[1]))).boxed(),
            1 => {
                // Every crash brings a new process with a new tree: it must be bounded.
                let number = |worker: &Worker| match worker.process {
                    Process::Client(number) => number,
                    Process::Nemesis => u64::MAX,
                };
                each_process(move |worker| grow(number(worker))).limit(20).boxed()
            }
            _ => {
                let mut place = 0;
                each_worker(move |_| {
                    place += 1;
                    grow(place)
                })
                .boxed()
            }
        }
    }

    /// For some of the clients, and never for none of them.
    fn some(&mut self, depth: u64) -> Boxed {
        match self.rng.below(3) {
            0 if self.clients > 1 => {
                let first = self.rng.between(1, self.clients - 1);
                let part = self.among(first, depth);
                let others = self.among(self.clients - first, depth);
                reserve([(first as usize, part)], others).boxed()
            }
            1 => {
                let processes = self.rng.between(1, 8);
                let inner = self.among(processes.min(self.clients), depth);
                inner.process_limit(processes as usize).boxed()
            }
            _ => {
                let every = self.rng.between(1, self.clients);
                let inner = self.among(self.clients.div_ceil(every), depth);
                on_workers(move |place, _| (place as u64).is_multiple_of(every), inner).boxed()
            }
        }
    }

    /// What has the calls of another.
    fn around(&mut self, depth: u64) -> Boxed {
        let inner = self.tree(depth - 1);
        match self.rng.below(10) {
            0 if self.timed => inner.stagger(self.stream(), self.time()).boxed(),
            1 if self.timed => inner.time_limit(self.time()).boxed(),
            2 if self.timed => {
                let (every, length) = (self.time(), self.time());
                let pace = match self.rng.below(2) {
                    0 => Pace::Ramp { over: every },
                    _ => Pace::Bursts { every, length, between: 0.2 },
                };
                inner.paced(self.stream(), self.time(), pace).boxed()
            }
            3 => inner.delay(self.time()).boxed(),
            4 => inner.until_ok().boxed(),
            5 => {
                let (times, backoff) = (self.rng.below(3) as u32, self.time());
                inner.retry(self.stream(), Policy { times, backoff, jitter: 0.5 }).boxed()
            }
            6 => inner.concurrency_limit(self.rng.between(1, 3) as usize).boxed(),
            7 => self.gives_up(inner),
            8 => inner.f_map(|f| format!("{f}'")).boxed(),
            _ => inner.map(|call| call.mark("mapped", true)).boxed(),
        }
    }

    /// Ends when the second of its calls has failed. It knows them by a name that is no other's: what
    /// looks at the calls of others depends on when it was first asked.
    fn gives_up(&mut self, inner: Boxed) -> Boxed {
        self.streams += 1;
        let (ours, mut failed) = (format!("{} of {}", self.streams, self.seed), 0);
        let name = ours.clone();
        let named = inner.f_map(move |_| ours.clone()).boxed();
        let gives_up = named.on_update(move |generator, _, event| {
            failed += u64::from(event.kind == Kind::Fail && *event.f == *name);
            if failed == 2 {
                *generator = calls([]).boxed();
            }
        });
        gives_up.boxed()
    }

    /// A tree that only so many clients work on.
    fn among(&mut self, clients: u64, depth: u64) -> Boxed {
        let all = std::mem::replace(&mut self.clients, clients);
        let tree = self.tree(depth - 1);
        self.clients = all;
        tree
    }

    /// What grows trees on demand, each from its own seed.
    fn shoot(&mut self, clients: u64, depth: u64) -> impl FnMut(u64) -> Boxed + Send + 'static {
        let (seed, timed) = (self.rng.bits(), self.timed);
        move |number| Gardener::new(seed ^ number, timed, clients).tree(depth - 1)
    }

    fn run(&mut self) -> Boxed {
        let load = clients(self.tree(4)).boxed();
        let faults = nemesis(self.leaf()).boxed();
        any([load, faults]).boxed()
    }
}

/// Asks its generator some more, when nobody is free.
struct Nagging {
    inner: Boxed,
    times: usize,
}

impl Generator for Nagging {
    fn next(&mut self, context: &Context) -> Next {
        for _ in 0..self.times {
            let answer = self.inner.next(&Context { free: &[], ..*context });
            assert!(!matches!(answer, Next::Call(..)), "{answer:?}, when nobody is free");
        }
        self.inner.next(context)
    }

    fn update(&mut self, context: &Context, event: &Event) {
        self.inner.update(context, event);
    }
}

fn cluster() -> Simulation {
    Simulation::new(&["n1", "n2", "n3"], CLIENTS as usize).with_nemesis()
}

#[test]
fn every_tree_ends_and_makes_a_well_formed_history() {
    let mut longest = 0;
    for seed in 0..TREES {
        let outcome = Seed(seed).stream("outcome");
        let events = cluster().imperfect(outcome, Gardener::new(seed, true, CLIENTS).run());
        longest = longest.max(events.len());
        let open = events.iter().filter(|event| event.kind == Kind::Invoke).count();
        let history = History::new(events).unwrap_or_else(|error| panic!("tree {seed}: {error}"));
        let clients = history.operations().filter(|call| call.completion().is_some()).count();
        assert!(open >= clients && history.len() >= 2 * clients, "tree {seed}");
    }
    assert!(longest > 100, "the trees are too small to show anything: {longest}");
}

/// But for what counts time from its first ask: under `any` and its kin that is
/// when nobody before it had a call to make.
#[test]
fn to_ask_a_tree_more_often_changes_nothing() {
    for seed in 0..TREES {
        let run = |times| {
            let load = Gardener::new(seed, false, CLIENTS).run();
            let inner = load.stagger(Seed(seed).stream("rate"), Duration::from_millis(2)).boxed();
            cluster().imperfect(Seed(seed).stream("outcome"), Nagging { inner, times })
        };
        let once = run(0);
        assert!(once == run(1) && once == run(3), "tree {seed}");
    }
}
