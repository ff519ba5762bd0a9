//! `bank`: transfers between accounts keep the sum of all (Jepsen's `bank`).
//!
//! Calls: `transfer` {"from", "to", "amount"}; `read` -> {account: balance, …}, of all accounts at
//! once. Under snapshot isolation every read shows the same total, all the accounts, and no
//! balance below zero where debts are not allowed.

use std::collections::BTreeMap;

use serde_json::json;
use tribunal_history::{History, Operation};

use super::{anomaly, first, no_answer, no_call, who};
use crate::{Anomaly, Checker, Verdict};

/// Judges a bank by what its reads show.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bank {
    /// What all accounts hold together. Where it is not told, what most reads show, since transfers
    /// change nothing about it.
    pub total: Option<i64>,
    /// Whether a balance may be below zero.
    pub debts: bool,
}

const CALLS: &str = "transfer {from, to, amount} and read -> {account: balance}";

/// What a read shows.
struct Read<'h> {
    call: Operation<'h>,
    balances: BTreeMap<&'h str, Option<i64>>,
}

impl Read<'_> {
    fn total(&self) -> i128 {
        self.balances.values().flatten().map(|&balance| i128::from(balance)).sum()
    }
}

impl Checker for Bank {
    fn check(&self, history: &History) -> Verdict {
        let reads = match reads(history) {
            Ok(reads) => reads,
            Err(problem) => return Verdict::objected(problem),
        };
        let total = self.total.map(i128::from).or_else(|| usual(reads.iter().map(Read::total)));
        let accounts = usual(reads.iter().map(|read| read.balances.keys().copied().collect()));
        let accounts: Vec<&str> = accounts.unwrap_or_default();
        let wrong = |judge: &dyn Fn(&Read) -> Option<Anomaly>| {
            first(reads.iter().filter_map(judge).collect())
        };
        let mut anomalies = wrong(&|read| self.wrong_accounts(read, &accounts));
        anomalies.extend(wrong(&|read| self.wrong_total(read, total?)));
        anomalies.extend(wrong(&|read| self.debt(read)));
        let mut verdict = Verdict::of(anomalies)
            .fact("reads", reads.len())
            .fact("accounts", accounts.len())
            .fact("total", json!(total.and_then(|total| i64::try_from(total).ok())));
        if reads.is_empty() {
            verdict.doubt("no read was acknowledged: nothing is known of the balances");
        }
        verdict
    }
}

impl Bank {
    fn wrong_accounts(&self, read: &Read, accounts: &[&str]) -> Option<Anomaly> {
        let lacking = accounts.iter().find(|&name| !read.balances.contains_key(name));
        let odd = read.balances.keys().find(|name| !accounts.contains(name));
        let empty = read.balances.iter().find(|(_, balance)| balance.is_none());
        let what = match (lacking, odd, empty) {
            (Some(name), ..) => format!("without account {name}"),
            (_, Some(name), _) => format!("with an account {name} that other reads do not show"),
            (.., Some((name, _))) => format!("with no balance in account {name}"),
            _ => return None,
        };
        let message = format!("{} read the accounts {what}.", who(&read.call));
        Some(anomaly("wrong-accounts", &[read.call], message))
    }

    fn wrong_total(&self, read: &Read, total: i128) -> Option<Anomaly> {
        let found = read.total();
        let source = if self.total.is_some() { "there are" } else { "most reads show" };
        (found != total).then(|| {
            let shown: Vec<String> = read.balances.iter().map(balance).collect();
            let message = format!(
                "{} read accounts that hold {found} together, where {source} {total}: {}. A transfer \
                 was seen in part.",
                who(&read.call),
                shown.join(", ")
            );
            anomaly("wrong-total", &[read.call], message)
        })
    }

    fn debt(&self, read: &Read) -> Option<Anomaly> {
        let debt = |(_, balance): &(&&str, &Option<i64>)| balance.is_some_and(|it| it < 0);
        let (name, found) = read.balances.iter().find(debt).filter(|_| !self.debts)?;
        let message = format!(
            "{} read a balance of {} in account {name}; no transfer may take more than there is.",
            who(&read.call),
            found.unwrap_or(0)
        );
        Some(anomaly("negative-balance", &[read.call], message))
    }
}

fn balance((name, balance): (&&str, &Option<i64>)) -> String {
    format!("{name} {}", balance.map_or("nothing".to_owned(), |balance| balance.to_string()))
}

/// What occurs most often; of several, the first in their order.
fn usual<T: Ord>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: BTreeMap<T, i64> = BTreeMap::new();
    all.for_each(|it| *counts.entry(it).or_default() += 1);
    counts.into_iter().min_by_key(|&(_, count)| -count).map(|(it, _)| it)
}

fn reads(history: &History) -> Result<Vec<Read<'_>>, String> {
    let mut reads = Vec::new();
    for call in history.operations() {
        match (call.f(), call.result()) {
            ("transfer", _) => {}
            ("read", None) => {}
            ("read", Some(value)) => {
                let wrong = || no_answer(&call, "a bank", CALLS);
                let mut balances = BTreeMap::new();
                for (name, balance) in value.entries().ok_or_else(wrong)? {
                    let whole = balance.as_i64();
                    if whole.is_none() && !balance.is_null() {
                        return Err(wrong());
                    }
                    balances.insert(name, whole);
                }
                reads.push(Read { call, balances });
            }
            _ => return Err(no_call(&call, "a bank", CALLS)),
        }
    }
    Ok(reads)
}
