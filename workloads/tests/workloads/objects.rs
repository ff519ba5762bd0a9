//! Sets, counters, queues, stacks, logs and ids, against their obvious models.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::json;
use tribunal_generator::simulation::{Answer, Attempt};
use tribunal_history::Value;

use crate::{key_of, on_trial};

/// A set forgets what it acknowledged, or holds it.
fn sets() -> impl FnMut(Attempt, bool) -> Answer {
    let mut sets: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    move |attempt, wrong| {
        let set = sets.entry(key_of(attempt)).or_default();
        match attempt.call.value.as_u64() {
            Some(element) => {
                if !wrong {
                    set.insert(element);
                }
                Answer::ok(element)
            }
            None => Answer::ok(json!(set)),
        }
    }
}

#[test]
fn sets_that_forget_are_convicted() {
    on_trial("set", "lost-element", sets);
    on_trial("set-full", "lost-element", sets);
}

#[test]
fn a_set_seen_without_an_earlier_element_is_convicted() {
    // `wrong` hides an element from one read.
    on_trial("causal-reverse", "causal-reverse", || {
        let mut sets: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        move |attempt, wrong| {
            let set = sets.entry(key_of(attempt)).or_default();
            if let Some(element) = attempt.call.value.as_u64() {
                set.insert(element);
                return Answer::ok(element);
            }
            let hidden = set.iter().nth(set.len() / 2).filter(|_| wrong);
            Answer::ok(json!(set.iter().filter(|at| Some(*at) != hidden).collect::<Vec<_>>()))
        }
    });
}

#[test]
fn counters_that_count_twice_are_convicted() {
    on_trial("counter", "nonlinearizable", || {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        move |attempt, wrong| {
            let count = counts.entry(key_of(attempt)).or_default();
            let Some(added) = attempt.call.value.as_u64() else { return Answer::ok(*count) };
            *count += added * (1 + u64::from(wrong));
            Answer::ok(added)
        }
    });
}

/// A queue or a stack. A wrong put is forgotten; a wrong take leaves what it takes.
fn line(put: &'static str, newest_first: bool, loses: bool) -> impl FnMut(Attempt, bool) -> Answer {
    let mut lines: BTreeMap<String, VecDeque<u64>> = BTreeMap::new();
    move |attempt, wrong| {
        let line = lines.entry(key_of(attempt)).or_default();
        if &*attempt.call.f == put {
            let value = attempt.call.value.as_u64().expect("a number");
            if !(wrong && loses) {
                line.push_back(value);
            }
            return Answer::ok(value);
        }
        let taken = if newest_first { line.pop_back() } else { line.pop_front() };
        if let Some(value) = taken
            && wrong
            && !loses
        {
            // It comes again, later.
            if newest_first { line.push_back(value) } else { line.push_front(value) }
        }
        Answer::ok(taken.map_or(Value::Null, Value::from))
    }
}

#[test]
fn queues_that_lose_are_convicted() {
    on_trial("queue", "lost-value", || line("enqueue", false, true));
    on_trial("fifo-queue", "lost-value", || line("enqueue", false, true));
    on_trial("stack", "lost-value", || line("push", true, true));
}

#[test]
fn queues_that_redeliver_are_convicted() {
    on_trial("queue", "duplicated-value", || line("enqueue", false, false));
    on_trial("fifo-queue", "duplicated-value", || line("enqueue", false, false));
    on_trial("stack", "duplicated-value", || line("push", true, false));
}

/// A log, of which each process sees what is new to it. Wrong: one entry is left out of an answer, or it is
/// acknowledged and never there.
fn logs(loses: bool) -> impl FnMut(Attempt, bool) -> Answer {
    let mut logs: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    move |attempt, wrong| {
        let key = key_of(attempt);
        let log = logs.entry(key.clone()).or_default();
        if let Some(value) = attempt.call.value.as_u64() {
            log.push(if wrong && loses { 0 } else { value });
            return Answer::ok(log.len() as u64 - 1);
        }
        let place = places.entry((attempt.process.to_string(), key)).or_default();
        let (from, until) = (*place, log.len());
        *place = until;
        let left_out = (wrong && !loses && until - from > 2).then_some(from + 1);
        // A hole stands for what was lost.
        let entries = (from..until).filter(|at| Some(*at) != left_out && log[*at] != 0);
        Answer::ok(entries.map(|at| json!([at, log[at]])).collect::<Vec<_>>())
    }
}

#[test]
fn logs_that_skip_are_convicted() {
    on_trial("log", "nonlinearizable", || logs(false));
}

#[test]
fn logs_that_lose_are_convicted() {
    on_trial("log", "never-seen", || logs(true));
}

#[test]
fn watches_that_miss_changes_are_convicted() {
    on_trial("watch", "nonlinearizable", || logs(false));
    on_trial("watch", "missed-change", || logs(true));
}

#[test]
fn ids_that_come_twice_are_convicted() {
    on_trial("unique-ids", "nonlinearizable", || {
        let mut last: u64 = 0;
        move |_, wrong| {
            last += u64::from(!wrong);
            Answer::ok(last)
        }
    });
}
