//! The anomalies of one key, in words and numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tribunal_history::{Fault, ValueRef};

use super::cause::{Cause, Kind, Pair};
use super::clocks::{Clocks, number};
use super::judgement::Judgement;
use super::register::{Read, Register, Write};
use super::wording::{key_name, stamped, through};
use crate::Anomaly;
use crate::blame;
use crate::times::{lapse, seconds};

/// One judged key and what its messages need to know.
pub(super) struct Case<'a, 'h> {
    pub register: &'a Register<'h>,
    pub judgement: &'a Judgement,
    pub faults: &'a [Fault],
    /// All nodes of the run.
    pub nodes: &'a BTreeSet<&'h str>,
    /// The clocks of all of them.
    pub clocks: &'a Clocks<'h>,
}

/// Witnesses name at most this many final reads.
const WITNESSES: usize = 8;

impl<'a, 'h> Case<'a, 'h> {
    /// One anomaly for each lost write that no other lost write came after. The
    /// others are counted with the last of these, which all of them precede.
    pub fn lost_writes(&self, causes: &mut BTreeMap<&'static str, usize>) -> Vec<Anomaly> {
        let lost = &self.judgement.lost;
        let definite = || lost.iter().filter(|lost| !lost.superseded).map(|lost| lost.write);
        let last = definite().max_by_key(|&at| self.register.writes[at].op.start());
        let superseded: Vec<&Write> =
            lost.iter().filter(|lost| lost.superseded).map(|lost| self.write(lost.write)).collect();
        let mut anomalies = Vec::new();
        for at in definite() {
            let pair = self.pair(self.write(at));
            let cause = pair.cause();
            *causes.entry(cause.kind.name()).or_default() += 1;
            let before = if Some(at) == last { &superseded[..] } else { &[] };
            anomalies.push(self.lost_write(&pair, &cause, before));
        }
        anomalies
    }

    fn write(&self, at: usize) -> &'a Write<'h> {
        &self.register.writes[at]
    }

    fn pair(&self, lost: &'a Write<'h>) -> Pair<'a, 'h> {
        // Of several survivors, the one that took effect last is the closest.
        let survivor = self.judgement.survivors.last().copied().flatten();
        let quiet = self.register.finals.iter().map(|read| read.op.invoked_at()).min();
        Pair {
            lost,
            survivor: survivor.map(|at| self.write(at)),
            faults: self.faults,
            clocks: self.clocks,
            quiet: quiet.unwrap_or(0),
        }
    }

    fn lost_write(&self, pair: &Pair, cause: &Cause, superseded: &[&Write]) -> Anomaly {
        let lost = pair.lost;
        let mut message = format!(
            "{}: {}'s write of {}{} was acknowledged at {}{}, yet {}{}. {}",
            key_name(self.register.key),
            lost.op.process(),
            lost.value,
            through(lost),
            seconds(lost.op.completion().map_or(0, |event| event.time())),
            stamped(lost),
            self.holders(),
            self.survivor(pair),
            cause.sentence,
        );
        if !lost.visible {
            message += " No read ever returned it.";
        }
        message += &gone_with_it(superseded);
        Anomaly {
            name: "lost-write".into(),
            message,
            key: self.register.key.map(Value::from),
            ops: self.witness(pair.survivor.into_iter().chain([lost])),
            window: Some(self.window(pair)),
            details: details(pair, cause, superseded),
        }
    }

    fn window(&self, pair: &Pair) -> (u64, u64) {
        let from = pair.survivor.unwrap_or(pair.lost).op.invoked_at();
        (from, pair.lost.op.completion().map_or(from, |event| event.time()))
    }

    /// `every node ended with 38`; less than that where less is known.
    fn holders(&self) -> String {
        let survivors = &self.judgement.survivors;
        if survivors.len() > 1 {
            return format!("no node kept it: {}", self.who_holds_what());
        }
        let settled: Vec<&Read> = self.settled(survivors[0]).collect();
        let readers: BTreeSet<&str> = settled.iter().filter_map(|read| read.op.node()).collect();
        let value = survivors[0].map(|at| self.write(at).value);
        let with = match value {
            Some(value) => format!("with {value}"),
            None => "without a write".to_owned(),
        };
        let unanimous = settled.len() == self.register.finals.len();
        if unanimous && readers.len() > 1 && readers == *self.nodes {
            return format!("every node ended {with}");
        }
        match readers.into_iter().collect::<Vec<_>>().as_slice() {
            [] => format!("the key ended {with}"),
            readers => format!("{} ended {with}", blame::list(readers)),
        }
    }

    fn settled(&self, writer: Option<usize>) -> impl Iterator<Item = &'a Read<'h>> {
        self.register.finals.iter().filter(move |read| read.writer == writer)
    }

    /// `, which p3 had written through n1 and had acknowledged at …`.
    fn survivor(&self, pair: &Pair) -> String {
        let (Some(survivor), lost) = (pair.survivor, pair.lost) else { return String::new() };
        let which = match self.judgement.survivors.len() {
            1 => String::new(),
            _ => format!(" {}", survivor.value),
        };
        let answered = survivor.op.completion().zip(survivor.effect);
        let acknowledged = answered.is_some_and(|(end, effect)| end.index() == effect.index());
        let effect = match acknowledged {
            true => format!("and had acknowledged at {}", seconds(survivor.latest())),
            false => format!("and a read had returned by {}", seconds(survivor.latest())),
        };
        format!(
            ", which{which} {} had written{} {effect}{}, {} before the write of {} began",
            survivor.op.process(),
            through(survivor),
            stamped(survivor),
            lapse(pair.gap()),
            lost.value,
        )
    }

    /// The anomaly of replicas that hold different writes, if they do.
    pub fn divergence(&self) -> Option<Anomaly> {
        let survivors = &self.judgement.survivors;
        let writes: Vec<&Write> = survivors.iter().flatten().map(|&at| self.write(at)).collect();
        if survivors.len() < 2 {
            return None;
        }
        let from = writes.iter().map(|write| write.op.invoked_at()).min().unwrap_or(0);
        let reads = self.register.finals.iter().filter_map(|read| read.op.completion());
        let until = reads.map(|event| event.time()).max().unwrap_or(from);
        let window = from..=self.pair(writes[0]).quiet;
        let apart = |fault: &&Fault| !blame::moves_clocks(fault) && blame::overlaps(fault, &window);
        let faults: Vec<&Fault> = self.faults.iter().filter(apart).collect();
        let values: Vec<Value> = survivors.iter().map(|&at| self.holding(at)).collect();
        let message = format!(
            "{}: the cluster had gone quiet and still does not agree: {}. {}{}",
            key_name(self.register.key),
            self.who_holds_what(),
            rule(&writes),
            suspects(&faults),
        );
        let mut details = Map::new();
        details.insert("values".into(), values.into());
        details.insert("faults".into(), blame::ids(&faults));
        Some(Anomaly {
            name: "diverged".into(),
            message,
            key: self.register.key.map(Value::from),
            ops: self.witness(writes.into_iter()),
            window: Some((from, until)),
            details,
        })
    }

    fn who_holds_what(&self) -> String {
        let part = |&writer: &Option<usize>| {
            let nodes = self.readers(writer);
            let nodes =
                if nodes.is_empty() { "a final read".to_owned() } else { blame::list(&nodes) };
            match writer.map(|at| self.write(at)) {
                None => format!("{nodes} ended without a write"),
                Some(write) => format!(
                    "{nodes} ended with {} ({}{}{})",
                    write.value,
                    write.op.process(),
                    through(write),
                    stamped(write).replace(" (", ", ").replace(')', ""),
                ),
            }
        };
        self.judgement.survivors.iter().map(part).collect::<Vec<_>>().join("; ")
    }

    fn readers(&self, writer: Option<usize>) -> Vec<&'h str> {
        let nodes: BTreeSet<&str> =
            self.settled(writer).filter_map(|read| read.op.node()).collect();
        nodes.into_iter().collect()
    }

    fn holding(&self, writer: Option<usize>) -> Value {
        let write = writer.map(|at| self.write(at));
        json!({
            "value": write.map(|write| write.value),
            "nodes": self.readers(writer),
            "timestamp": write.and_then(|write| write.stamp.known()).map(number),
        })
    }

    /// The writes, then one final read of each survivor, then more of them.
    fn witness<'w>(&self, writes: impl Iterator<Item = &'w Write<'w>>) -> Vec<u64> {
        let mut ops: Vec<u64> = writes.map(|write| write.op.start()).collect();
        for &survivor in &self.judgement.survivors {
            ops.extend(self.settled(survivor).take(WITNESSES).map(|read| read.op.start()));
        }
        ops
    }
}

/// The writes that are lost too, but could have been overwritten by this one.
fn gone_with_it(superseded: &[&Write]) -> String {
    match superseded {
        [] => String::new(),
        [one] => format!(
            " The acknowledged write of {}, which it came after, is newer than what is left too.",
            one.value
        ),
        many => format!(
            " {} acknowledged writes that it came after are newer than what is left too.",
            many.len()
        ),
    }
}

fn details(pair: &Pair, cause: &Cause, superseded: &[&Write]) -> Map<String, Value> {
    let side = |write: &Write| {
        json!({
            "op": write.op.start(),
            "value": write.value,
            "process": write.op.process(),
            "node": write.node(),
            "start": write.op.invoked_at(),
            "effect": write.effect.map(|event| event.time()),
            "timestamp": write.stamp.known().map(number),
            "read": write.visible,
        })
    };
    let mut details = cause.numbers.clone();
    details.insert("lost".into(), side(pair.lost));
    details.insert("survivor".into(), pair.survivor.map_or(Value::Null, side));
    details.insert("cause".into(), cause.kind.name().into());
    details.insert("certainty".into(), cause.certainty.into());
    details.insert("faults".into(), blame::ids(&cause.faults));
    details.insert("faults_certainty".into(), cause.faults_certainty.into());
    if cause.kind == Kind::Skew || pair.survivor.is_some() {
        details.insert("needed_skew_ns".into(), json!(pair.gap()));
    }
    if !superseded.is_empty() {
        let ops: Vec<u64> = superseded.iter().map(|write| write.op.start()).collect();
        details.insert("superseded".into(), json!(ops));
    }
    details
}

/// What last write wins would have made of writes that replicas disagree on.
fn rule(writes: &[&Write]) -> String {
    let stamps: Vec<(i128, ValueRef)> =
        writes.iter().filter_map(|write| Some((write.stamp.known()?, write.value))).collect();
    let Some(&(latest, value)) = stamps.iter().max_by_key(|(stamp, _)| *stamp) else {
        return String::new();
    };
    match stamps.iter().filter(|(stamp, _)| *stamp == latest).count() {
        _ if stamps.len() < writes.len() => String::new(),
        1 => format!("By last write wins all should hold {value}. "),
        _ => "Their timestamps are equal, and the replicas break the tie differently. ".to_owned(),
    }
}

fn suspects(faults: &[&Fault]) -> String {
    match faults {
        [] => "No fault that keeps nodes apart was in force since those writes.".to_owned(),
        faults => {
            let named: Vec<String> = faults.iter().map(|fault| blame::named(fault)).collect();
            let was = if faults.len() == 1 { "was" } else { "were" };
            format!("In force since those writes {was} {}.", blame::list(&named))
        }
    }
}
