//! The judge of leaders against brute force: every order of the probes'
//! instants is tried, and each served call is compared with each other.

mod chance;
mod oracle;

use std::collections::BTreeSet;

use chance::Chance;
use oracle::seeds_of_at_least;
use serde_json::{Value, json};
use tribunal_checkers::{Checker, Leader, Validity, Verdict};
use tribunal_history::{Event, History};

/// A probe as the oracle sees it.
#[derive(Clone, Debug, PartialEq)]
struct Probe {
    start: usize,
    end: usize,
    node: String,
    /// The term it leads.
    leads: Option<i64>,
}

#[test]
fn overlaps_agree_with_brute_force() {
    let mut counts = [0_usize; 6];
    for seed in seeds_of_at_least(120_000) {
        let events = random_probes(&mut Chance::new(seed));
        let history = History::new(events.clone()).expect("well formed");
        let verdict = Leader { exclusive: true }.check(&history);
        let probes = probes(&events);
        let context = || format!("seed {seed}\n{}\n{verdict:#?}", lines(&events));
        let shared = shared_terms(&probes);
        assert_eq!(terms(&verdict), shared, "shared terms, {}", context());
        let stretches = stretches(&probes);
        let pairs = overlapping_pairs(&stretches);
        assert_eq!(overlaps(&verdict), pairs, "overlaps, {}", context());
        let explained = explainable(&probes, &stretches);
        if shared.is_empty() {
            assert_eq!(explained, pairs.is_empty(), "pairs are not all there is, {}", context());
        }
        let expected = match (shared.is_empty() && explained, probes.iter().any(leads)) {
            (true, true) => Validity::Valid,
            (true, false) => Validity::Unknown,
            (false, _) => Validity::Invalid,
        };
        assert_eq!(verdict.validity, expected, "{}", context());
        let lenient = Leader { exclusive: false }.check(&history);
        let broken = if shared.is_empty() { expected.min(Validity::Unknown) } else { expected };
        let lenient_expected = if broken == Validity::Unknown && probes.iter().any(leads) {
            Validity::Valid
        } else {
            broken
        };
        assert_eq!(lenient.validity, lenient_expected, "not exclusive, {}", context());
        counts[expected as usize] += 1;
        counts[3] += usize::from(!pairs.is_empty());
        counts[4] += usize::from(!shared.is_empty());
        counts[5] += usize::from(verdict.facts["terms_resumed"] != 0);
    }
    let names = ["valid", "unknown", "invalid", "overlap", "term shared", "term resumed"];
    let all: usize = counts[..3].iter().sum();
    for (name, count) in names.iter().zip(counts) {
        println!("{name}: {count} of {all}");
        let least = if *name == "unknown" { all / 1_200 } else { all / 50 };
        assert!(all == 1 || count > least, "too few {name}: {count}");
    }
}

fn leads(probe: &Probe) -> bool {
    probe.leads.is_some()
}

fn terms(verdict: &Verdict) -> BTreeSet<i64> {
    let of = verdict.anomalies.iter().filter(|anomaly| anomaly.name == "two-leaders-in-one-term");
    of.filter_map(|anomaly| anomaly.details["term"].as_i64()).collect()
}

type Pair = BTreeSet<(String, i64)>;

fn overlaps(verdict: &Verdict) -> BTreeSet<Pair> {
    let of = verdict.anomalies.iter().filter(|anomaly| anomaly.name == "split-brain");
    of.map(|anomaly| {
        let leaders = anomaly.details["leaders"].as_array().expect("leaders");
        let leader = |leader: &Value| {
            let node = leader["node"].as_str().expect("node").to_owned();
            (node, leader["term"].as_i64().expect("term"))
        };
        leaders.iter().map(leader).collect()
    })
    .collect()
}

// The oracle.

fn shared_terms(probes: &[Probe]) -> BTreeSet<i64> {
    let shares = |one: &Probe, other: &Probe| one.leads == other.leads && one.node != other.node;
    let shared = probes.iter().filter(|one| probes.iter().any(|other| shares(one, other)));
    shared.filter_map(|probe| probe.leads).collect()
}

/// The leading probes, together where leadership can be one stretch of time:
/// where nothing else of the same node forbids it.
fn stretches(probes: &[Probe]) -> Vec<Vec<Probe>> {
    let mut whole: Vec<Vec<Probe>> = Vec::new();
    for probe in probes.iter().filter(|probe| leads(probe)) {
        let same = |stretch: &&mut Vec<Probe>| {
            stretch[0].node == probe.node && stretch[0].leads == probe.leads
        };
        match whole.iter_mut().find(same) {
            Some(stretch) => stretch.push(probe.clone()),
            None => whole.push(vec![probe.clone()]),
        }
    }
    let broken = |stretch: &Vec<Probe>| {
        let others = probes
            .iter()
            .filter(|other| other.node == stretch[0].node && other.leads != stretch[0].leads);
        let mut others: Vec<Vec<Probe>> = others.map(|other| vec![other.clone()]).collect();
        others.extend(
            whole
                .iter()
                .filter(|other| {
                    other[0].node == stretch[0].node && other[0].leads != stretch[0].leads
                })
                .cloned(),
        );
        others.iter().any(|other| !separable(&[stretch.clone(), other.clone()]))
    };
    let mut all = Vec::new();
    for stretch in &whole {
        match broken(stretch) {
            true => all.extend(stretch.iter().map(|probe| vec![probe.clone()])),
            false => all.push(stretch.clone()),
        }
    }
    all
}

fn overlapping_pairs(stretches: &[Vec<Probe>]) -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    let name = |stretch: &Vec<Probe>| (stretch[0].node.clone(), stretch[0].leads.expect("leads"));
    for one in stretches {
        for other in stretches {
            let rivals = one[0].node != other[0].node && one[0].leads != other[0].leads;
            if rivals && !separable(&[one.clone(), other.clone()]) {
                pairs.insert([name(one), name(other)].into());
            }
        }
    }
    pairs
}

/// Whether instants exist for all probes such that no stretch has a foreign
/// leading instant, or another answer of its own node, inside.
fn explainable(probes: &[Probe], stretches: &[Vec<Probe>]) -> bool {
    let mut all = stretches.to_vec();
    all.extend(probes.iter().filter(|probe| !leads(probe)).map(|probe| vec![probe.clone()]));
    place(&all, |inside, stretch| {
        let same_node = inside.node == stretch.node;
        // Another stretch of the same term elsewhere is the other test's business.
        if same_node { inside.leads != stretch.leads } else { leads(inside) }
    })
}

fn separable(stretches: &[Vec<Probe>]) -> bool {
    place(stretches, |_, _| true)
}

/// Whether some order of instants keeps all forbidden ones out of each stretch.
fn place(stretches: &[Vec<Probe>], forbidden: impl Fn(&Probe, &Probe) -> bool) -> bool {
    let items: Vec<(usize, &Probe)> = stretches
        .iter()
        .enumerate()
        .flat_map(|(at, stretch)| stretch.iter().map(move |probe| (at, probe)))
        .collect();
    let mut placed = vec![false; items.len()];
    extend(stretches, &items, &mut placed, &forbidden)
}

fn extend(
    stretches: &[Vec<Probe>],
    items: &[(usize, &Probe)],
    placed: &mut Vec<bool>,
    forbidden: &impl Fn(&Probe, &Probe) -> bool,
) -> bool {
    if placed.iter().all(|&placed| placed) {
        return true;
    }
    let count = |stretch: usize, placed: &[bool]| {
        (0..items.len()).filter(|&at| placed[at] && items[at].0 == stretch).count()
    };
    for at in 0..items.len() {
        let (own, probe) = items[at];
        let waits = |&other: &usize| !placed[other] && items[other].1.end < probe.start;
        if placed[at] || (0..items.len()).any(|other| waits(&other)) {
            continue;
        }
        let inside = |&stretch: &usize| {
            let begun = count(stretch, placed);
            stretch != own
                && begun > 0
                && begun < stretches[stretch].len()
                && forbidden(probe, &stretches[stretch][0])
        };
        if (0..stretches.len()).any(|stretch| inside(&stretch)) {
            continue;
        }
        placed[at] = true;
        let found = extend(stretches, items, placed, forbidden);
        placed[at] = false;
        if found {
            return true;
        }
    }
    false
}

fn probes(events: &[Event]) -> Vec<Probe> {
    let mut probes = Vec::new();
    for (end, event) in events.iter().enumerate().filter(|(_, event)| event.value.is_object()) {
        let start = events.iter().position(|begin| begin.process == event.process);
        let leader = event.value["role"] == "leader";
        probes.push(Probe {
            start: start.expect("an invocation"),
            end,
            node: event.value["node"].as_str().expect("node").to_owned(),
            leads: leader.then(|| event.value["term"].as_i64().expect("term")),
        });
    }
    probes.sort_by_key(|probe| probe.start);
    probes
}

// Random probes: terms mostly belong to nodes, and mostly rise.

fn random_probes(chance: &mut Chance) -> Vec<Event> {
    let count = 2 + chance.below(6);
    let width = 1 + chance.below(3);
    let nodes = 2 + chance.below(2);
    let stray = chance.pick(&[0, 0, 5, 15]);
    let follows = chance.pick(&[10, 30, 60]);
    random_events(chance, count, width, |chance, progress| {
        let node = chance.below(nodes);
        let drift = 2 * progress / count.max(1);
        let epoch = (drift + chance.below(2)).min(2);
        let mut term = (epoch * nodes + node) as i64;
        if chance.percent(stray) {
            term = chance.below(4) as i64;
        }
        let role = if chance.percent(follows) { "follower" } else { "leader" };
        ("probe", json!({"node": format!("n{node}"), "role": role, "term": term}), Value::Null)
    })
}

/// Calls begun and ended at random; `answer` decides what each came to.
fn random_events(
    chance: &mut Chance,
    count: usize,
    width: usize,
    mut answer: impl FnMut(&mut Chance, usize) -> (&'static str, Value, Value),
) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let (mut open, mut begun) = (Vec::new(), 0);
    while begun < count || !open.is_empty() {
        let time = 1 + events.len();
        if begun < count && open.len() < width && (open.is_empty() || chance.percent(50)) {
            let (f, value, ext) = answer(chance, begun);
            let event = json!({"time": time, "process": begun, "type": "invoke", "f": f});
            events.push(serde_json::from_value(event).expect("an event"));
            open.push((begun, f, value, ext));
            begun += 1;
            continue;
        }
        let (process, f, value, ext) = open.swap_remove(chance.below(open.len()));
        let mut event = json!({"time": time, "process": process, "type": "ok", "f": f});
        if chance.percent(7) {
            event["type"] = json!("info");
        } else {
            event["value"] = value;
            event["ext"] = if ext.is_null() { json!({}) } else { ext };
        }
        events.push(serde_json::from_value(event).expect("an event"));
    }
    events
}

fn lines(events: &[Event]) -> String {
    events.iter().map(|event| serde_json::to_string(event).expect("json") + "\n").collect()
}

#[test]
fn dual_acknowledgements_agree_with_brute_force() {
    let (mut all, mut invalid, mut stale_reads) = (0_u64, 0_u64, 0_u64);
    for seed in seeds_of_at_least(120_000) {
        all += 1;
        let mut chance = Chance::new(seed);
        let (count, width) = (2 + chance.below(8), 1 + chance.below(4));
        let events = random_events(&mut chance, count, width, |chance, progress| {
            let f = chance.pick(&["write", "write", "read"]);
            let term = progress / 2 + chance.below(3);
            let node = if chance.percent(80) { term % 3 } else { chance.below(3) };
            (f, json!(progress), json!({"node": format!("n{node}"), "term": term}))
        });
        let history = History::new(events.clone()).expect("well formed");
        for exclusive in [false, true] {
            let verdict = Leader { exclusive }.check(&history);
            let expected = duals(&events, exclusive);
            let found: BTreeSet<(String, String, i64)> =
                verdict.anomalies.iter().map(dual).collect();
            let context = || format!("seed {seed}\n{}\n{verdict:#?}", lines(&events));
            assert_eq!(found, expected, "exclusive {exclusive}, {}", context());
            assert_eq!(
                verdict.validity == Validity::Invalid,
                !expected.is_empty(),
                "{}",
                context()
            );
            invalid += u64::from(!exclusive && !expected.is_empty());
            stale_reads += u64::from(expected.iter().any(|(f, _, _)| f == "read"));
        }
    }
    println!("invalid: {invalid} of {all}; with a stale read: {stale_reads}");
    assert!(all == 1 || (all / 50..all * 49 / 50).contains(&invalid), "{invalid} invalid");
    assert!(all == 1 || stale_reads > all / 50, "{stale_reads} stale reads");
}

fn dual(anomaly: &tribunal_checkers::Anomaly) -> (String, String, i64) {
    assert_eq!(anomaly.name, "dual-acknowledgement");
    let older = &anomaly.details["older"];
    let f = if anomaly.message.contains("acknowledged a read") { "read" } else { "write" };
    let node = older["node"].as_str().expect("node").to_owned();
    (f.to_owned(), node, older["term"].as_i64().expect("term"))
}

/// Each served call against each served write, by the definition.
fn duals(events: &[Event], exclusive: bool) -> BTreeSet<(String, String, i64)> {
    let served: Vec<(usize, usize, &Event)> = events
        .iter()
        .enumerate()
        .filter(|(_, event)| !event.ext.is_empty())
        .map(|(end, event)| {
            let start = events.iter().position(|begin| begin.process == event.process);
            (start.expect("an invocation"), end, event)
        })
        .collect();
    let mut duals = BTreeSet::new();
    for (start, _, older) in &served {
        for (_, end, newer) in &served {
            let after =
                *end < *start && &*newer.f == "write" && newer.ext["node"] != older.ext["node"];
            let deposed = newer.ext["term"].as_i64() > older.ext["term"].as_i64();
            if after && deposed && (exclusive || &*older.f == "write") {
                let node = older.ext["node"].as_str().expect("node").to_owned();
                duals.insert((
                    older.f.to_string(),
                    node,
                    older.ext["term"].as_i64().expect("term"),
                ));
            }
        }
    }
    duals
}

/// Indexes, terms and values.
type Log = Vec<(i64, i64, i64)>;

/// Two different entries at one index, by the nodes that showed them.
fn forks(reads: &[(usize, Log)]) -> BTreeSet<(usize, usize)> {
    let mut forks = BTreeSet::new();
    for (one, log) in reads {
        for (other, their) in reads {
            let differ = |a: &(i64, i64, i64), b: &(i64, i64, i64)| a.0 == b.0 && a != b;
            if log.iter().any(|a| their.iter().any(|b| differ(a, b))) {
                forks.insert((*one.min(other), *one.max(other)));
            }
        }
    }
    forks
}

#[test]
fn committed_logs_agree_with_brute_force() {
    let (mut fine, mut forked, mut changed) = (0, 0, 0);
    for seed in seeds_of_at_least(120_000) {
        let mut chance = Chance::new(seed);
        let (mut reads, mut events) = (Vec::new(), Vec::new());
        for at in 0..1 + chance.below(5) {
            let node = chance.below(3);
            let from = chance.below(3) as i64;
            let mut log = Log::new();
            for index in from..from + chance.below(4) as i64 {
                let odd = |chance: &mut Chance| i64::from(chance.percent(6));
                log.push((index, 1 + odd(&mut chance), 10 + index + odd(&mut chance)));
            }
            let name = format!("n{node}");
            let answer = json!({"node": name, "log": log});
            for (kind, value) in [("invoke", Value::Null), ("ok", answer)] {
                let event = json!({"time": events.len(), "process": at, "type": kind, "f": "committed", "value": value});
                events.push(serde_json::from_value(event).expect("an event"));
            }
            reads.push((node, log));
        }
        let history = History::new(events.clone()).expect("well formed");
        let verdict = Leader::default().check(&history);
        let node = |entry: &Value| entry["node"].as_str().expect("a node")[1..].parse().expect("n");
        let found = verdict.anomalies.iter().map(|anomaly| {
            let entries = anomaly.details["entries"].as_array().expect("entries");
            let (one, other): (usize, usize) = (node(&entries[0]), node(&entries[1]));
            let name =
                if one == other { "committed-entry-changed" } else { "committed-logs-differ" };
            assert_eq!(anomaly.name, name);
            (one.min(other), one.max(other))
        });
        let (found, expected) = (found.collect::<BTreeSet<_>>(), forks(&reads));
        assert_eq!(found, expected, "seed {seed}\n{}\n{verdict:#?}", lines(&events));
        fine += usize::from(expected.is_empty());
        forked += usize::from(expected.iter().any(|(one, other)| one != other));
        changed += usize::from(expected.iter().any(|(one, other)| one == other));
    }
    let all = fine + forked;
    println!("committed logs: {fine} fine, {forked} differ, {changed} changed");
    assert!(all < 2 || [fine, forked, changed].iter().all(|&it| it > all / 50), "too few");
}
