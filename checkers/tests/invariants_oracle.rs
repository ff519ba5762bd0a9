//! The promises that readers count on, against brute force over random small histories: every order of the
//! calls is tried.
//!
//! Half of the histories are those of an honest object, in which then a little is changed.

mod elle;
mod oracle;
mod script;

use std::collections::HashMap;

use oracle::{Draw, Outcome, Slot};
use script::Script;
use serde_json::{Map, Value, json};
use tribunal_checkers::invariants::{Bank, CausalReverse, LongFork, Monotonic, WriteSkew};
use tribunal_checkers::{Checker, Validity, Verdict};
use tribunal_history::History;

/// How many histories had an order and how many had none.
#[derive(Default)]
struct Counts {
    kept: u64,
    broken: u64,
    /// Broken ones that were not found.
    missed: u64,
}

impl Counts {
    /// Notes a verdict; where `must_find`, what has no order must be found.
    #[track_caller]
    fn note(&mut self, verdict: &Verdict, truth: bool, must_find: bool, told: impl Fn() -> String) {
        let found = verdict.validity == Validity::Invalid;
        assert!(!(found && truth), "a false accusation: {}\n{verdict:#?}", told());
        assert!(found || truth || !must_find, "not found: {}\n{verdict:#?}", told());
        for anomaly in &verdict.anomalies {
            assert!(tribunal_checkers::anomalies::is_known(&anomaly.name), "{}", anomaly.name);
        }
        match truth {
            true => self.kept += 1,
            false => self.broken += 1,
        }
        self.missed += u64::from(!found && !truth);
    }

    fn print(&self, name: &str) {
        println!("{name}: {} kept, {} broken, {} missed", self.kept, self.broken, self.missed);
        // One history alone, to replay it, is of one kind.
        let both = self.kept > 0 && self.broken > 0 || self.kept + self.broken < 100;
        assert!(both, "{name}: one kind of history was never drawn");
    }
}

fn end(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Fail => "fail",
        Outcome::Info => "info",
        Outcome::Open => "open",
    }
}

fn may_have_happened(outcome: Outcome) -> bool {
    outcome != Outcome::Fail
}

/// Adds a call; one that is open has no end.
fn add(
    script: &mut Script,
    process: u64,
    slot: Slot,
    call: (&str, Value, Value),
    key: Option<u64>,
) {
    let (f, argument, answer) = call;
    let mut told = json!({"p": process, "f": f, "arg": argument, "end": end(slot.outcome)});
    if slot.outcome == Outcome::Ok {
        told["value"] = answer;
    }
    if let Some(key) = key {
        told["key"] = key.into();
    }
    script.call((slot.start.into(), slot.end.into()), told);
}

/// Every order of what is left, until one fits.
fn some_order(
    left: &mut Vec<usize>,
    done: &mut Vec<usize>,
    fits: &dyn Fn(&[usize]) -> bool,
) -> bool {
    if left.is_empty() {
        return fits(done);
    }
    (0..left.len()).any(|at| {
        let next = left.remove(at);
        done.push(next);
        let found = some_order(left, done, fits);
        done.pop();
        left.insert(at, next);
        found
    })
}

/// A call on counters.
#[derive(Clone, Debug)]
enum Counting {
    /// With the counter, and the count that was answered.
    Inc(usize, Option<i64>),
    Read([Option<i64>; 2]),
}

/// The calls of a session, in its order.
type Session = Vec<(Outcome, Counting)>;

/// Counts of two counters as up to three sessions see them.
fn counting(draw: &mut Draw) -> Vec<Session> {
    let mut held = [0, 0].map(|_: i32| draw.below(3) as i64 - 1);
    let mut sessions = vec![Session::new(); 1 + draw.below(3) as usize];
    let lies = draw.one_in(2);
    for _ in 0..2 + draw.below(6) {
        let session = draw.below(sessions.len() as u64) as usize;
        if sessions[session].last().is_some_and(|(outcome, _)| *outcome == Outcome::Info) {
            continue;
        }
        let outcome = match draw.below(8) {
            0 => Outcome::Info,
            1 => Outcome::Fail,
            _ => Outcome::Ok,
        };
        let lie = |draw: &mut Draw| match lies && draw.one_in(4) {
            true => draw.below(4) as i64 - 2,
            false => 0,
        };
        let call = if draw.one_in(2) {
            let counter = draw.below(2) as usize;
            let happens = outcome == Outcome::Ok || outcome == Outcome::Info && draw.one_in(2);
            held[counter] += i64::from(happens);
            let told =
                (outcome == Outcome::Ok && !draw.one_in(6)).then(|| held[counter] + lie(draw));
            Counting::Inc(counter, told)
        } else {
            let shown = held.map(|number| (!draw.one_in(3)).then(|| number + lie(draw)));
            Counting::Read(if outcome == Outcome::Ok { shown } else { [None; 2] })
        };
        sessions[session].push((outcome, call));
    }
    sessions
}

/// Whether the sessions' calls have one order in which every counter grows by one increment at a time.
fn counts_on(sessions: &[Session], at: &mut Vec<usize>, held: [Option<i64>; 2]) -> bool {
    if at.iter().zip(sessions).all(|(at, session)| *at == session.len()) {
        return true;
    }
    (0..sessions.len()).any(|session| {
        let Some((outcome, call)) = sessions[session].get(at[session]) else { return false };
        at[session] += 1;
        let found =
            after(call, *outcome, held).into_iter().any(|held| counts_on(sessions, at, held));
        at[session] -= 1;
        found
    })
}

/// What the counters may hold after a call; none where it cannot have answered so. What a counter began with
/// nobody knows until it is shown.
fn after(call: &Counting, outcome: Outcome, held: [Option<i64>; 2]) -> Vec<[Option<i64>; 2]> {
    match *call {
        _ if outcome == Outcome::Fail => vec![held],
        Counting::Inc(counter, told) => {
            let mut next = held;
            next[counter] = next[counter].map(|number| number + 1);
            if let Some(told) = told {
                if next[counter].is_some_and(|number| number != told) {
                    return Vec::new();
                }
                next[counter] = Some(told);
            }
            if outcome == Outcome::Ok { vec![next] } else { vec![held, next] }
        }
        Counting::Read(shown) => {
            let fits = held
                .iter()
                .zip(&shown)
                .all(|(held, shown)| held.is_none() || shown.is_none() || held == shown);
            let next = [0, 1].map(|counter| shown[counter].or(held[counter]));
            if fits { vec![next] } else { Vec::new() }
        }
    }
}

#[test]
fn monotonic_agrees_with_every_order() {
    let mut counts = Counts::default();
    for seed in oracle::seeds() {
        let sessions = counting(&mut Draw(seed));
        let mut script = Script::new();
        for (process, session) in (0..).zip(&sessions) {
            for (at, (outcome, call)) in (0..).zip(session) {
                let slot = Slot { start: 10 * at, end: 10 * at + 5, outcome: *outcome };
                let number = |told: &Option<i64>| told.map_or(Value::Null, Value::from);
                let call = match call {
                    Counting::Inc(counter, told) => {
                        let name = ["x", "y"][*counter];
                        let answer = told.map(|told| (name.to_owned(), Value::from(told)));
                        ("inc", json!(name), Value::Object(Map::from_iter(answer)))
                    }
                    Counting::Read([x, y]) => {
                        ("read", json!(["x", "y"]), json!({"x": number(x), "y": number(y)}))
                    }
                };
                add(&mut script, process, slot, call, None);
            }
        }
        let verdict = Monotonic.check(&script.history());
        let truth = counts_on(&sessions, &mut vec![0; sessions.len()], [None; 2]);
        // Whose increment an untold one was is not searched for.
        let untold = |(outcome, call): &(Outcome, Counting)| {
            *outcome != Outcome::Fail && matches!(call, Counting::Inc(_, None))
        };
        let calls = || sessions.iter().flatten();
        let has_incs = calls().any(|(_, call)| matches!(call, Counting::Inc(..)));
        let must_find = has_incs && !calls().any(untold);
        // Where there is none, nobody knows who added what is seen.
        assert!(truth || has_incs || verdict.validity != Validity::Valid, "seed {seed}");
        counts.note(&verdict, truth, must_find, || format!("seed {seed}: {sessions:?}"));
    }
    counts.print("monotonic");
    assert!(counts.missed <= counts.broken / 8 + 10, "{} of {}", counts.missed, counts.broken);
}

/// When calls are made, and by whom; an open one lasts until all are over.
fn slots(draw: &mut Draw, most: u64) -> Vec<Slot> {
    oracle::slots(draw, most, 2)
}

/// Whether a read of a set shows what was there at one moment: some order of the writes, true to real time, begins
/// with just what it shows.
fn is_a_moment(writes: &[Slot], read: Slot, shown: &[usize]) -> bool {
    let distinct = (0..shown.len()).all(|at| !shown[..at].contains(&shown[at]));
    let begun = |&value: &usize| {
        writes.get(value).is_some_and(|it| may_have_happened(it.outcome) && it.start < read.end)
    };
    if !distinct || !shown.iter().all(begun) {
        return false;
    }
    let mut left: Vec<usize> = (0..writes.len())
        .filter(|&at| writes[at].outcome == Outcome::Ok || shown.contains(&at))
        .collect();
    some_order(&mut left, &mut Vec::new(), &|order| {
        let in_time = (0..order.len()).all(|later| {
            let begun = writes[order[later]].start;
            order[later..].iter().all(|&it| writes[it].deadline() > begun || it == order[later])
        });
        in_time && order[..shown.len()].iter().all(|it| shown.contains(it))
    })
}

#[test]
fn causal_reverse_agrees_with_every_order() {
    let mut counts = Counts::default();
    for seed in oracle::seeds() {
        let draw = &mut Draw(seed);
        let slots = slots(draw, 7);
        let (mut script, mut writes, mut reads) = (Script::new(), Vec::new(), Vec::new());
        let mut held: Vec<usize> = Vec::new();
        for (process, slot) in (0..).zip(&slots) {
            if writes.len() < 4 && !draw.one_in(3) {
                let value = writes.len();
                let happens = may_have_happened(slot.outcome);
                if happens && (slot.outcome == Outcome::Ok || draw.one_in(2)) {
                    held.push(value);
                }
                writes.push(*slot);
                add(&mut script, process, *slot, ("write", value.into(), value.into()), None);
                continue;
            }
            let mut shown = held.clone();
            if draw.one_in(3) && !shown.is_empty() {
                shown.remove(draw.below(shown.len() as u64) as usize);
            }
            if draw.one_in(6) {
                shown.push(draw.below(5) as usize);
            }
            if slot.outcome == Outcome::Ok {
                reads.push((*slot, shown.clone()));
            }
            add(&mut script, process, *slot, ("read", Value::Null, json!(shown)), None);
        }
        let verdict = CausalReverse.check(&script.history());
        let truth = reads.iter().all(|(slot, shown)| is_a_moment(&writes, *slot, shown));
        counts.note(&verdict, truth, true, || format!("seed {seed}: {writes:?} {reads:?}"));
        assert_eq!(verdict.validity == Validity::Unknown, reads.is_empty(), "seed {seed}");
    }
    counts.print("causal-reverse");
}

#[test]
fn long_forks_agree_with_every_order() {
    let mut counts = Counts::default();
    for seed in oracle::seeds() {
        let draw = &mut Draw(seed);
        let outcomes = [(); 3].map(|()| match draw.below(8) {
            0 => Outcome::Info,
            1 => Outcome::Fail,
            _ => Outcome::Ok,
        });
        let (mut drawing, mut held, mut reads) = (String::new(), [false; 3], Vec::new());
        // The third write may begin when some of the reads are over.
        let begins = [1, 1, if draw.one_in(3) { 20 } else { 1 }];
        for (process, outcome) in outcomes.iter().enumerate() {
            let (begin, end) = (begins[process], begins[process] + 1);
            let end = match outcome {
                Outcome::Ok => end.to_string(),
                Outcome::Fail => format!("x{end}"),
                _ => "?".to_owned(),
            };
            drawing += &format!("p{process} {begin}-{end} w{}1\n", ["x", "y", "z"][process]);
        }
        for process in 3..5 + draw.below(4) {
            held[draw.below(3) as usize] = true;
            let stale = if draw.one_in(4) { draw.below(3) as usize } else { 3 };
            let lie = if draw.one_in(8) { draw.below(3) as usize } else { 3 };
            let ends = if draw.one_in(2) { 9 } else { 40 };
            let mut shown = [0, 1, 2].map(|key| u64::from(held[key] && key != stale));
            if lie < 3 {
                shown[lie] = 2 * draw.below(2);
            }
            let [x, y, z] = shown.map(|value| ["_", "1", "2"][value as usize]);
            drawing += &format!("p{process} 3-{ends} rx{x} ry{y} rz{z}\n");
            reads.push((ends, shown));
        }
        let could_see = |&(ends, shown): &(usize, [u64; 3])| {
            (0..3).all(|key| match shown[key] {
                0 => true,
                1 => may_have_happened(outcomes[key]) && begins[key] < ends,
                _ => false,
            })
        };
        let in_order = |order: &[usize]| {
            reads.iter().all(|(_, shown)| {
                let count = shown.iter().filter(|&&value| value > 0).count();
                order[..count].iter().all(|&key| shown[key] > 0)
            })
        };
        let truth = reads.iter().all(could_see)
            && some_order(&mut vec![0, 1, 2], &mut Vec::new(), &in_order);
        let verdict = LongFork.check(&elle::draw(&drawing, false));
        counts.note(&verdict, truth, true, || format!("seed {seed}: {drawing}"));
    }
    counts.print("long-fork");
}

/// Whether some order of the inserts has every acknowledged one find no row.
fn all_found_nothing(outcomes: &[Outcome]) -> bool {
    let mut left: Vec<usize> = (0..outcomes.len()).collect();
    some_order(&mut left, &mut Vec::new(), &|order| {
        let mut rows = 0;
        // One of unknown outcome need not have happened.
        order.iter().filter(|&&at| outcomes[at] == Outcome::Ok).all(|_| {
            rows += 1;
            rows == 1
        })
    })
}

#[test]
fn write_skew_agrees_with_every_order() {
    let mut counts = Counts::default();
    for seed in oracle::seeds() {
        let draw = &mut Draw(seed);
        let mut script = Script::new();
        let mut keys: HashMap<u64, Vec<Outcome>> = HashMap::new();
        for (process, mut slot) in (0..).zip(slots(draw, 6)) {
            if slot.outcome == Outcome::Ok && draw.one_in(2) {
                slot.outcome = Outcome::Fail;
            }
            let key = draw.below(3);
            let row = if draw.one_in(2) { json!([process, null]) } else { json!([null, process]) };
            add(&mut script, process, slot, ("insert", row.clone(), row), Some(key));
            keys.entry(key).or_default().push(slot.outcome);
        }
        let truth = keys.values().all(|outcomes| all_found_nothing(outcomes));
        let verdict = WriteSkew.check(&script.history());
        counts.note(&verdict, truth, true, || format!("seed {seed}: {keys:?}"));
    }
    counts.print("write-skew");
}

/// A call on a bank of two accounts.
#[derive(Clone, Debug)]
enum Banking {
    /// From the first account to the second if it is above zero.
    Transfer(i64),
    Read(Vec<i64>),
}

/// Whether some order of the calls explains every read, beginning with so much in the first account.
fn banks_on(calls: &[(Outcome, Banking)], first: i64, total: i64) -> bool {
    let mut left: Vec<usize> =
        (0..calls.len()).filter(|&at| matches!(calls[at].0, Outcome::Ok | Outcome::Info)).collect();
    some_order(&mut left, &mut Vec::new(), &|order| {
        let mut may_hold = vec![first];
        for &at in order {
            match &calls[at] {
                (outcome, Banking::Transfer(amount)) => {
                    let maybe =
                        if *outcome == Outcome::Info { may_hold.clone() } else { Vec::new() };
                    may_hold.iter_mut().for_each(|held| *held -= amount);
                    may_hold.extend(maybe);
                    may_hold.retain(|held| (0..=total).contains(held));
                }
                (Outcome::Ok, Banking::Read(shown)) => {
                    may_hold.retain(|&held| *shown == [held, total - held]);
                }
                _ => {}
            }
        }
        !may_hold.is_empty()
    })
}

/// A bank's checker asks of each read alone whether it can be: it never accuses one that some order explains.
#[test]
fn a_bank_is_never_accused_falsely() {
    const TOTAL: i64 = 6;
    let mut counts = Counts::default();
    for seed in oracle::few_seeds() {
        let draw = &mut Draw(seed);
        let lies = draw.one_in(2);
        let mut held = 3;
        let mut calls = Vec::new();
        for _ in 0..2 + draw.below(4) {
            let outcome = match draw.below(8) {
                0 => Outcome::Info,
                1 => Outcome::Fail,
                _ => Outcome::Ok,
            };
            let amount = draw.below(5) as i64 - 2;
            let call = if draw.one_in(2) && (0..=TOTAL).contains(&(held - amount)) {
                let happens = outcome == Outcome::Ok || outcome == Outcome::Info && draw.one_in(2);
                held -= if happens { amount } else { 0 };
                Banking::Transfer(amount)
            } else {
                let mut shown = vec![held, TOTAL - held];
                match draw.below(8) {
                    0 if lies => shown[1] += 1,
                    1 if lies => shown = vec![-1, TOTAL + 1],
                    2 if lies => shown.truncate(1),
                    3 if lies => shown.clear(),
                    _ => {}
                }
                Banking::Read(shown)
            };
            calls.push((outcome, call));
        }
        let history = bank(&calls);
        let truth = (0..=TOTAL).any(|first| banks_on(&calls, first, TOTAL));
        for total in [Some(TOTAL), None] {
            let checker = Bank { total, debts: false };
            let verdict = checker.check(&history);
            // Balances that no transfer leads to are not looked for, nor what the only read lacks.
            counts.note(&verdict, truth, false, || format!("seed {seed}: {calls:?}"));
        }
    }
    counts.print("bank");
}

fn bank(calls: &[(Outcome, Banking)]) -> History {
    let mut script = Script::new();
    for (at, (outcome, call)) in (0..).zip(calls) {
        let slot = Slot { start: 10 * at, end: 10 * at + 5, outcome: *outcome };
        let call = match call {
            Banking::Transfer(amount) => {
                let [from, to] = if *amount < 0 { ["b", "a"] } else { ["a", "b"] };
                let moved = json!({"from": from, "to": to, "amount": amount.abs()});
                ("transfer", moved.clone(), moved)
            }
            Banking::Read(shown) => {
                let balances = ["a", "b"].map(str::to_owned).into_iter().zip(shown.iter().copied());
                let balances = balances.map(|(name, balance)| (name, Value::from(balance)));
                ("read", Value::Null, Value::Object(balances.collect()))
            }
        };
        add(&mut script, at.into(), slot, call, None);
    }
    script.history()
}
