//! Random trees of combinators: whatever is combined, the run ends, the history
//! is well formed, and to ask more often changes nothing.

use std::time::Duration;

use tribunal_generator::simulation::Simulation;
use tribunal_generator::{
    Boxed, Chain, Context, Generator, Next, Rng, Seed, any, calls, clients, each_node,
    each_process, keys, mix, nemesis, phases, repeat, sequence, sleep,
};
use tribunal_history::{Call, Event, History, Kind};

const TREES: u64 = 3000;

/// Grows a tree whose leaves end by themselves.
struct Gardener {
    seed: Seed,
    /// Whether it grows what counts time from its first ask.
    timed: bool,
    rng: Rng,
    streams: u64,
}

impl Gardener {
    fn new(seed: u64, timed: bool) -> Self {
        Self { seed: Seed(seed), timed, rng: Seed(seed).stream("tree"), streams: 0 }
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
        match self.rng.below(12) {
            0 => any(self.several(depth)).boxed(),
            1 => sequence(self.several(depth)).boxed(),
            2 => phases(self.several(depth)).boxed(),
            3 => mix(self.stream(), self.several(depth)).boxed(),
            4 if self.timed => self.tree(depth - 1).stagger(self.stream(), self.time()).boxed(),
            5 => self.tree(depth - 1).delay(self.time()).boxed(),
            6 if self.timed => self.tree(depth - 1).time_limit(self.time()).boxed(),
            7 => self.tree(depth - 1).until_ok().boxed(),
            8 => {
                // Each node's own tree, grown from its own seed.
                let (seed, timed, depth) = (self.rng.bits(), self.timed, depth - 1);
                each_node(move |node| {
                    let number = u64::from(node.as_bytes()[1]);
                    Gardener::new(seed ^ number, timed).tree(depth)
                })
                .boxed()
            }
            9 => {
                let (seed, timed, depth) = (self.rng.bits(), self.timed, depth - 1);
                // Every crash brings a new process with a new tree: it must be bounded.
                let tree = move |_: &_| Gardener::new(seed, timed).tree(depth);
                each_process(tree).limit(20).boxed()
            }
            10 => {
                let leaf = |_| repeat(Call::new("k")).boxed();
                let (at_once, each) = (self.rng.between(1, 3), self.rng.between(1, 4));
                let keys = keys::independent(self.stream(), at_once as usize, each, leaf);
                keys.limit(self.rng.below(10)).boxed()
            }
            _ => self.tree(depth - 1).map(|call| call.mark("mapped", true)).boxed(),
        }
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
    Simulation::new(&["n1", "n2", "n3"], 5).with_nemesis()
}

#[test]
fn every_tree_ends_and_makes_a_well_formed_history() {
    let mut longest = 0;
    for seed in 0..TREES {
        let outcome = Seed(seed).stream("outcome");
        let events = cluster().imperfect(outcome, Gardener::new(seed, true).run());
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
            let load = Gardener::new(seed, false).run();
            let inner = load.stagger(Seed(seed).stream("rate"), Duration::from_millis(2)).boxed();
            cluster().imperfect(Seed(seed).stream("outcome"), Nagging { inner, times })
        };
        let once = run(0);
        assert!(once == run(1) && once == run(3), "tree {seed}");
    }
}
