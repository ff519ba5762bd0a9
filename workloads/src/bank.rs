//! `bank`: do transfers between accounts keep the sum of all?
//!
//! Clients move money between accounts and read all of them at once (Jepsen's
//! `bank`). Under snapshot isolation every read shows the same total.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `transfer` | {"from": a, "to": b, "amount": n} | it is moved; `fail`: `from` has not got it |
//! | `read` | null | {a: balance, …}, of all accounts |
//!
//! Accounts are `"0"` to `"7"`, each begins with `balance`: the client's `setup`
//! makes them, or the database does. Balances stay at zero or above.
//!
//! Finds money that is lost or made, torn reads, debts.
//!
//! | option | default | |
//! |---|---|---|
//! | `accounts` | 8 | how many |
//! | `balance` | 10 | what each begins with |
//! | `most` | 5 | the largest amount that is moved |
//! | `transfer`, `read` | 1, 1 | how often each is called, relative to each other |
//! | `debts` | false | whether balances may fall below zero |

use std::time::Duration;

use serde_json::json;
use tribunal_checkers::invariants::Bank;
use tribunal_checkers::{Compose, Statistics};
use tribunal_generator::{Boxed, Chain, Seed, each_node, repeat, repeat_with};
use tribunal_history::{Call, Map, Value};

use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "transfers that lose or make money",
    source: include_str!("bank.rs"),
    build,
    checker,
};

const NAME: &str = "bank";

struct Choice {
    accounts: u64,
    balance: u64,
    most: u64,
    /// Of transfer and read.
    weights: [u64; 2],
    debts: bool,
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let accounts = options.number("accounts", 8, 2..=1000)?;
    let balance = options.number("balance", 10, 0..=1_000_000_000)?;
    let most = options.number("most", 5, 1..=1_000_000_000)?;
    let weights = options.weights([("transfer", 1), ("read", 1)])?;
    let debts = options.flag("debts", false)?;
    options.done()?;
    Ok(Choice { accounts, balance, most, weights, debts })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let choice = choose(&setting.options)?;
    let generator = repeat_with(load(setting.seed, &choice)).boxed();
    let required = vec![("transfer".into(), 10), ("read".into(), 10)];
    let last = Some(last_reads());
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

fn load(seed: Seed, choice: &Choice) -> impl FnMut() -> Call + Send + 'static {
    let &Choice { accounts, most, weights: [transfer, read], .. } = choice;
    let mut rng = seed.stream(NAME);
    move || {
        if rng.below(transfer + read) >= transfer {
            return Call::new("read");
        }
        let from = rng.below(accounts);
        // Another one: as many steps on, around the circle.
        let to = (from + rng.between(1, accounts - 1)) % accounts;
        let amount = rng.between(1, most);
        let (from, to) = (from.to_string(), to.to_string());
        Call::new("transfer").value(json!({"from": from, "to": to, "amount": amount}))
    }
}

/// All accounts on every node, until it is ok.
fn last_reads() -> Boxed {
    each_node(|_node| {
        let read = Call::new("read").mark("final", true);
        repeat(read).delay(Duration::from_millis(200)).limit(10).until_ok().boxed()
    })
    .boxed()
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    let Choice { accounts, balance, debts, .. } = choose(given)?;
    let bank = Bank { total: Some((accounts * balance) as i64), debts };
    Ok(Compose::new().with(NAME, bank).with("statistics", Statistics))
}
