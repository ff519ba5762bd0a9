//! The page: the template filled in, with its style, its script and their hashes.
//!
//! The template escapes whatever it is given; only our own assets, and data in
//! which no `<` is left, go in as they are.

use std::collections::BTreeMap;

use base64::Engine;
use minijinja::{Environment, value};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tribunal_checkers::{Validity, Verdict};
use tribunal_history::{Fault, History, Value};

use super::evidence::{self, Tally};
use super::kinds::{OfAKind, kinds};
use super::moment::{Moment, moment};
use super::selection::{ANOMALIES, DETAIL, Selection, span};
use super::told::{self, MESSAGE};
use super::{terminal, timeline, words};
use crate::store::{NodeLog, RunRecord};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str =
    concat!(include_str!("layout.js"), include_str!("timeline.js"), include_str!("page.js"));

/// Rows of the table of faults.
const FAULTS: usize = 200;

/// What the template shows, in its order.
#[derive(Serialize)]
struct Page {
    style: &'static str,
    style_hash: String,
    script: &'static str,
    script_hash: String,
    data: String,
    title: String,
    meta: Vec<(&'static str, String)>,
    command: String,
    ended: Option<String>,
    validity: &'static str,
    verdict: String,
    sentence: String,
    summary: String,
    shown: String,
    anomalies: Vec<told::Broken>,
    moment: Option<Moment>,
    anomaly_count: String,
    kinds: Vec<String>,
    tried: Vec<told::Tried>,
    more_anomalies: usize,
    unknowns: Vec<String>,
    faults: Vec<told::Harm>,
    marks: usize,
    fault_count: String,
    more_faults: usize,
    calls: String,
    clocks: Option<String>,
    by_function: Vec<evidence::Row>,
    by_node: Vec<evidence::Row>,
    checkers: Vec<told::Part>,
    environment: Vec<(&'static str, String)>,
}

/// The page of a run, whose database wrote these logs.
pub fn render(run: &RunRecord, history: &History, verdict: &Verdict, logs: &[NodeLog]) -> String {
    let page = page(run, history, verdict, logs);
    Environment::new()
        .render_named_str("page.html", TEMPLATE, value::Serde(page))
        .expect("the template is ours and names only what a page has")
}

fn page(run: &RunRecord, history: &History, verdict: &Verdict, logs: &[NodeLog]) -> Page {
    let faults = history.faults();
    let selection = Selection::of(history, &verdict.anomalies, &faults);
    let word = told::word(verdict.validity).to_uppercase();
    let data = timeline::data(history, &selection, &verdict.anomalies, &faults);
    Page {
        style: STYLE,
        style_hash: hash(STYLE),
        script: SCRIPT,
        script_hash: hash(SCRIPT),
        data: json(&data),
        title: words::clip(&format!("{word} · {} · {}", run.test, run.id), 200),
        meta: meta(run),
        command: words::clip(&run.command, MESSAGE),
        ended: run.ended.as_ref().map(|why| words::clip(why, MESSAGE)),
        validity: told::word(verdict.validity),
        verdict: word,
        sentence: sentence(history, verdict, &faults),
        summary: terminal::summary(run, history, verdict),
        shown: shown_calls(&selection),
        anomalies: told::anomalies(verdict, &selection, &faults),
        moment: said_meanwhile(run, history, &selection, logs),
        anomaly_count: words::counted(verdict.anomalies.len(), "anomaly"),
        kinds: kinds(&verdict.anomalies).iter().map(OfAKind::all).collect(),
        tried: told::tried(&faults),
        more_anomalies: verdict.anomalies.len().saturating_sub(ANOMALIES),
        unknowns: told::clipped(&verdict.unknowns, ANOMALIES),
        faults: faults.iter().take(FAULTS).map(told::fault).collect(),
        marks: data.marks.len(),
        fault_count: evidence::faults_in_words(&faults),
        more_faults: faults.len().saturating_sub(FAULTS),
        calls: Tally::of(history).in_words(),
        clocks: evidence::clocks_in_words(&run.clocks),
        by_function: evidence::table(history, |op| op.f()),
        by_node: evidence::table(history, |op| {
            op.node().filter(|node| !node.is_empty()).unwrap_or("no node")
        }),
        checkers: told::checkers(verdict),
        environment: environment(run, history),
    }
}

/// What the database said around the first anomaly.
fn said_meanwhile(
    run: &RunRecord,
    history: &History,
    selection: &Selection,
    logs: &[NodeLog],
) -> Option<Moment> {
    let witness = selection.witnesses.first()?;
    let end = history.events().next_back()?.time();
    moment(logs, run.origin_ns?, end, witness.window)
}

/// Data for a `<script>`: no `<` in it can end or open anything.
fn json(data: &impl Serialize) -> String {
    let text = serde_json::to_string(data).expect("columns of numbers and texts");
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// As a Content-Security-Policy names an inline script or style.
fn hash(content: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(content))
}

/// The one sentence under the verdict.
fn sentence(history: &History, verdict: &Verdict, faults: &[Fault]) -> String {
    let said = match verdict.validity {
        Validity::Invalid => verdict.anomalies.first().map(words::message),
        Validity::Unknown => {
            verdict.unknowns.first().and_then(|why| why.lines().next()).map(str::to_owned)
        }
        Validity::Valid if Tally::of(history).calls() == 0 => {
            Some("Nothing was called, so nothing could be broken.".to_owned())
        }
        Validity::Valid => Some(format!(
            "No promise was broken by {}; {}.",
            Tally::of(history).in_words(),
            evidence::faults_in_words(faults)
        )),
    };
    said.map_or_else(|| "The checkers gave no reason.".to_owned(), |it| words::clip(&it, MESSAGE))
}

fn shown_calls(selection: &Selection) -> String {
    let (shown, all) = (selection.size(), selection.ops.len());
    match shown == all {
        true => format!("all {}", words::counted(all, "call")),
        false => format!(
            "{} of {}: every witness, and a sample spread evenly over the run; the overview counts all",
            words::count(shown),
            words::counted(all, "call")
        ),
    }
}

/// What the head of the page says of the run.
fn meta(run: &RunRecord) -> Vec<(&'static str, String)> {
    let known = [
        ("test", &run.test),
        ("workload", &run.workload),
        ("seed", &run.seed),
        ("run", &run.id),
        ("started", &words::moment(&run.started)),
    ];
    let known = known.into_iter().filter(|(_, it)| !it.is_empty());
    known.map(|(name, it)| (name, words::clip(it, DETAIL))).collect()
}

/// What was tried, a line each, without what is empty.
fn environment(run: &RunRecord, history: &History) -> Vec<(&'static str, String)> {
    let pairs = |map: &BTreeMap<String, Value>| {
        let told = map.iter().map(|(name, it)| format!("{name}={}", words::value(it, DETAIL)));
        told.collect::<Vec<_>>().join(" ")
    };
    let rate = match run.rate {
        0.0 => "as fast as possible".to_owned(),
        rate => format!("{rate} calls a second"),
    };
    let lines = [
        ("run", run.id.clone()),
        ("test", run.test.clone()),
        ("workload", run.workload.clone()),
        ("options", pairs(&run.options)),
        ("variables", pairs(&run.vars)),
        ("seed", run.seed.clone()),
        ("started", run.started.clone()),
        (
            "time",
            format!(
                "{} s asked for, {} recorded",
                run.time_s,
                words::duration(span(history).1 - span(history).0)
            ),
        ),
        ("nodes", run.nodes.join(" ")),
        ("faults", run.faults.join(" ")),
        ("rate", rate),
        ("concurrency", format!("{} processes at once", run.concurrency)),
        ("events", words::count(history.len())),
        ("command", run.command.clone()),
        ("version", run.version.clone()),
        ("ended early", run.ended.clone().unwrap_or_default()),
    ];
    lines
        .into_iter()
        .filter(|(_, it)| !it.is_empty())
        .map(|(n, it)| (n, words::clip(&it, 2_000)))
        .collect()
}
