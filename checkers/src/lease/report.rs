//! The anomalies of leases, in words and numbers.

use serde_json::{Map, Value, json};
use tribunal_history::{Fault, History, Nanos, Operation, ValueRef};

use super::hold::Hold;
use super::slide::Squeezed;
use super::token::Disorder;
use crate::Anomaly;
use crate::blame;
use crate::times::seconds;

/// What the messages of one lease need to know.
pub(super) struct Report<'a, 'h> {
    pub history: &'h History,
    pub key: Option<ValueRef<'h>>,
    pub faults: &'a [Fault],
}

impl Report<'_, '_> {
    /// Two that certainly held the lease at once; the first got it first.
    pub fn overlap(&self, one: &Hold, other: &Hold) -> Anomaly {
        let (one, other) = if one.granted <= other.granted { (one, other) } else { (other, one) };
        let (from, to) = (one.granted.max(other.granted), one.until.min(other.until));
        let faults = self.faults_between(one.earliest, from.max(to));
        let how_long = match to.checked_sub(from).filter(|&length| length > 0) {
            Some(length) => format!("both held it for at least {}", seconds(length)),
            None => format!(
                "both held it at some instant between {} and {}",
                seconds(to),
                seconds(from)
            ),
        };
        let message = format!(
            "{} was granted the lease{} at {}, though {}'s{}, granted at {}, could not have run \
             out before {}: {how_long}. {}",
            process(other),
            token(other),
            seconds(other.granted),
            process(one),
            token(one),
            seconds(one.granted),
            self.end(one),
            in_force(&faults),
        );
        let mut anomaly = self.anomaly("lease-overlap", message, &[one, other].map(calls).concat());
        anomaly.window = Some((from.min(to), from.max(to)));
        anomaly.details = Map::from_iter([
            ("holders".to_owned(), json!([holder(one), holder(other)])),
            ("overlap_ns".to_owned(), json!(to.saturating_sub(from))),
            ("faults".to_owned(), blame::ids(&faults)),
        ]);
        anomaly
    }

    /// One that certainly held it at once with one of several others, whichever.
    pub fn squeezed(&self, Squeezed { hold, rivals }: &Squeezed) -> Anomaly {
        let held = |rival: &&Hold| {
            let (name, token) = (process(rival), token(rival));
            let (granted, until) = (seconds(rival.granted), seconds(rival.until));
            match rival.granted < rival.until {
                true => format!("{name}'s{token} from {granted} to {}", self.end(rival)),
                false => format!("{name}'s{token} at some instant between {until} and {granted}"),
            }
        };
        let faults = self.faults_between(hold.earliest, hold.granted);
        let message = format!(
            "{} was granted the lease{} at some instant between {} and {}, for at least {}, and \
             there was no room for that beside {}, which were certainly held. {}",
            process(hold),
            token(hold),
            seconds(hold.earliest),
            seconds(hold.granted),
            seconds(hold.length.min(hold.cut - hold.granted)),
            blame::list(&rivals.iter().map(held).collect::<Vec<_>>()),
            in_force(&faults),
        );
        let all = || [*hold].into_iter().chain(rivals.iter().copied());
        let mut ops: Vec<u32> = all().flat_map(calls).collect();
        ops.dedup();
        let mut anomaly = self.anomaly("lease-overlap", message, &ops);
        anomaly.window = Some((hold.earliest, hold.granted));
        anomaly.details = Map::from_iter([
            ("holders".to_owned(), all().map(holder).collect()),
            ("overlap_ns".to_owned(), json!(0)),
            ("faults".to_owned(), blame::ids(&faults)),
        ]);
        anomaly
    }

    /// Two that may have held it at once.
    pub fn possible(&self, one: &Hold, other: &Hold) -> String {
        format!(
            "{}{} and {} may both have held the lease at some instant between {} and {}",
            self.subject(),
            process(one),
            process(other),
            seconds(one.earliest.max(other.earliest)),
            seconds(one.latest.min(other.latest)),
        )
    }

    /// Tokens that do not grow.
    pub fn disorder(&self, disorder: &Disorder) -> Anomaly {
        let (first, second) = (self.call(disorder.first), self.call(disorder.second));
        let (name, why) = match disorder.same {
            true => ("same-token", "every grant needs a token of its own"),
            false => (
                "token-order",
                "that acquire began after the other had ended, so its token must be higher",
            ),
        };
        let message = format!(
            "{} was granted the lease under token {} at {}, and {} under token {} at {}: {why}.",
            second.process(),
            told_token(&second),
            seconds(end(&second)),
            first.process(),
            told_token(&first),
            seconds(end(&first)),
        );
        self.anomaly(name, message, &[disorder.first, disorder.second])
    }

    /// A renewal under a token that was no longer the highest.
    pub fn stale_renewal(&self, grant: u32, renewal: u32) -> Anomaly {
        let (newer, stale) = (self.call(grant), self.call(renewal));
        let message = format!(
            "{}'s renewal under token {} began at {} and was acknowledged, though {} had been granted \
             the lease under token {} at {}.",
            stale.process(),
            told_token(&stale),
            seconds(stale.invoked_at()),
            newer.process(),
            told_token(&newer),
            seconds(end(&newer)),
        );
        self.anomaly("stale-renewal", message, &[grant, renewal])
    }

    fn anomaly(&self, name: &str, message: String, calls: &[u32]) -> Anomaly {
        let mut calls = calls.to_vec();
        calls.sort_unstable();
        calls.dedup();
        let calls: Vec<Operation> = calls.iter().map(|&number| self.call(number)).collect();
        let from = calls.iter().map(Operation::invoked_at).min();
        Anomaly {
            name: name.into(),
            message: self.subject() + &message,
            key: self.key.map(ValueRef::to_value),
            ops: calls.iter().map(Operation::start).collect(),
            window: from.zip(calls.iter().map(end).max()),
            details: Map::new(),
        }
    }

    fn subject(&self) -> String {
        self.key.map_or_else(String::new, |key| match key.as_str() {
            Some(name) => format!("lease {name}: "),
            None => format!("lease {key}: "),
        })
    }

    fn call(&self, number: u32) -> Operation<'_> {
        self.history.operation(number)
    }

    fn faults_between(&self, from: Nanos, to: Nanos) -> Vec<&Fault> {
        self.faults.iter().filter(|fault| blame::overlaps(fault, &(from..=to))).collect()
    }

    /// Until when a hold lasted for certain, and why then.
    fn end(&self, hold: &Hold) -> String {
        let renewed = match hold.last == hold.first {
            true => String::new(),
            false => format!("renewed at {}", seconds(end(&self.call(hold.last)))),
        };
        let released = hold.release.map(|release| self.call(release).invoked_at());
        let released = match released.filter(|&at| at == hold.until) {
            Some(_) => "when its release began".to_owned(),
            None => String::new(),
        };
        let why: Vec<String> =
            [renewed, released].into_iter().filter(|it| !it.is_empty()).collect();
        match why.is_empty() {
            true => seconds(hold.until),
            false => format!("{} ({})", seconds(hold.until), why.join(", ")),
        }
    }
}

fn calls(hold: &Hold) -> Vec<u32> {
    [hold.first, hold.last].into_iter().chain(hold.release).collect()
}

fn process(hold: &Hold) -> String {
    format!("p{}", hold.process)
}

fn token(hold: &Hold) -> String {
    hold.token.map_or_else(String::new, |token| format!(" (token {token})"))
}

fn told_token(call: &Operation) -> String {
    let told = call.result().and_then(|it| it.get("token")).or(call.argument().get("token"));
    told.map_or_else(String::new, |token| token.to_string())
}

fn end(call: &Operation) -> Nanos {
    call.completed_at().unwrap_or(call.invoked_at())
}

fn holder(hold: &Hold) -> Value {
    json!({
        "process": hold.process,
        "token": hold.token,
        "held": [hold.granted, hold.until],
        "possible": [hold.earliest, hold.latest],
    })
}

fn in_force(faults: &[&Fault]) -> String {
    let named: Vec<String> = faults.iter().map(|fault| blame::named(fault)).collect();
    match faults.len() {
        0 => "No fault of this run was in force then.".to_owned(),
        1 => format!("{} was in force.", named[0]),
        _ => format!("{} were in force.", blame::list(&named)),
    }
}
