//! Which calls the page carries with it.
//!
//! A page must open in a moment and travel by mail, so it holds a bounded part
//! of a large history: first the witnesses, then what ran beside them, then a
//! sample of the rest that is spread evenly over the run.

use std::collections::HashMap;

use tribunal_checkers::Anomaly;
use tribunal_history::{Datum, Fault, History, Nanos, Operation};

use super::words;

/// Anomalies that are shown with their witness; the rest is counted.
pub(super) const ANOMALIES: usize = 50;
/// Calls beside one witness that are considered at all.
const BESIDE: usize = 20_000;
/// Bytes that the calls may take in the page.
const BUDGET: usize = 1_900_000;
/// Bytes of one call without its texts: numbers and commas.
const CALL: usize = 48;
/// A witness that is shown with its faults takes at least this part of the view.
const FRAME: Nanos = 5;
/// Characters of a call's label on the timeline.
pub(super) const LABEL: usize = 60;
/// Characters of a call's error and extras.
pub(super) const DETAIL: usize = 240;

/// An anomaly's place in time and among the operations.
pub(super) struct Witness {
    /// Positions of its operations in [`Selection::ops`], in order of time.
    pub ops: Vec<usize>,
    /// The window it spans.
    pub window: (Nanos, Nanos),
    /// What is shown of it first: the window, and the whole of each fault that
    /// acted in it, unless that would make the witness small.
    pub frame: (Nanos, Nanos),
    /// Calls on its key (all, if it has none) in that window: the first ones …
    pub beside: Vec<usize>,
    /// … and how many they are.
    pub concurrent: usize,
}

/// All operations of a history, and which of them are chosen.
pub(super) struct Selection<'h> {
    pub ops: Vec<Operation<'h>>,
    pub chosen: Vec<bool>,
    pub witnesses: Vec<Witness>,
    left: usize,
}

impl<'h> Selection<'h> {
    /// Chooses calls of `history` until the budget is spent.
    pub fn of(history: &'h History, anomalies: &[Anomaly], faults: &[Fault]) -> Self {
        let ops: Vec<_> = history.operations().collect();
        let witnesses = witnesses(&ops, anomalies, history, faults);
        let chosen = vec![false; ops.len()];
        let mut selection = Self { ops, chosen, witnesses, left: BUDGET };
        selection.choose_witnesses();
        selection.choose_sample();
        selection
    }

    /// How many are chosen.
    pub fn size(&self) -> usize {
        self.chosen.iter().filter(|&&chosen| chosen).count()
    }

    fn choose_witnesses(&mut self) {
        let witnesses = std::mem::take(&mut self.witnesses);
        let own = witnesses.iter().flat_map(|witness| &witness.ops);
        let beside = witnesses.iter().flat_map(|witness| &witness.beside);
        for &op in own.chain(beside) {
            self.choose(op);
        }
        self.witnesses = witnesses;
    }

    /// Every prefix of the multiples of the golden ratio is spread evenly over
    /// the circle, so wherever the budget ends, no part of the run is left out.
    fn choose_sample(&mut self) {
        let all = self.ops.len();
        let mut step = (all as f64 * 0.618_033_988_75) as usize;
        while all > 1 && gcd(step.max(1), all) != 1 {
            step += 1;
        }
        (0..all).map(|i| i * step.max(1) % all).take_while(|&op| self.choose(op)).for_each(drop);
    }

    /// Whether there was room left.
    fn choose(&mut self, op: usize) -> bool {
        if self.chosen[op] {
            return true;
        }
        let cost = cost(&self.ops[op]);
        let fits = cost <= self.left;
        if fits {
            self.left -= cost;
            self.chosen[op] = true;
        }
        fits
    }
}

/// The witnesses of the anomalies that are shown.
pub(super) fn witnesses(
    ops: &[Operation],
    anomalies: &[Anomaly],
    history: &History,
    faults: &[Fault],
) -> Vec<Witness> {
    let places = places(ops);
    let shown = anomalies.iter().take(ANOMALIES);
    let witness = |anomaly| witness(ops, &places, anomaly, history, faults);
    shown.map(witness).collect()
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// An upper bound: a text that many calls share is there only once.
fn cost(op: &Operation) -> usize {
    CALL + json_length(&words::call(op, LABEL)) + json_length(&words::detail(op, DETAIL))
}

/// The bytes of a text as the page writes it.
fn json_length(text: &str) -> usize {
    let length = |c: char| match c {
        '<' | '>' | '&' => r"\u003c".len(),
        '"' | '\\' => 2,
        c => c.len_utf8(),
    };
    text.chars().map(length).sum()
}

/// From the first event to the last.
pub(super) fn span(history: &History) -> (Nanos, Nanos) {
    (history.events().next().map_or(0, |event| event.time()), history.duration())
}

/// The operation of each event index.
fn places(ops: &[Operation]) -> HashMap<u64, usize> {
    let completions =
        ops.iter().enumerate().filter_map(|(at, op)| Some((op.completion()?.index(), at)));
    let invocations = ops.iter().enumerate().map(|(at, op)| (op.start(), at));
    invocations.chain(completions).collect()
}

fn witness(
    ops: &[Operation],
    places: &HashMap<u64, usize>,
    anomaly: &Anomaly,
    history: &History,
    faults: &[Fault],
) -> Witness {
    let span = span(history);
    let mut own: Vec<usize> =
        anomaly.ops.iter().filter_map(|index| places.get(index).copied()).collect();
    own.sort_unstable();
    own.dedup();
    let window = anomaly.window.or_else(|| window(ops, &own)).unwrap_or(span);
    let window = (window.0.min(window.1), window.0.max(window.1));
    let mut beside = beside(ops, key(history, anomaly), window);
    let first: Vec<usize> = beside.by_ref().take(BESIDE).collect();
    let concurrent = first.len() + beside.count();
    Witness { ops: own, window, frame: frame(window, faults, span.1), beside: first, concurrent }
}

/// An anomaly's key, as the history keeps it.
fn key(history: &History, anomaly: &Anomaly) -> Option<Datum> {
    anomaly.key.as_ref().map(|key| history.values().find(key))
}

/// A window, widened to the beginnings and the ends of the faults in it.
fn frame(window: (Nanos, Nanos), faults: &[Fault], end: Nanos) -> (Nanos, Nanos) {
    let (from, until) = window;
    let most = (until - from).saturating_mul(FRAME);
    let acting = faults.iter().filter(|fault| fault.may_overlap(from, until));
    acting.fold(window, |(left, right), fault| {
        let wider = (left.min(fault.from), right.max(fault.until.unwrap_or(end)));
        if wider.1.saturating_sub(wider.0) <= most { wider } else { (left, right) }
    })
}

/// From the first invocation of a witness to its last completion.
fn window(ops: &[Operation], witness: &[usize]) -> Option<(Nanos, Nanos)> {
    let from = witness.iter().map(|&at| ops[at].invoked_at()).min()?;
    let until = witness.iter().map(|&at| last_seen(&ops[at])).max()?;
    Some((from, until))
}

/// The calls that ran at some time of a window on `key`, in the order of their invocations.
fn beside<'a>(
    ops: &'a [Operation],
    key: Option<Datum>,
    (from, until): (Nanos, Nanos),
) -> impl Iterator<Item = usize> + 'a {
    let on_key =
        move |op: &Operation| key.is_none_or(|key| op.key().is_none_or(|its| its.datum() == key));
    let begun = ops.iter().enumerate().take_while(move |(_, op)| op.invoked_at() <= until);
    begun.filter(move |(_, op)| from <= last_seen(op) && on_key(op)).map(|(at, _)| at)
}

/// When its last event was.
pub(super) fn last_seen(op: &Operation) -> Nanos {
    op.completion().map_or(op.invoked_at(), |end| end.time())
}
