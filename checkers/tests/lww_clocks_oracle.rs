//! What the timestamps of other writes tell of clocks, against clocks that are known:
//! a simulation with offsets, drift, steps and faults that move them. Every bound that
//! the checker tells must hold the truth, and every order of two timestamps that it
//! calls certain must be the order in which they were given.

mod chance;
mod oracle;

use chance::Chance;
use oracle::seeds_of_at_least;
use serde_json::{Map, Value, json};
use tribunal_checkers::{Anomaly, Checker, Lww};
use tribunal_history::{Event, History, Kind, Process};

const MS: i128 = 1_000_000;
/// All calls end by then.
const OVER: i128 = 3_000 * MS;

/// A clock, and what it does.
struct Clock {
    base: i128,
    /// Parts in a million, before and after that time.
    drift: [i128; 2],
    turn: i128,
    /// Times and sizes, faults aside.
    steps: Vec<(i128, i128)>,
    /// The fault that moves it: when it does, when it moves it back, and by what.
    fault: Option<(i128, i128, i128)>,
}

impl Clock {
    fn random(chance: &mut Chance) -> Self {
        let apart = chance.pick(&[5, 100, 2_000]);
        let ppm = |chance: &mut Chance| between(chance, -500, 500);
        let mut clock = Self {
            base: between(chance, -apart * MS, apart * MS),
            drift: [ppm(chance), ppm(chance)],
            turn: between(chance, 0, OVER),
            steps: Vec::new(),
            fault: None,
        };
        for _ in 0..chance.below(6).saturating_sub(3) {
            // What is stepped and not slewed; see the checker's `LEAST_STEP`.
            let size = between(chance, 128 * MS, 130 * MS) * [1, 1, 8][chance.below(3)];
            let size = if chance.percent(50) { size } else { -size };
            clock.steps.push((between(chance, 0, OVER), size));
        }
        if chance.percent(30) {
            let from = between(chance, 0, OVER);
            clock.fault = Some((from, between(chance, from, OVER), between(chance, 1, 600 * MS)));
        }
        clock
    }

    /// How far it is off at that time.
    fn offset(&self, at: i128) -> i128 {
        let drifted = self.drift[0] * at.min(self.turn) + self.drift[1] * (at - self.turn).max(0);
        let stepped: i128 = self.moves().filter(|it| it.0 <= at).map(|it| it.1).sum();
        self.base + drifted / 1_000_000 + stepped
    }

    /// All its steps, with those of its fault.
    fn moves(&self) -> impl Iterator<Item = (i128, i128)> {
        let fault = self.fault.map_or(Vec::new(), |(from, to, by)| vec![(from, by), (to, -by)]);
        self.steps.iter().copied().chain(fault)
    }

    fn moved_within(&self, from: i128, until: i128) -> usize {
        self.moves().filter(|it| from.min(until) < it.0 && it.0 <= from.max(until)).count()
    }
}

/// A write, and what only the simulation knows of it.
#[derive(Clone)]
struct Write {
    node: usize,
    begin: i128,
    end: i128,
    /// When its node read its clock.
    read: i128,
    exposed: bool,
    key: &'static str,
}

struct World {
    clocks: Vec<Clock>,
    /// What the database counts in.
    grain: i128,
    epoch: i128,
    others: Vec<Write>,
    survivor: Write,
    lost: Write,
}

impl World {
    fn random(chance: &mut Chance) -> Self {
        let clocks: Vec<Clock> = (0..1 + chance.below(3)).map(|_| Clock::random(chance)).collect();
        let nodes = clocks.len();
        let long = chance.pick(&[2, 20, 200]);
        let others = (0..chance.below(30)).map(|_| {
            let begin = between(chance, 0, OVER - 200 * MS);
            Write::random(chance, "other", nodes, begin, long)
        });
        let others: Vec<Write> = others.collect();
        let begin = between(chance, 0, OVER / 2);
        let mut survivor = Write::random(chance, "k", nodes, begin, long);
        let most = chance.pick(&[2, 2, 40, 400]);
        let gap = between(chance, 1, most * MS);
        let mut lost = Write::random(chance, "k", nodes, survivor.end + gap, long);
        (survivor.exposed, lost.exposed) = (chance.percent(30), chance.percent(30));
        let grain = [1, 1, 1_000, MS][chance.below(4)];
        let epoch = [0, 1_795_176_000 * 1_000 * MS][chance.below(2)];
        Self { clocks, grain, epoch, others, survivor, lost }
    }

    fn stamp(&self, write: &Write) -> i128 {
        let clock = self.epoch + write.read + self.clocks[write.node].offset(write.read);
        clock.div_euclid(self.grain) * self.grain
    }

    /// Whether what the checker supposes holds of that node: between two exposed writes
    /// that follow each other its clock steps once at most.
    fn is_as_supposed(&self, node: usize) -> bool {
        let exposed = self.exposed(node);
        let clock = &self.clocks[node];
        exposed.windows(2).all(|two| clock.moved_within(two[0].read, two[1].read) <= 1)
    }

    fn exposed(&self, node: usize) -> Vec<&Write> {
        let all = self.others.iter().chain([&self.survivor, &self.lost]);
        let mut exposed: Vec<&Write> =
            all.filter(|write| write.exposed && write.node == node).collect();
        exposed.sort_by_key(|write| (write.begin, write.end));
        exposed
    }

    fn history(&self) -> History {
        let mut timed: Vec<(i128, Event)> = Vec::new();
        let writes = self.others.iter().chain([&self.survivor, &self.lost]);
        for (at, write) in writes.enumerate() {
            let mut event = event("write", write.key, at + 1);
            event.node = Some(node_name(write.node).into());
            event.process = Process::Client(at as u64);
            timed.push((write.begin, event.clone()));
            event.kind = Kind::Ok;
            if write.exposed {
                let stamp = i64::try_from(self.stamp(write)).expect("of this century");
                event.ext.insert("timestamp".into(), stamp.into());
            }
            timed.push((write.end, event));
        }
        let mut read = event("read", "k", 0);
        read.process = Process::Client(1_000);
        read.ext.insert("final".into(), true.into());
        timed.push((OVER + 10, read.clone()));
        (read.kind, read.value) = (Kind::Ok, json!(self.others.len() + 1));
        timed.push((OVER + 20, read));
        timed.extend(self.notes());
        timed.sort_by_key(|(time, event)| (*time, event.kind != Kind::Invoke));
        let stamped = timed.into_iter().map(|(time, mut event)| {
            event.time = time as u64;
            event
        });
        History::new(stamped.collect()).expect("well formed")
    }

    /// The faults as the nemesis would note them.
    fn notes(&self) -> Vec<(i128, Event)> {
        let faults = self.clocks.iter().enumerate().filter_map(|(at, it)| Some((at, it.fault?)));
        let notes = faults.flat_map(|(node, (from, to, by))| {
            let name = node_name(node);
            let plan = json!({"offsets_ns": {name.clone(): by as i64}});
            let stages = [(from - 3, "inject"), (from + 2, "injected"), (to - 1, "heal")];
            let stages = stages.into_iter().chain([(to + 4, "healed")]);
            stages.map(move |(time, stage)| {
                let mut event = event("clock-jump", "", 0);
                (event.key, event.kind, event.process) = (None, Kind::Info, Process::Nemesis);
                event.value = json!({"id": node, "stage": stage, "nodes": [name], "plan": plan});
                (time.max(0), event)
            })
        });
        notes.collect()
    }
}

impl Write {
    fn random(
        chance: &mut Chance,
        key: &'static str,
        nodes: usize,
        begin: i128,
        long: i128,
    ) -> Self {
        let end = begin + between(chance, 1, long * MS);
        let read = between(chance, begin, end);
        Self { node: chance.below(nodes), begin, end, read, exposed: chance.percent(75), key }
    }
}

fn between(chance: &mut Chance, from: i128, to: i128) -> i128 {
    from + chance.below(usize::try_from(to - from + 1).expect("a range")) as i128
}

fn node_name(node: usize) -> String {
    format!("n{node}")
}

fn event(f: &str, key: &str, value: usize) -> Event {
    Event {
        index: u64::MAX,
        time: 0,
        process: Process::Client(0),
        kind: Kind::Invoke,
        f: f.into(),
        key: Some(key.into()),
        value: if f == "write" { json!(value) } else { Value::Null },
        node: None,
        error: Value::Null,
        ext: Map::new(),
    }
}

/// What the checker said of the loss, by how it came to it.
fn judged(world: &World, anomaly: &Anomaly) -> Result<&'static str, String> {
    let details = &anomaly.details;
    let (kept, lost) = (&world.survivor, &world.lost);
    if details.get("measured_by_writes").is_none() {
        return Ok("not measured");
    }
    let clocks = [kept, lost].map(|write| &world.clocks[write.node]);
    let supposed = world.is_as_supposed(kept.node) && world.is_as_supposed(lost.node);
    let (certainty, cause) = (details["certainty"].as_str(), details["cause"].as_str());
    // Where no write comes after (or before), a step may well go unseen.
    let unseen = details["enclosed"] == false && clocks.iter().any(|it| it.moves().count() > 0);
    if !supposed || unseen {
        return Ok("not as supposed");
    }
    let skew = clocks[0].offset(kept.read) - clocks[1].offset(lost.read);
    if !holds(&details["measured_skew_ns"], skew) {
        return Err(format!("the skew was {skew}"));
    }
    for step in details.get("clock_steps").and_then(Value::as_array).into_iter().flatten() {
        is_real(world, step)?;
    }
    let (kept, lost) = (world.stamp(kept), world.stamp(lost));
    match (certainty, cause) {
        (Some("certain" | "likely"), Some("skew")) if kept > lost => Ok("inverted"),
        (Some("certain" | "likely"), Some("not-lww")) if kept < lost => Ok("in order"),
        (Some("possible"), Some("skew")) => Ok("possible"),
        _ => Err(format!("the survivor was stamped {kept}, the lost write {lost}")),
    }
}

fn is_real(world: &World, step: &Value) -> Result<(), String> {
    let node = (0..world.clocks.len()).find(|at| step["node"] == node_name(*at)).expect("a node");
    let time = |name: &str| i128::from(step[name].as_u64().expect("a time"));
    let within = |it: &(i128, i128)| time("after") <= it.0 && it.0 <= time("before");
    let real: Vec<i128> = world.clocks[node].moves().filter(within).map(|it| it.1).collect();
    match real[..] {
        [] => Err(format!("no such step: {step}")),
        [only] if !holds(&step["by_ns"], only) => Err(format!("a step of {only}: {step}")),
        _ => Ok(()),
    }
}

fn holds(bounds: &Value, truth: i128) -> bool {
    let bound = |at: usize| i128::from(bounds[at].as_i64().expect("a bound"));
    bound(0) <= truth && truth <= bound(1)
}

#[test]
fn every_bound_holds_the_truth() {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    let mut steps = 0;
    let seeds = seeds_of_at_least(120_000);
    let all = seeds.clone().count();
    for seed in seeds {
        let world = World::random(&mut Chance::new(seed));
        let verdict = Lww::default().check(&world.history());
        assert_eq!(verdict.anomalies.len(), 1, "seed {seed}: {verdict:#?}");
        let anomaly = &verdict.anomalies[0];
        let judged = judged(&world, anomaly);
        let judged = judged.unwrap_or_else(|why| panic!("seed {seed}: {why}\n{anomaly:#?}"));
        *counts.entry(judged).or_default() += 1;
        steps += usize::from(anomaly.details.contains_key("clock_steps"));
    }
    println!("{counts:?}, {steps} with steps, of {all}");
    for name in ["inverted", "in order", "possible", "not measured"] {
        let count = counts.get(name).copied().unwrap_or(0);
        assert!(all == 1 || count > all / 25, "too few {name}: {count}");
    }
    assert!(all == 1 || steps > all / 50, "too few steps: {steps}");
}
