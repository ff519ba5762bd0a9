//! The judge of last-write-wins registers against brute force: every order of
//! the writes is tried, and instants are placed in it one by one.

mod chance;
mod oracle;

use std::collections::BTreeSet;

use chance::Chance;
use oracle::seeds_of_at_least;
use serde_json::{Value, json};
use tribunal_checkers::{Checker, Lww, Validity};
use tribunal_history::{Event, History, Kind};

/// What brute force says of a key.
#[derive(Debug, Default, PartialEq)]
struct Opinion {
    judged: bool,
    strays: bool,
    diverged: bool,
    explained: bool,
    /// Starts of the lost writes, and of those that no lost one came after.
    lost: BTreeSet<u64>,
    definite: BTreeSet<u64>,
    causes: Vec<(u64, &'static str)>,
}

/// A call as the oracle sees it: plain positions in the list of events.
#[derive(Clone, Debug)]
struct Seen {
    f: String,
    start: usize,
    end: usize,
    kind: Kind,
    value: Value,
    last: bool,
    stamp: Option<i64>,
}

#[test]
fn agrees_with_brute_force() {
    let mut counts = [0_usize; 6];
    for seed in seeds_of_at_least(120_000) {
        let events = random_events(&mut Chance::new(seed));
        let history = History::new(events.clone()).expect("well formed");
        let verdict = Lww::default().check(&history);
        let opinions: Vec<(Value, Opinion)> =
            keys(&events).into_iter().map(|key| (key.clone(), opinion(&events, &key))).collect();
        let expected = validity(opinions.iter().map(|(_, opinion)| opinion));
        let context = || format!("seed {seed}\n{}\n{verdict:#?}\n{opinions:#?}", lines(&events));
        assert_eq!(verdict.validity, expected, "{}", context());
        for (key, opinion) in &opinions {
            let found = found(&verdict.anomalies, key);
            assert_eq!(found.0, opinion.lost, "lost, key {key}, {}", context());
            assert_eq!(found.1, opinion.definite, "definite, key {key}, {}", context());
            assert_eq!(found.2, opinion.diverged, "diverged, key {key}, {}", context());
            assert_eq!(found.3, opinion.strays, "strays, key {key}, {}", context());
            if !opinion.diverged {
                // Of several survivors the checker may hold either against a lost write.
                assert_eq!(found.4, opinion.causes, "causes, key {key}, {}", context());
            }
            assert_eq!(
                opinion.judged && !opinion.explained,
                !opinion.lost.is_empty() || opinion.diverged,
                "the pairs do not say what all orders say, {}",
                context()
            );
        }
        counts[expected as usize] += 1;
        counts[3] += usize::from(opinions.iter().any(|(_, opinion)| !opinion.lost.is_empty()));
        counts[4] += usize::from(opinions.iter().any(|(_, opinion)| opinion.diverged));
        counts[5] += usize::from(opinions.iter().any(|(_, o)| o.definite.len() < o.lost.len()));
    }
    let names = ["valid", "unknown", "invalid", "with a lost write", "diverged", "superseded"];
    let all: usize = counts[..3].iter().sum();
    for (name, count) in names.iter().zip(counts) {
        println!("{name}: {count} of {all}");
        assert!(all == 1 || count > all / 50, "too few {name}: {count}");
    }
}

fn validity<'a>(opinions: impl Iterator<Item = &'a Opinion> + Clone) -> Validity {
    let guilty = |o: &Opinion| o.strays || (o.judged && !o.explained);
    // Of so few keys none may stay in the dark.
    let judged = opinions.clone().count() > 0 && opinions.clone().all(|opinion| opinion.judged);
    match (opinions.clone().any(guilty), judged) {
        (true, _) => Validity::Invalid,
        (false, true) => Validity::Valid,
        (false, false) => Validity::Unknown,
    }
}

type Found = (BTreeSet<u64>, BTreeSet<u64>, bool, bool, Vec<(u64, &'static str)>);

fn found(anomalies: &[tribunal_checkers::Anomaly], key: &Value) -> Found {
    let mut found = Found::default();
    for anomaly in anomalies.iter().filter(|anomaly| anomaly.key.as_ref() == Some(key)) {
        match anomaly.name.as_str() {
            "lost-write" => {
                let op = anomaly.details["lost"]["op"].as_u64().expect("op");
                found.0.insert(op);
                found.1.insert(op);
                let causes = ["skew", "tie", "not-lww", "undetermined"];
                let cause = causes.into_iter().find(|name| anomaly.details["cause"] == *name);
                found.4.push((op, cause.expect("a cause")));
                let superseded = anomaly.details.get("superseded").and_then(Value::as_array);
                found.0.extend(superseded.into_iter().flatten().filter_map(Value::as_u64));
            }
            "diverged" => found.2 = true,
            "thin-air-read" | "aborted-read" => found.3 = true,
            other => panic!("unexpected anomaly {other}"),
        }
    }
    found
}

// The oracle. It shares nothing with the checker but the wording of the promise.

fn opinion(events: &[Event], key: &Value) -> Opinion {
    let calls = seen(events, key);
    let of = |f: &'static str| calls.iter().filter(move |call| call.f == f);
    let writes: Vec<&Seen> = of("write").filter(|write| write.kind != Kind::Fail).collect();
    let mut opinion = Opinion::default();
    let mut reads: Vec<&Seen> = Vec::new();
    for read in of("read").filter(|read| read.kind == Kind::Ok) {
        let possible = read.value.is_null()
            || writes.iter().any(|write| write.value == read.value && write.start < read.end);
        if possible { reads.push(read) } else { opinion.strays = true }
    }
    let finals: Vec<&Seen> = reads.iter().copied().filter(|read| read.last).collect();
    let Some(quiet) = finals.iter().map(|read| read.start).min() else { return opinion };
    let deadlines = |write: &Seen| {
        let mut deadlines: Vec<usize> =
            reads.iter().filter(|read| read.value == write.value).map(|read| read.end).collect();
        deadlines.extend((write.kind == Kind::Ok).then_some(write.end));
        deadlines
    };
    let items: Vec<(&Seen, Vec<usize>)> = writes.iter().map(|w| (*w, deadlines(w))).collect();
    let settled: Vec<&(&Seen, Vec<usize>)> =
        items.iter().filter(|(_, deadlines)| deadlines.iter().any(|&at| at < quiet)).collect();
    let mut values: Vec<Option<&(&Seen, Vec<usize>)>> = Vec::new();
    for read in &finals {
        let item = settled.iter().copied().find(|(write, _)| write.value == read.value);
        let known =
            values.iter().any(|value| value.map(|(w, _)| w.start) == item.map(|(w, _)| w.start));
        if (item.is_some() || read.value.is_null()) && !known {
            values.push(item);
        }
    }
    if values.is_empty() {
        return opinion;
    }
    opinion.judged = true;
    opinion.diverged = values.len() > 1;
    let required: Vec<bool> =
        settled.iter().map(|(write, _)| write.kind == Kind::Ok && write.end < quiet).collect();
    opinion.explained = values.len() == 1 && explains(&settled, &required, values[0]);
    for (at, item) in settled.iter().enumerate().filter(|&(at, _)| required[at]) {
        let survives = |value: &Option<&(&Seen, Vec<usize>)>| match value {
            None => false,
            Some(kept) if kept.0.start == item.0.start => true,
            Some(kept) => explains(&[kept, item], &[true, true], Some(kept)),
        };
        if !values.iter().any(survives) {
            opinion.lost.insert(settled[at].0.start as u64);
        }
    }
    let lost: Vec<_> =
        settled.iter().filter(|item| opinion.lost.contains(&(item.0.start as u64))).collect();
    for item in &lost {
        let must_follow = |other: &&&&(&Seen, Vec<usize>)| {
            other.0.start != item.0.start && !explains(&[item, other], &[true, true], Some(item))
        };
        if lost.iter().filter(must_follow).count() == 0 {
            opinion.definite.insert(item.0.start as u64);
        }
    }
    opinion.causes = causes(&lost, &opinion.definite, values[0]);
    opinion
}

fn causes(
    lost: &[&&(&Seen, Vec<usize>)],
    definite: &BTreeSet<u64>,
    kept: Option<&(&Seen, Vec<usize>)>,
) -> Vec<(u64, &'static str)> {
    let cause = |write: &Seen| match (kept, kept.and_then(|kept| kept.0.stamp), write.stamp) {
        (None, _, _) => "not-lww",
        (_, Some(kept), Some(lost)) if kept > lost => "skew",
        (_, Some(kept), Some(lost)) if kept == lost => "tie",
        (_, Some(_), Some(_)) => "not-lww",
        _ => "undetermined",
    };
    let definite = lost.iter().filter(|item| definite.contains(&(item.0.start as u64)));
    definite.map(|item| (item.0.start as u64, cause(item.0))).collect()
}

/// Whether some order of all required and some optional writes, with an instant
/// for each within its time, ends with `last`.
fn explains(
    items: &[&(&Seen, Vec<usize>)],
    required: &[bool],
    last: Option<&(&Seen, Vec<usize>)>,
) -> bool {
    fn place(
        items: &[&(&Seen, Vec<usize>)],
        required: &[bool],
        last: Option<usize>,
        placed: &mut Vec<usize>,
        now: usize,
    ) -> bool {
        let complete = (0..items.len()).all(|at| !required[at] || placed.contains(&at));
        let ends = placed.last().map(|&at| items[at].0.start);
        if complete && ends == last {
            return true;
        }
        (0..items.len()).any(|at| {
            let (write, deadlines) = items[at];
            // Any number of instants fit between two events.
            let instant = now.max(write.start);
            if placed.contains(&at) || deadlines.iter().any(|&deadline| deadline <= instant) {
                return false;
            }
            placed.push(at);
            let found = place(items, required, last, placed, instant);
            placed.pop();
            found
        })
    }
    place(items, required, last.map(|item| item.0.start), &mut Vec::new(), 0)
}

fn seen(events: &[Event], key: &Value) -> Vec<Seen> {
    let mut calls = Vec::new();
    for (start, event) in events.iter().enumerate() {
        if event.kind != Kind::Invoke || event.key.as_ref() != Some(key) {
            continue;
        }
        let ends = |other: &(usize, &Event)| other.0 > start && other.1.process == event.process;
        let end = events.iter().enumerate().find(ends);
        let kind = end.map_or(Kind::Info, |(_, event)| event.kind);
        let answer = end.filter(|_| &*event.f == "read").map(|(_, event)| event.value.clone());
        calls.push(Seen {
            f: event.f.to_string(),
            start,
            end: end.map_or(usize::MAX, |(at, _)| at),
            kind,
            value: answer.unwrap_or_else(|| event.value.clone()),
            last: event.ext.contains_key("final"),
            stamp: end.and_then(|(_, event)| event.ext.get("timestamp")?.as_i64()),
        });
    }
    calls
}

fn keys(events: &[Event]) -> Vec<Value> {
    let keys: BTreeSet<i64> = events.iter().filter_map(|e| e.key.as_ref()?.as_i64()).collect();
    keys.into_iter().map(Value::from).collect()
}

// Random histories.

fn random_events(chance: &mut Chance) -> Vec<Event> {
    let keys = 1 + chance.below(2) as i64;
    let mut events = Vec::new();
    let mut next = 1;
    let width = 1 + chance.below(4);
    let count = 2 + chance.below(6);
    phase(chance, &mut events, width, count, |chance| {
        let key = chance.below(keys as usize) as i64;
        let is_write = chance.percent(70);
        // Now and then a final read comes too early, and writes overlap it.
        let is_final = !is_write && chance.percent(5);
        let value = is_write.then(|| {
            next += 1;
            next
        });
        (key, value, is_final)
    });
    let quiet = chance.percent(90);
    let agreed: Vec<Value> = (0..keys).map(|key| pick_value(chance, &events, key)).collect();
    let width = 1 + chance.below(2);
    let count = chance.below(2 + 2 * keys as usize);
    let from = events.len();
    phase(chance, &mut events, width, count, |chance| {
        (chance.below(keys as usize) as i64, None, quiet || chance.percent(80))
    });
    for event in events.iter_mut().skip(from) {
        if event.kind == Kind::Ok && chance.percent(85) {
            let key = event.key.as_ref().and_then(Value::as_i64).expect("a key");
            event.value = agreed[key as usize].clone();
        }
    }
    for (time, event) in events.iter_mut().enumerate() {
        event.time = 1 + time as u64;
    }
    events
}

/// Begins and ends calls at random, at most `width` at once.
fn phase(
    chance: &mut Chance,
    events: &mut Vec<Event>,
    width: usize,
    count: usize,
    mut call: impl FnMut(&mut Chance) -> (i64, Option<i64>, bool),
) {
    let (mut open, mut begun) = (Vec::new(), 0);
    while begun < count || !open.is_empty() {
        if begun < count && open.len() < width && (open.is_empty() || chance.percent(55)) {
            let event = invocation(events.len() as u64, call(chance));
            open.push(event.clone());
            events.push(event);
            begun += 1;
            continue;
        }
        let mut event = open.swap_remove(chance.below(open.len()));
        let is_write = &*event.f == "write";
        event.kind = match chance.below(10) {
            0 if is_write => Kind::Fail,
            0..=2 if is_write => Kind::Info,
            0 => Kind::Info,
            _ => Kind::Ok,
        };
        if event.kind == Kind::Ok && !is_write {
            let key = event.key.as_ref().and_then(Value::as_i64).expect("a key");
            event.value = pick_value(chance, events, key);
        }
        if event.kind == Kind::Ok && is_write && chance.percent(80) {
            event.ext.insert("timestamp".into(), json!(chance.below(4)));
        }
        // An info may also be the end of the history.
        if event.kind != Kind::Info || chance.percent(70) {
            events.push(event);
        }
    }
}

fn invocation(process: u64, (key, value, is_final): (i64, Option<i64>, bool)) -> Event {
    let f = if value.is_some() { "write" } else { "read" };
    let mut event = json!({"time": 0, "process": process, "type": "invoke", "f": f, "key": key});
    event["value"] = json!(value);
    if is_final {
        event["ext"] = json!({"final": true});
    }
    serde_json::from_value(event).expect("an event")
}

/// Nothing, or one of the values written so far; seldom, one that was not.
fn pick_value(chance: &mut Chance, events: &[Event], key: i64) -> Value {
    let of_key = |event: &&Event| event.key == Some(json!(key)) && &*event.f == "write";
    let begun = events.iter().filter(of_key).filter(|event| event.kind == Kind::Invoke);
    let gone = |value: &Value| {
        events.iter().any(|event| event.kind == Kind::Fail && event.value == *value)
    };
    let mut values: Vec<Value> =
        begun.map(|event| event.value.clone()).filter(|value| !gone(value)).collect();
    values.extend(values.last().cloned());
    if values.is_empty() || chance.percent(12) {
        values.push(Value::Null);
    }
    if chance.percent(1) {
        values.push(json!(1 + chance.below(8)));
    }
    chance.pick(&values)
}

fn lines(events: &[Event]) -> String {
    events.iter().map(|event| serde_json::to_string(event).expect("json") + "\n").collect()
}
