//! `bank`: transfers between accounts keep the sum of all (Jepsen's `bank`).
//!
//! Calls: `transfer` {"from", "to", "amount"}; `read` -> {account: balance, …}, of all accounts at
//! once. Under snapshot isolation every read shows the same total, all the accounts, and no
//! balance below zero where debts are not allowed. No amount is below zero.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::json;
use tribunal_history::{History, Operation, ValueRef};

use super::{anomaly, first, no_answer, no_argument, no_call, who};
use crate::{Anomaly, Checker, Verdict};

/// Judges a bank by what its reads show.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bank {
    /// What all accounts hold together. Where it is not told, what most reads show, or of several
    /// the first, since transfers change nothing about it.
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
        let total = self.total(&reads);
        let shown = reads.iter().map(|read| read.balances.keys().copied().collect::<Vec<&str>>());
        let accounts = usual(shown.filter(|accounts| !accounts.is_empty()));
        let accounts = accounts.map_or(Vec::new(), |(accounts, _)| accounts);
        let wrong = |judge: &dyn Fn(&Read) -> Option<Anomaly>| {
            first(reads.iter().filter_map(judge).collect())
        };
        let mut anomalies = wrong(&|read| self.wrong_accounts(read, &accounts));
        anomalies.extend(wrong(&|read| wrong_total(read, total.as_ref()?)));
        anomalies.extend(wrong(&|read| self.debt(read)));
        let mut verdict = Verdict::of(anomalies)
            .fact("reads", reads.len())
            .fact("accounts", accounts.len())
            .fact("total", json!(total.and_then(|total| i64::try_from(total.amount).ok())));
        if reads.is_empty() {
            verdict.doubt("no read was acknowledged: nothing is known of the balances");
        } else if accounts.is_empty() {
            verdict.doubt("no read showed an account: nothing is known of the balances");
        }
        verdict
    }
}

/// What all accounts hold together, and how that is known.
struct Total<'r> {
    amount: i128,
    known_from: Source<'r>,
}

enum Source<'r> {
    /// It was told.
    Told,
    /// More than half of the reads show it.
    Most,
    /// This read shows it, and no other total is shown by more reads.
    One(&'r Read<'r>),
}

impl Bank {
    fn total<'r>(&self, reads: &'r [Read]) -> Option<Total<'r>> {
        if let Some(total) = self.total {
            return Some(Total { amount: total.into(), known_from: Source::Told });
        }
        let (amount, count) = usual(reads.iter().map(Read::total))?;
        let known_from = match reads.iter().find(|read| read.total() == amount) {
            Some(first) if count * 2 <= reads.len() => Source::One(first),
            _ => Source::Most,
        };
        Some(Total { amount, known_from })
    }

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

fn wrong_total(read: &Read, total: &Total) -> Option<Anomaly> {
    let (found, amount) = (read.total(), total.amount);
    if found == amount {
        return None;
    }
    let shown = read.balances.iter().map(balance).collect::<Vec<_>>().join(", ");
    let reader = who(&read.call);
    let held = format!("{reader} read accounts that hold {found} together");
    Some(match total.known_from {
        Source::Told => {
            let message =
                format!("{held}, where there are {amount}: {shown}. A transfer was seen in part.");
            anomaly("wrong-total", &[read.call], message)
        }
        Source::Most => {
            let message = format!(
                "{held}, where most reads show {amount}: {shown}. A transfer was seen in part."
            );
            anomaly("wrong-total", &[read.call], message)
        }
        Source::One(other) => {
            let others = other.balances.iter().map(balance).collect::<Vec<_>>().join(", ");
            let message = format!(
                "{held}: {shown}; and {} read accounts that hold {amount}: {others}. No transfer \
                 changes the total, so one of the two is wrong.",
                who(&other.call)
            );
            anomaly("wrong-total", &[other.call, read.call], message)
        }
    })
}

fn balance((name, balance): (&&str, &Option<i64>)) -> String {
    format!("{name} {}", balance.map_or("nothing".to_owned(), |balance| balance.to_string()))
}

/// What occurs most often, of several the first that comes, and how often that is.
fn usual<T: Ord>(all: impl Iterator<Item = T>) -> Option<(T, usize)> {
    let mut counts: BTreeMap<T, (usize, usize)> = BTreeMap::new();
    for (place, it) in all.enumerate() {
        counts.entry(it).or_insert((0, place)).0 += 1;
    }
    let most = counts.into_iter().min_by_key(|&(_, (count, place))| (Reverse(count), place));
    most.map(|(it, (count, _))| (it, count))
}

fn reads(history: &History) -> Result<Vec<Read<'_>>, String> {
    let mut reads = Vec::new();
    for call in history.operations() {
        match (call.f(), call.result()) {
            ("transfer", _) if is_transfer(call.argument()) => {}
            ("transfer", _) => return Err(no_argument(&call, "a bank", CALLS)),
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

/// Whether some amount goes from an account to an account.
fn is_transfer(value: ValueRef) -> bool {
    let account = |name| value.get(name).is_some_and(|account| !account.is_null());
    let amount = value.get("amount").and_then(ValueRef::as_i64);
    account("from") && account("to") && amount.is_some_and(|amount| amount >= 0)
}
