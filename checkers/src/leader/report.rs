//! The anomalies of leaders, in words and numbers.

use serde_json::{Map, Value, json};
use tribunal_history::{Fault, ValueRef};

use super::acknowledgement::Dual;
use super::claim::Claim;
use super::committed::{Fork, Shown};
use super::explanation::explain;
use super::overlap::Overlap;
use crate::Anomaly;
use crate::blame;
use crate::times::seconds;

/// What the messages of one group need to know.
pub(super) struct Report<'a, 'h> {
    pub key: Option<ValueRef<'h>>,
    pub claims: &'a [Claim<'h>],
    pub faults: &'a [Fault],
}

impl Report<'_, '_> {
    fn anomaly(&self, name: &str, message: String) -> Anomaly {
        let message = match self.key.map(|key| (key, key.as_str())) {
            None => message,
            Some((_, Some(key))) => format!("key {key}: {message}"),
            Some((key, None)) => format!("key {key}: {message}"),
        };
        Anomaly { name: name.into(), message, key: self.key.map(Value::from), ..Anomaly::default() }
    }

    /// A term with more than one leader.
    pub fn same_term(&self, nodes: &[usize]) -> Anomaly {
        let claims: Vec<&Claim> = nodes.iter().map(|&at| &self.claims[at]).collect();
        let said: Vec<String> = claims
            .iter()
            .map(|claim| format!("{} said so at {}", claim.node, seconds(claim.began.time())))
            .collect();
        let names: Vec<&str> = claims.iter().map(|claim| claim.node).collect();
        let count = if let [_, _] = names[..] { "both" } else { "all" };
        let message = format!(
            "{} {count} held themselves leader of term {}: {}. A term has one leader.",
            blame::list(&names),
            claims[0].term,
            blame::list(&said),
        );
        let mut anomaly = self.anomaly("two-leaders-in-one-term", message);
        anomaly.ops = claims.iter().map(|claim| claim.first).collect();
        let from = claims.iter().map(|claim| claim.earliest.time()).min();
        let to = claims.iter().map(|claim| claim.latest.time()).max();
        anomaly.window = from.zip(to);
        anomaly.details.insert("term".into(), json!(claims[0].term));
        let leaders = claims.iter().map(|claim| self.claim(claim)).collect();
        anomaly.details.insert("leaders".into(), leaders);
        anomaly
    }

    /// Leaders of two terms at once.
    pub fn overlap(&self, overlap: &Overlap) -> Anomaly {
        let (older, newer) = (&self.claims[overlap.older], &self.claims[overlap.newer]);
        let explanation = explain(older, newer, overlap.to, self.faults);
        let length = overlap.to.saturating_sub(overlap.from);
        let (from, to) = (seconds(overlap.from), seconds(overlap.to));
        let when = match overlap.throughout {
            true => format!("from {from} to {to} (at least {})", seconds(length)),
            false => format!("at some instant between {from} and {to}"),
        };
        let message = format!(
            "{} (term {}) and {} (term {}) both held themselves leader {when}: {}.",
            older.node, older.term, newer.node, newer.term, explanation.sentence,
        );
        let mut anomaly = self.anomaly("split-brain", message);
        anomaly.ops = vec![older.first, older.last, newer.first, newer.last];
        anomaly.ops.sort_unstable();
        anomaly.ops.dedup();
        anomaly.window = Some((overlap.from, overlap.to));
        anomaly.details = Map::from_iter([
            ("leaders".to_owned(), json!([self.claim(older), self.claim(newer)])),
            ("overlap_ns".to_owned(), json!(if overlap.throughout { length } else { 0 })),
            ("faults".to_owned(), blame::ids(&explanation.faults)),
        ]);
        anomaly
    }

    /// Leaders of two terms that may have been at once.
    pub fn possible(&self, overlap: &Overlap) -> String {
        let (older, newer) = (&self.claims[overlap.older], &self.claims[overlap.newer]);
        format!(
            "{} (term {}) and {} (term {}) may both have led at some instant between {} and {}",
            older.node,
            older.term,
            newer.node,
            newer.term,
            seconds(overlap.from),
            seconds(overlap.to),
        )
    }

    /// A deposed leader that went on serving.
    pub fn dual(&self, Dual { newer, older, count }: &Dual) -> Anomaly {
        let ended = newer.op.completion().map_or(0, |event| event.time());
        let began = older.op.invoked_at();
        let also = match count {
            1 => String::new(),
            2 => ", and one more".to_owned(),
            count => format!(", and {} more", count - 1),
        };
        let message = format!(
            "{} (term {}) acknowledged a {} of {} by {} that began at {}{also}, though {} (term {}) \
             had acknowledged {}'s write of {} by {}: a deposed leader went on serving.",
            older.node,
            older.term,
            older.op.f(),
            value(
                older.op.result().filter(|_| older.op.f() == "read").unwrap_or(older.op.argument())
            ),
            older.op.process(),
            seconds(began),
            newer.node,
            newer.term,
            newer.op.process(),
            value(newer.op.argument()),
            seconds(ended),
        );
        let mut anomaly = self.anomaly("dual-acknowledgement", message);
        anomaly.ops = vec![newer.op.start(), older.op.start()];
        let to = older.op.completion().map_or(began, |event| event.time());
        anomaly.window = Some((newer.op.invoked_at(), to));
        anomaly.details = Map::from_iter([
            ("older".to_owned(), json!({"node": older.node, "term": older.term})),
            ("newer".to_owned(), json!({"node": newer.node, "term": newer.term})),
            ("calls".to_owned(), json!(count)),
        ]);
        anomaly
    }

    /// Different entries that were both shown as committed at one index.
    pub fn fork(&self, fork: &Fork) -> Anomaly {
        let Fork { index, first, second, count } = fork;
        let more = match count {
            1 => String::new(),
            2 => " So they do at one more index.".to_owned(),
            count => format!(" So they do at {} more indexes.", count - 1),
        };
        let (name, who) = match first.node == second.node {
            true => ("committed-entry-changed", "it"),
            false => ("committed-logs-differ", second.node),
        };
        let message = format!(
            "{} showed {} as committed at index {index}, and {who} showed {} there: what is \
             committed is decided for good.{more}",
            first.node,
            told_entry(first),
            told_entry(second),
        );
        let mut anomaly = self.anomaly(name, message);
        anomaly.ops = vec![first.op.start(), second.op.start()];
        anomaly.ops.dedup();
        let ends = [first, second].map(|it| it.op.completed_at().unwrap_or(it.op.invoked_at()));
        let begun = first.op.invoked_at().min(second.op.invoked_at());
        anomaly.window = Some((begun, ends[0].max(ends[1])));
        anomaly.details = Map::from_iter([
            ("index".to_owned(), json!(index)),
            ("entries".to_owned(), json!([entry(first), entry(second)])),
            ("indexes".to_owned(), json!(count)),
        ]);
        anomaly
    }

    /// A claim as data.
    pub fn claim(&self, claim: &Claim) -> Value {
        json!({
            "node": claim.node,
            "term": claim.term,
            "probes": claim.probes,
            "seen": [claim.earliest.time(), claim.latest.time()],
            "held": claim.is_hold().then_some([claim.began.time(), claim.lasted.time()]),
        })
    }
}

fn value(value: ValueRef) -> String {
    value.to_string()
}

/// `7 of term 2 (p3's read, 1.000–1.010 s)`.
fn told_entry(shown: &Shown) -> String {
    let (begin, end) = (shown.op.invoked_at() as f64, shown.op.completed_at().unwrap_or(0));
    format!(
        "{} of term {} ({}'s read, {:.3}–{})",
        shown.value,
        shown.term,
        shown.op.process(),
        begin / 1e9,
        seconds(end),
    )
}

fn entry(shown: &Shown) -> Value {
    json!({"node": shown.node, "term": shown.term, "value": shown.value.to_value()})
}
