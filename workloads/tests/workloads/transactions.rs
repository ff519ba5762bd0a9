//! Transactions on lists, registers and accounts, against a serial database, and one that breaks its word.

use std::collections::BTreeMap;

use serde_json::json;
use tribunal_generator::simulation::{Answer, Attempt};
use tribunal_history::Value;

use crate::{SEEDS, acquitted, against, key_of, on_trial, on_trial_with};

/// Values by key, one transaction after the other. A wrong one reads what was there before the last one.
fn registers() -> impl FnMut(Attempt, bool) -> Answer {
    let mut now: BTreeMap<String, Value> = BTreeMap::new();
    let mut before = now.clone();
    move |attempt, wrong| {
        let steps = attempt.call.value.as_array().expect("micro-operations");
        let then = now.clone();
        let mut done = Vec::new();
        for step in steps {
            let key = step[1].as_str().expect("a key").to_owned();
            match step[0].as_str() {
                Some("r") => {
                    let seen = if wrong { &before } else { &now };
                    done.push(json!(["r", key, seen.get(&key)]));
                }
                Some("append") => {
                    let list = now.entry(key).or_insert_with(|| json!([]));
                    list.as_array_mut().expect("a list").push(step[2].clone());
                    done.push(step.clone());
                }
                _ => {
                    now.insert(key, step[2].clone());
                    done.push(step.clone());
                }
            }
        }
        if now != then {
            before = then;
        }
        Answer::ok(done)
    }
}

#[test]
fn transactions_that_read_the_past_are_convicted() {
    on_trial("list-append", "lost-update", registers);
    on_trial("rw-register", "lost-update", registers);
    on_trial("multi-register", "nonlinearizable", registers);
}

#[test]
fn blind_writes_of_a_serial_database_are_acquitted() {
    for seed in SEEDS.take(3) {
        let (_, verdict) = against("rw-register", json!({"blind": true}), seed, false, registers());
        acquitted(&verdict);
    }
}

#[test]
fn readers_that_go_back_in_time_are_convicted() {
    // Wrong: the very first state, which every session has gone beyond.
    on_trial("causal", "causality-violation", || {
        let mut now: BTreeMap<String, Value> = BTreeMap::new();
        move |attempt, wrong| {
            let step = &attempt.call.value[0];
            let key = step[1].as_str().expect("a key");
            if step[0] == "w" {
                now.insert(key.to_owned(), step[2].clone());
                return Answer::ok(attempt.call.value.clone());
            }
            let seen = now.get(key).filter(|_| !wrong);
            Answer::ok(json!([["r", key, seen]]))
        }
    });
}

#[test]
fn readers_that_disagree_are_convicted() {
    // Wrong: the reader sees the second write of a group alone.
    on_trial("long-fork", "long-fork", || {
        let mut written: Vec<String> = Vec::new();
        move |attempt, wrong| {
            let steps = attempt.call.value.as_array().expect("micro-operations");
            let key = |step: &Value| step[1].as_str().expect("a key").to_owned();
            if steps[0][0] == "w" {
                written.push(key(&steps[0]));
                return Answer::ok(steps.clone());
            }
            let mut found: Vec<String> = written
                .iter()
                .filter(|at| steps.iter().any(|it| key(it) == **at))
                .cloned()
                .collect();
            if wrong && found.len() == 2 {
                found.remove(0);
            }
            let seen = |step: &Value| found.contains(&key(step)).then_some(1);
            Answer::ok(steps.iter().map(|it| json!(["r", it[1], seen(it)])).collect::<Vec<_>>())
        }
    });
}

#[test]
fn a_bank_that_loses_money_is_convicted() {
    on_trial("bank", "wrong-total", || {
        let mut accounts: BTreeMap<String, i64> =
            (0..8).map(|account| (account.to_string(), 10)).collect();
        move |attempt, wrong| {
            let transfer = &attempt.call.value;
            let Some(from) = transfer["from"].as_str() else { return Answer::ok(json!(accounts)) };
            let amount = transfer["amount"].as_i64().expect("a number");
            if accounts[from] < amount {
                return Answer::fail("not enough");
            }
            *accounts.get_mut(from).expect("an account") -= amount;
            if !wrong {
                let to = transfer["to"].as_str().expect("an account");
                *accounts.get_mut(to).expect("an account") += amount;
            }
            Answer::ok(transfer.clone())
        }
    });
}

#[test]
fn inserts_that_miss_each_other_are_convicted() {
    on_trial("write-skew", "G2", || {
        let mut rows: BTreeMap<String, Value> = BTreeMap::new();
        move |attempt, wrong| {
            let key = key_of(attempt);
            if rows.contains_key(&key) && !wrong {
                return Answer::fail("there is a row");
            }
            rows.insert(key, attempt.call.value.clone());
            Answer::ok(attempt.call.value.clone())
        }
    });
}

#[test]
fn counters_that_fall_are_convicted() {
    on_trial_with("monotonic", json!({"keys": 3}), "not-monotonic", || {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        move |attempt, wrong| {
            if let Some(key) = attempt.call.value.as_str() {
                let count = counts.entry(key.to_owned()).or_default();
                *count += 1;
                return Answer::ok(json!({key: count}));
            }
            let keys = attempt.call.value.as_array().expect("keys");
            let count =
                |key: &Value| counts.get(key.as_str().expect("a key")).copied().unwrap_or(0);
            // Wrong: one of the counters as it was.
            let mut late = i64::from(wrong);
            let mut seen = serde_json::Map::new();
            for key in keys {
                let shown = (count(key) - std::mem::take(&mut late)).max(0);
                seen.insert(key.as_str().expect("a key").to_owned(), json!(shown));
            }
            Answer::ok(Value::Object(seen))
        }
    });
}

#[test]
fn sessions_that_see_the_first_state_are_convicted() {
    on_trial("sessions", "monotonic-reads", || {
        let mut now: BTreeMap<String, Value> = BTreeMap::new();
        move |attempt, wrong| {
            let held = now.entry(key_of(attempt)).or_default();
            if !attempt.call.value.is_null() {
                *held = attempt.call.value.clone();
            }
            Answer::ok(if wrong { Value::Null } else { held.clone() })
        }
    });
}
