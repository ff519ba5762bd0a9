//! The end of a run, for a terminal: what the page says first, in plain text of
//! at most a hundred columns. No colours: it is also pasted into issues.

use tribunal_checkers::{Validity, Verdict};
use tribunal_history::{Fault, History, Operation};

use super::evidence::{self, Tally};
use super::lanes::{self, WIDTH};
use super::selection::{Witness, witnesses};
use super::words;
use crate::store::RunRecord;

/// Anomalies that are told; the rest is counted.
const MESSAGES: usize = 3;
/// Calls of a witness, and faults, that are drawn.
const CALLS: usize = 12;
const FAULTS: usize = 5;

/// The verdict, its evidence and what was done for it.
pub fn summary(run: &RunRecord, history: &History, verdict: &Verdict) -> String {
    let faults = history.faults();
    let mut lines = vec![headline(run, verdict)];
    lines.extend(messages(verdict));
    lines.extend(timeline(history, verdict, &faults));
    let (calls, faults) = (Tally::of(history).in_words(), evidence::faults_in_words(&faults));
    lines.push(format!("  {calls}; {faults}"));
    if let Some(why) = &run.ended {
        wrap(&mut lines, "  ended early: ", &words::clip(why, 400));
    }
    if verdict.validity != Validity::Valid && !run.command.is_empty() {
        // A command is pasted, so it stays whole on its line.
        lines.push(format!("  again: {}", words::clip(&run.command, 4_000)));
    }
    lines.join("\n") + "\n"
}

/// A fault by its name and its plan: `partition-halves {n1 n2 | n3 n4 n5}`.
pub(super) fn fault_in_words(fault: &Fault) -> String {
    match fault.summary.is_empty() {
        true => format!("{} {}", fault.name, fault.nodes.join(" ")).trim_end().to_owned(),
        false => format!("{} {}", fault.name, fault.summary),
    }
}

fn headline(run: &RunRecord, verdict: &Verdict) -> String {
    let word = format!("{:?}", verdict.validity).to_uppercase();
    let known = [(&run.test, ""), (&run.workload, ""), (&run.seed, "seed "), (&run.id, "run ")];
    let said = known.iter().filter(|(text, _)| !text.is_empty());
    let said: Vec<_> =
        said.map(|(text, what)| format!("{what}{}", words::clip(text, 40))).collect();
    words::clip(format!("{word:<8}  {}", said.join(" · ")).trim_end(), WIDTH - 1)
}

fn messages(verdict: &Verdict) -> Vec<String> {
    let mut lines = Vec::new();
    for anomaly in verdict.anomalies.iter().take(MESSAGES) {
        let key = anomaly.key.as_ref().map(|key| format!(" on key {}", words::value(key, 30)));
        let what = format!("{}{}: ", words::clip(&anomaly.name, 30), key.unwrap_or_default());
        wrap(&mut lines, "  ", &(what + &words::clip(&anomaly.message, 600)));
    }
    let more = verdict.anomalies.len().saturating_sub(MESSAGES);
    if more > 0 {
        lines.push(format!("  and {} more", words::counted(more, "anomaly")));
    }
    for why in verdict.unknowns.iter().take(MESSAGES) {
        wrap(&mut lines, "  not known: ", &words::clip(why, 400));
    }
    lines
}

/// The first witness with its faults above, if there is one.
fn timeline(history: &History, verdict: &Verdict, faults: &[Fault]) -> Vec<String> {
    let ops: Vec<_> = history.operations().collect();
    let first = verdict.anomalies.get(..1).unwrap_or_default();
    let Some(witness) = witnesses(&ops, first, history).pop() else { return Vec::new() };
    if witness.ops.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new()];
    lines.extend(draw(&witness, &ops, faults));
    let more = witness.ops.len().saturating_sub(CALLS);
    if more > 0 {
        lines.push(format!("  and {} of this witness", words::counted(more, "more call")));
    }
    lines.push(String::new());
    lines
}

fn draw(witness: &Witness, ops: &[Operation], faults: &[Fault]) -> Vec<String> {
    let (from, until) = witness.window;
    let calls: Vec<_> = witness.ops.iter().take(CALLS).map(|&at| &ops[at]).collect();
    let acting = faults.iter().filter(|fault| fault.may_overlap(from, until));
    let acting: Vec<_> = acting.take(FAULTS).collect();
    lanes::draw(&calls, &acting, witness.window)
}

/// Breaks `text` between words; further lines stand under the first.
fn wrap(lines: &mut Vec<String>, head: &str, text: &str) {
    let mut line = head.to_owned();
    let mut used = line.chars().count();
    let indent = used;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > indent && used + 1 + length > WIDTH {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            used = indent;
        }
        if used > indent {
            line.push(' ');
            used += 1;
        }
        // A word longer than a line, such as a value from the database, is cut.
        let room = WIDTH - indent - 1;
        line.push_str(&words::clip(word, room));
        used += length.min(room + 1);
    }
    lines.push(line);
}
