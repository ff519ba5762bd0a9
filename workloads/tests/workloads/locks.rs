//! Locks, semaphores and leases, against a server that grants what is held.

use std::collections::BTreeMap;

use serde_json::json;
use tribunal_generator::simulation::{Answer, Attempt};
use tribunal_history::Value;

use crate::{key_of, on_trial, on_trial_with};

/// What a server of locks knows of one.
#[derive(Default)]
struct Lock {
    holders: Vec<String>,
    token: u64,
    /// The highest token that the store beside it has seen.
    seen: u64,
    value: Value,
}

/// Locks of so many permits. A wrong grant does not look who holds it.
fn locks(permits: usize) -> impl FnMut(Attempt, bool) -> Answer {
    let mut locks: BTreeMap<String, Lock> = BTreeMap::new();
    move |attempt, wrong| {
        let lock = locks.entry(key_of(attempt)).or_default();
        let who = attempt.process.to_string();
        if &*attempt.call.f == "acquire" {
            if lock.holders.len() >= permits && !wrong {
                return Answer::ok(false);
            }
            lock.holders.push(who);
            lock.token += 1;
            return Answer::ok(json!({"token": lock.token}));
        }
        match lock.holders.iter().position(|holder| *holder == who) {
            Some(at) => {
                lock.holders.remove(at);
                Answer::ok(Value::Null)
            }
            None => Answer::fail("not the holder"),
        }
    }
}

#[test]
fn locks_with_two_holders_are_convicted() {
    on_trial("lock", "nonlinearizable", || locks(1));
    on_trial("fenced-lock", "nonlinearizable", || locks(1));
    on_trial("semaphore", "nonlinearizable", || locks(2));
}

/// Leases of 400 ms, which nobody renews in time once they are wrong.
fn leases() -> impl FnMut(Attempt, bool) -> Answer {
    const TTL: u64 = 400_000_000;
    let mut leases: BTreeMap<String, (String, u64, u64)> = BTreeMap::new();
    let mut tokens = 0;
    move |attempt, wrong| {
        let now = attempt.time;
        let who = attempt.process.to_string();
        let (holder, until, token) = leases.entry(key_of(attempt)).or_default();
        let held = *until > now && !wrong;
        let granted = |token: u64| Answer::ok(json!({"ttl_ms": TTL / 1_000_000, "token": token}));
        match &*attempt.call.f {
            "acquire" if held => Answer::ok(false),
            "acquire" => {
                tokens += 1;
                (*holder, *until, *token) = (who, now + TTL, tokens);
                granted(tokens)
            }
            _ if *holder != who || *until <= now => Answer::ok(false),
            "renew" => {
                *until = now + TTL;
                granted(*token)
            }
            _ => {
                *until = now;
                Answer::ok(Value::Null)
            }
        }
    }
}

#[test]
fn leases_with_two_holders_are_convicted() {
    on_trial("lease", "lease-overlap", leases);
}

#[test]
fn stores_that_take_an_old_token_are_convicted() {
    // The lock is a lease of 300 ms that a holder does not watch.
    const TTL: u64 = 300_000_000;
    // Many locks, so that many are held, and written under too late.
    let many = json!({"keys": 8});
    on_trial_with("fenced-store", many, "nonlinearizable", || {
        let mut locks: BTreeMap<String, (Lock, u64)> = BTreeMap::new();
        move |attempt, wrong| {
            let (lock, until) = locks.entry(key_of(attempt)).or_default();
            let told = &attempt.call.value;
            match &*attempt.call.f {
                "acquire" if *until > attempt.time => Answer::ok(false),
                "acquire" => {
                    lock.token += 1;
                    *until = attempt.time + TTL;
                    Answer::ok(json!({"token": lock.token}))
                }
                "write" => {
                    let token = told["token"].as_u64().expect("a token");
                    if token < lock.seen && !wrong {
                        return Answer::ok(false);
                    }
                    lock.seen = lock.seen.max(token);
                    lock.value = told["value"].clone();
                    Answer::ok(told.clone())
                }
                "read" => Answer::ok(lock.value.clone()),
                _ => {
                    if told["token"] == lock.token {
                        *until = attempt.time;
                    }
                    Answer::ok(Value::Null)
                }
            }
        }
    });
}
