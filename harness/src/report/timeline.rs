//! The timeline's data: what the page's script draws.
//!
//! Columns, not objects, and each text once: a call is some fifty bytes. Times
//! are nanoseconds after `origin`, and each start is told by its distance from
//! the one before. The overview is counted from all calls, also those that the
//! page does not carry.

use std::collections::HashMap;

use serde::Serialize;
use tribunal_checkers::Anomaly;
use tribunal_history::{Fault, FaultNote, History, Kind, Nanos, Process};

use super::selection::{DETAIL, LABEL, Selection, Witness, last_seen, span};
use super::words;

/// Columns of the overview.
const BUCKETS: usize = 400;
/// Faults and marks that are drawn; a schedule has a few dozen.
const BANDS: usize = 1_000;

/// Everything the script needs.
#[derive(Serialize)]
pub(super) struct Timeline {
    origin: Nanos,
    begin: Nanos,
    end: Nanos,
    texts: Vec<String>,
    calls: Calls,
    anomalies: Vec<Shown>,
    faults: Vec<Band>,
    pub marks: Vec<(Nanos, String)>,
    overview: Overview,
}

/// The chosen calls, by column; names are places in `texts`.
#[derive(Default, Serialize)]
struct Calls {
    index: Vec<u64>,
    start: Vec<Nanos>,
    /// `-1` where no completion is in the history.
    took: Vec<i64>,
    process: Vec<u64>,
    node: Vec<usize>,
    kind: Vec<u8>,
    key: Vec<usize>,
    label: Vec<usize>,
    detail: Vec<usize>,
}

#[derive(Serialize)]
struct Shown {
    name: String,
    /// Its place in `texts`, if the object is one of several.
    key: Option<usize>,
    window: (Nanos, Nanos),
    /// What is looked at first: the window, and its faults.
    frame: (Nanos, Nanos),
    /// Places in the columns.
    calls: Vec<usize>,
    /// Calls on its key in its window: those the page carries, and all.
    carried: usize,
    concurrent: usize,
}

#[derive(Serialize)]
struct Band {
    id: u64,
    name: String,
    summary: String,
    nodes: Vec<String>,
    from: Nanos,
    injected: Option<Nanos>,
    heal: Option<Nanos>,
    until: Option<Nanos>,
    observed: bool,
}

#[derive(Serialize)]
struct Overview {
    ok: Vec<u32>,
    fail: Vec<u32>,
    info: Vec<u32>,
}

/// Collects what the script draws.
pub(super) fn data(
    history: &History,
    selection: &Selection,
    anomalies: &[Anomaly],
    faults: &[Fault],
) -> Timeline {
    let origin = origin(history);
    let mut texts = Texts::new();
    let (calls, places) = columns(selection, origin, &mut texts);
    let anomalies = anomalies.iter().zip(&selection.witnesses);
    let shown = anomalies.map(|(anomaly, witness)| {
        let key = anomaly.key.as_ref().map(|key| texts.place(&words::value(key, LABEL)));
        shown(anomaly, witness, key, &places, origin)
    });
    Timeline {
        origin,
        begin: span(history).0 - origin,
        end: history.duration() - origin,
        calls,
        anomalies: shown.collect(),
        faults: faults.iter().take(BANDS).map(|fault| band(fault, origin)).collect(),
        marks: marks(history, origin),
        overview: overview(history, selection),
        texts: texts.list,
    }
}

/// The script's numbers are exact up to 2^53. Our own runs begin near 0;
/// another tool's may count from 1970, and then its first event is the origin.
fn origin(history: &History) -> Nanos {
    const EXACT: Nanos = 1 << 53;
    let (first, last) = span(history);
    if last < EXACT { 0 } else { first }
}

/// Each text once, by its place.
struct Texts {
    list: Vec<String>,
    places: HashMap<String, usize>,
}

impl Texts {
    /// The empty text has place 0.
    fn new() -> Self {
        Self { list: vec![String::new()], places: HashMap::from([(String::new(), 0)]) }
    }

    fn place(&mut self, text: &str) -> usize {
        if let Some(&place) = self.places.get(text) {
            return place;
        }
        self.list.push(text.to_owned());
        self.places.insert(text.to_owned(), self.list.len() - 1);
        self.list.len() - 1
    }
}

fn columns(
    selection: &Selection,
    origin: Nanos,
    texts: &mut Texts,
) -> (Calls, HashMap<usize, usize>) {
    let mut calls = Calls::default();
    let mut places = HashMap::new();
    let mut before = origin;
    for (at, op) in selection.ops.iter().enumerate().filter(|&(at, _)| selection.chosen[at]) {
        places.insert(at, calls.index.len());
        let began = op.invoked_at();
        calls.index.push(op.start());
        calls.start.push(began - before);
        calls.took.push(op.completion().map_or(-1, |end| (end.time() - began) as i64));
        calls.process.push(match op.process() {
            Process::Client(number) => number,
            Process::Nemesis => 0,
        });
        calls.node.push(texts.place(&words::clip(op.node().unwrap_or_default(), LABEL)));
        calls.kind.push(match op.kind() {
            Kind::Ok => 0,
            Kind::Fail => 1,
            Kind::Info | Kind::Invoke => 2,
        });
        let key = op.key().map(|key| words::held(key, LABEL)).unwrap_or_default();
        calls.key.push(texts.place(&key));
        calls.label.push(texts.place(&words::call(op, LABEL)));
        calls.detail.push(texts.place(&words::detail(op, DETAIL)));
        before = began;
    }
    (calls, places)
}

fn shown(
    anomaly: &Anomaly,
    witness: &Witness,
    key: Option<usize>,
    places: &HashMap<usize, usize>,
    origin: Nanos,
) -> Shown {
    let after =
        |(from, until): (Nanos, Nanos)| (from.saturating_sub(origin), until.saturating_sub(origin));
    let carried = witness.beside.iter().filter(|op| places.contains_key(op)).count();
    Shown {
        name: words::clip(&anomaly.name, LABEL),
        key,
        window: after(witness.window),
        frame: after(witness.frame),
        calls: witness.ops.iter().filter_map(|op| places.get(op).copied()).collect(),
        carried,
        concurrent: witness.concurrent,
    }
}

fn band(fault: &Fault, origin: Nanos) -> Band {
    let after = |time: Nanos| time.saturating_sub(origin);
    Band {
        id: fault.id,
        name: words::clip(&fault.name, LABEL),
        summary: words::clip(&fault.summary, DETAIL),
        nodes: fault.nodes.iter().map(|node| words::clip(node, LABEL)).collect(),
        from: after(fault.from),
        injected: fault.injected.map(after),
        heal: fault.heal.map(after),
        until: fault.until.map(after),
        observed: fault.effect.observed,
    }
}

/// Nemesis events that are no [`FaultNote`]: another tool's history. Nobody
/// knows which of them ends which, so each is a moment and not a band.
fn marks(history: &History, origin: Nanos) -> Vec<(Nanos, String)> {
    use serde::Deserialize;
    let nemesis = history.events().filter(|event| event.process() == Process::Nemesis);
    let foreign = nemesis.filter(|event| FaultNote::deserialize(event.value().to_value()).is_err());
    let told = foreign.map(|event| {
        let value = match event.value() {
            null if null.is_null() => String::new(),
            value => format!(" {}", words::held(value, LABEL)),
        };
        (event.time() - origin, words::clip(&format!("{}{value}", event.f()), LABEL))
    });
    told.take(BANDS).collect()
}

/// Calls by the bucket in which they were answered, or last heard of.
fn overview(history: &History, selection: &Selection) -> Overview {
    let (first, last) = span(history);
    let width = (last - first).max(1) as f64;
    let empty = || vec![0; BUCKETS];
    let mut overview = Overview { ok: empty(), fail: empty(), info: empty() };
    for op in &selection.ops {
        let place = (last_seen(op) - first) as f64 / width * BUCKETS as f64;
        let column = match op.kind() {
            Kind::Ok => &mut overview.ok,
            Kind::Fail => &mut overview.fail,
            Kind::Info | Kind::Invoke => &mut overview.info,
        };
        column[(place as usize).min(BUCKETS - 1)] += 1;
    }
    overview
}
