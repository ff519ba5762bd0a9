//! The end of a run, for a terminal: what the page says first, in plain text.
//! No colours: it is also pasted into issues.

use tribunal_checkers::Verdict;
use tribunal_history::{Fault, History, Operation};

use super::evidence::{self, Tally};
use super::kinds::kinds;
use super::lanes;
use super::selection::{Witness, witnesses};
use super::words;
use crate::store::RunRecord;

/// Columns where nobody says how many there are.
const COLUMNS: usize = 100;
/// No terminal is so narrow that a timeline says nothing, or so wide that a line is lost in it.
const READABLE: std::ops::RangeInclusive<usize> = 60..=120;
/// Kinds of anomalies that are told; the rest is counted.
const KINDS: usize = 3;
/// Reasons of an unknown verdict.
const REASONS: usize = 5;
/// Lines of a database's log below a reason.
const LOG_LINES: usize = 8;
/// Calls of a witness, and faults, that are drawn.
const CALLS: usize = 12;
const FAULTS: usize = 5;

/// The verdict, its evidence and what was done for it, at most a hundred columns wide.
pub fn summary(run: &RunRecord, history: &History, verdict: &Verdict) -> String {
    summary_within(COLUMNS, run, history, verdict)
}

/// The same for a terminal with so many columns.
pub fn summary_within(
    columns: usize,
    run: &RunRecord,
    history: &History,
    verdict: &Verdict,
) -> String {
    let columns = columns.clamp(*READABLE.start(), *READABLE.end());
    let faults = history.faults();
    let mut lines = vec![headline(run, verdict, columns)];
    lines.extend(messages(verdict, columns));
    lines.extend(timeline(history, verdict, &faults, columns));
    for levels in levels_in_words(verdict) {
        wrap(&mut lines, "  ", &levels, columns);
    }
    let (calls, faults) = (Tally::of(history).in_words(), evidence::faults_in_words(&faults));
    wrap(&mut lines, "  ", &format!("{calls}; {faults}"), columns);
    if let Some(clocks) = evidence::clocks_in_words(&run.clocks) {
        wrap(&mut lines, "  ", &clocks, columns);
    }
    if let Some(why) = &run.ended {
        wrap(&mut lines, "  ended early: ", &words::clip(why, 400), columns);
    }
    if !run.command.is_empty() {
        // A command is pasted, so it stays whole on its line.
        lines.push(format!("again    {}", words::clip(&run.command, 4_000)));
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

/// Of each checker that tells levels of isolation: "keeps causal; breaks snapshot-isolation".
fn levels_in_words(verdict: &Verdict) -> Vec<String> {
    let mut all: Vec<String> = verdict.checkers.values().flat_map(levels_in_words).collect();
    let names = |fact: &str| {
        let levels = verdict.facts.get(fact)?.as_array()?;
        let names: Vec<&str> = levels.iter().filter_map(|level| level.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let kept = names("levels_kept").map(|levels| format!("keeps {levels}"));
    let broken = names("levels_broken").map(|levels| format!("breaks {levels}"));
    let told: Vec<String> = kept.into_iter().chain(broken).collect();
    all.extend((!told.is_empty()).then(|| told.join("; ")));
    all
}

fn headline(run: &RunRecord, verdict: &Verdict, columns: usize) -> String {
    let word = format!("{:?}", verdict.validity).to_uppercase();
    let known = [(&run.test, ""), (&run.workload, ""), (&run.seed, "seed "), (&run.id, "run ")];
    let said = known.iter().filter(|(text, _)| !text.is_empty());
    let said: Vec<_> =
        said.map(|(text, what)| format!("{what}{}", words::clip(text, 40))).collect();
    words::clip(format!("{word:<8}  {}", said.join(" · ")).trim_end(), columns - 1)
}

/// The first anomaly of each kind; the others of its kind are counted.
fn messages(verdict: &Verdict, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let all = kinds(&verdict.anomalies);
    for kind in all.iter().take(KINDS) {
        let anomaly = kind.anomalies[0];
        let key = anomaly.key.as_ref().map(|key| format!(" on key {}", words::value(key, 30)));
        let what = format!("{}{}: ", words::clip(kind.name, 30), key.unwrap_or_default());
        let message = words::clip(&words::message(anomaly), 600);
        wrap(&mut lines, "  ", &(what + &message), columns);
        if kind.anomalies.len() > 1 {
            wrap(&mut lines, "    ", &format!("and {}", kind.others()), columns);
        }
    }
    let more: usize = all.iter().skip(KINDS).map(|kind| kind.anomalies.len()).sum();
    if more > 0 {
        lines.push(format!("  and {} of other kinds", words::counted(more, "anomaly")));
    }
    let unknowns = &verdict.unknowns;
    for why in unknowns.iter().take(REASONS) {
        reason(&mut lines, why, columns);
    }
    let more = unknowns.len().saturating_sub(REASONS);
    if more > 0 {
        lines.push(format!("  and {} more, in the report", words::counted(more, "reason")));
    }
    lines
}

/// Why something is not known: a sentence, and where lines of a log follow it, the last of them.
fn reason(lines: &mut Vec<String>, why: &str, columns: usize) {
    let mut told = why.lines();
    let sentence = told.next().unwrap_or_default();
    wrap(lines, "  not known: ", &words::clip(sentence, 400), columns);
    let log: Vec<&str> = told.filter(|line| !line.trim().is_empty()).collect();
    let last = &log[log.len().saturating_sub(LOG_LINES)..];
    lines.extend(
        last.iter().map(|line| words::clip(&format!("    {}", line.trim_end()), columns - 1)),
    );
}

/// The first witness with its faults above, if there is one.
fn timeline(history: &History, verdict: &Verdict, faults: &[Fault], columns: usize) -> Vec<String> {
    let first = verdict.anomalies.get(..1).unwrap_or_default();
    if first.is_empty() {
        return Vec::new();
    }
    let ops: Vec<_> = history.operations().collect();
    let Some(witness) = witnesses(&ops, first, history, faults).pop() else { return Vec::new() };
    if witness.ops.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new()];
    lines.extend(draw(&witness, &ops, faults, columns));
    let more = witness.ops.len().saturating_sub(CALLS);
    if more > 0 {
        lines.push(format!("  and {} of this witness", words::counted(more, "more call")));
    }
    lines.push(String::new());
    lines
}

fn draw(witness: &Witness, ops: &[Operation], faults: &[Fault], columns: usize) -> Vec<String> {
    let (from, until) = witness.frame;
    let calls: Vec<_> = witness.ops.iter().take(CALLS).map(|&at| &ops[at]).collect();
    let acting = faults.iter().filter(|fault| fault.may_overlap(from, until));
    let acting: Vec<_> = acting.take(FAULTS).collect();
    lanes::draw(&calls, &acting, witness.frame, columns)
}

/// Breaks `text` between words; further lines stand under the first.
fn wrap(lines: &mut Vec<String>, head: &str, text: &str, columns: usize) {
    let mut line = head.to_owned();
    let mut used = line.chars().count();
    let indent = used;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > indent && used + 1 + length > columns {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            used = indent;
        }
        if used > indent {
            line.push(' ');
            used += 1;
        }
        // A word longer than a line, such as a value from the database, is cut.
        let room = columns - indent - 1;
        line.push_str(&words::clip(word, room));
        used += length.min(room + 1);
    }
    lines.push(line);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn levels_are_told_of_whatever_part_knows_them() {
        let part = Verdict::valid()
            .fact("levels_kept", json!(["causal"]))
            .fact("levels_broken", json!(["snapshot-isolation", "repeatable-read"]));
        let mut verdict = Verdict::valid();
        verdict.checkers.insert("list-append".to_owned(), part);
        let told = levels_in_words(&verdict);
        assert_eq!(told, ["keeps causal; breaks snapshot-isolation, repeatable-read"]);
        assert!(levels_in_words(&Verdict::valid().fact("levels_kept", json!([]))).is_empty());
    }
}
