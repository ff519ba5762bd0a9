//! `tribunal ls`: the runs in the store.

use std::path::PathBuf;

use clap::Args;
use console::Term;
use jiff::{SignedDuration, Timestamp};
use tribunal_checkers::{Anomaly, Verdict};
use tribunal_harness::store::{RunFolder, RunRecord, Store};

use super::check::word;
use crate::{Exit, terminal};

/// Lists the stored runs, the newest first.
#[derive(Args)]
pub struct Ls {
    /// Only runs of this test.
    test: Option<String>,
    /// At most so many.
    #[arg(short = 'n', long, default_value_t = 20)]
    most: usize,
    /// The folder of runs.
    #[arg(long, default_value = "store")]
    store: PathBuf,
}

const HEADER: [&str; 8] = ["RUN", "AGE", "VERDICT", "TEST", "WORKLOAD", "SET", "BROKEN", "FAULTS"];

/// A line of the table; of a damaged run the last part says what is wrong.
type Line = [String; HEADER.len()];

impl Ls {
    /// Prints a line a run.
    pub fn run(self) -> anyhow::Result<Exit> {
        let mut runs = Store::new(&self.store).runs();
        if let Some(test) = &self.test {
            runs.retain(|run| run.path().parent().is_some_and(|parent| parent.ends_with(test)));
        }
        if runs.is_empty() {
            eprintln!("no runs in {}; `tribunal run TEST.toml` makes one", self.store.display());
            return Ok(Exit::Valid);
        }
        let lines: Vec<Line> = runs.iter().take(self.most).map(line).collect();
        // What is piped is for a program, which takes all of a line.
        let columns = Term::stdout().is_term().then(terminal::columns);
        print!("{}", table(&lines, columns));
        if runs.len() > self.most {
            eprintln!("… and {} older ones (-n {} shows all)", runs.len() - self.most, runs.len());
        }
        Ok(Exit::Valid)
    }
}

/// A run that is damaged is listed too, with what is wrong.
fn line(run: &RunFolder) -> Line {
    let record = match run.record() {
        Ok(record) => record,
        Err(error) => {
            let mut line = Line::default();
            [line[0], line[2], line[7]] = [run.id(), "damaged".to_owned(), error.to_string()];
            return line;
        }
    };
    let (verdict, wrong) = match run.verdict() {
        Ok(verdict) => (verdict, String::new()),
        Err(error) => (None, error.to_string()),
    };
    [
        run.id(),
        begun(&record).unwrap_or_default(),
        if wrong.is_empty() { word(verdict.as_ref().map(|it| it.validity)) } else { "damaged" }
            .to_owned(),
        record.test.clone(),
        record.workload.clone(),
        set(&record),
        verdict.as_ref().map(broken).unwrap_or_default(),
        [&*faults(&record), &*ended(&record), &*wrong].join(" ").trim().to_owned(),
    ]
}

/// Columns as wide as what stands in them; one that is empty is left out.
fn table(lines: &[Line], columns: Option<usize>) -> String {
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADER.len()).map(width).collect();
    let row = |cells: [&str; HEADER.len()]| {
        let shown = cells.iter().zip(&widths).zip(HEADER).filter(|((_, width), _)| **width > 0);
        let padded = shown
            .map(|((cell, width), name)| format!("{cell:<wide$}", wide = name.len().max(*width)));
        let text = padded.collect::<Vec<_>>().join("  ");
        let text = text.trim_end();
        text.chars().take(columns.unwrap_or(usize::MAX)).collect::<String>() + "\n"
    };
    let body = lines.iter().map(|line| row(line.each_ref().map(String::as_str)));
    std::iter::once(row(HEADER)).chain(body).collect()
}

/// How long ago it began.
fn begun(record: &RunRecord) -> Option<String> {
    let began: Timestamp = record.started.parse().ok()?;
    let ago = Timestamp::now().duration_since(began).max(SignedDuration::ZERO);
    ago.try_into().ok().map(terminal::age)
}

/// The variables: they tell the trials of one test apart.
fn set(record: &RunRecord) -> String {
    let pair = |(name, value): (&String, &serde_json::Value)| match value.as_str() {
        Some(text) => format!("{name}={text}"),
        None => format!("{name}={value}"),
    };
    record.vars.iter().map(pair).collect::<Vec<_>>().join(",")
}

/// What was found: `lost-write 26`, or `split-brain 2 +` where there is more of other kinds.
fn broken(verdict: &Verdict) -> String {
    let Some(Anomaly { name, .. }) = verdict.anomalies.first() else { return String::new() };
    let same = verdict.anomalies.iter().filter(|anomaly| anomaly.name == *name).count();
    let others = if same < verdict.anomalies.len() { " +" } else { "" };
    format!("{name} {same}{others}")
}

fn faults(record: &RunRecord) -> String {
    if record.faults.is_empty() { "no faults".to_owned() } else { record.faults.join(",") }
}

fn ended(record: &RunRecord) -> String {
    record.ended.as_ref().map(|why| format!("({why})")).unwrap_or_default()
}
