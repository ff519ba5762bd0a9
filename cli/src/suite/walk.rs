//! The walk through a suite: every cell, seed by seed, several cells at a time where that is asked for.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use tokio::runtime::Runtime;

use super::cell::{Cell, Expected};
use super::found::{Finding, Found};
use super::outcome::Outcome;
use super::table::Table;
use super::tally::Tally;
use crate::commands::run::once;
use crate::interrupt::{self, Interrupt};
use crate::plan::Plan;
use crate::{Exit, progress, sentence};

/// How the cells are walked through.
pub struct Walk {
    /// The folder of runs.
    pub store: PathBuf,
    /// So many cells at a time.
    pub at_once: usize,
    /// Whether a canary is left as soon as it was found often enough; else its rate is learned.
    pub stop_when_convicted: bool,
}

/// What a walk ended with.
pub struct Walked {
    /// What came of the cells, in order; those after an interruption are missing.
    pub outcomes: Vec<Outcome>,
    /// Whether the user ended it.
    pub interrupted: bool,
}

impl Walk {
    /// Whether all cells can be run, before the first one is.
    ///
    /// # Errors
    /// What is wrong with the first that cannot.
    pub fn rehearse(&self, cells: &[Cell]) -> anyhow::Result<()> {
        for cell in cells {
            let seed = cell.seeds.first().copied().unwrap_or(1);
            Plan::of(&cell.run(seed, &self.store)).map_err(|error| {
                error.context(format!("cell {}", cell.name)).context(Exit::Usage)
            })?;
        }
        Ok(())
    }

    /// Runs them, and prints a line for each.
    ///
    /// # Errors
    /// Where the process cannot have a runtime.
    pub fn run(&self, cells: &[Cell]) -> anyhow::Result<(Walked, Tally)> {
        let runtime = Runtime::new()?;
        let interrupt = runtime.block_on(async { Interrupt::listen() })?;
        let table = Table::of(cells);
        println!("{}", table.heading());
        let (next, (told, ended)) = (AtomicUsize::new(0), mpsc::channel());
        // Each of them is a thread's: a run that judges keeps its thread busy, and another one's load
        // must not wait for it.
        let done = std::thread::scope(|scope| {
            for _ in 0..self.at_once {
                let (told, next, runtime, interrupt) = (told.clone(), &next, &runtime, &interrupt);
                scope.spawn(move || {
                    while let at = next.fetch_add(1, Ordering::Relaxed)
                        && let Some(cell) = cells.get(at)
                    {
                        let outcome = runtime.block_on(self.cell(cell, interrupt));
                        let over = outcome.is_none();
                        if told.send((at, outcome)).is_err() || over {
                            break;
                        }
                    }
                });
            }
            drop(told);
            collect(cells, &table, &ended)
        });
        interrupt::end(runtime);
        Ok(done)
    }

    /// One cell; `None` where the user interrupted it.
    async fn cell(&self, cell: &Cell, interrupt: &Interrupt) -> Option<Outcome> {
        let mut findings: Vec<Finding> = Vec::new();
        for &seed in &cell.seeds {
            findings.push(self.once(cell, seed, interrupt).await?);
            if self.stop_when_convicted && convicted(cell, &findings) {
                break;
            }
        }
        Some(Outcome::of(cell, findings))
    }

    async fn once(&self, cell: &Cell, seed: u64, interrupt: &Interrupt) -> Option<Finding> {
        if *interrupt.stop.borrow() {
            return None;
        }
        let begun = Instant::now();
        // Several live lines would write over each other.
        let listener = if self.at_once == 1 { progress::listener() } else { progress::silence() };
        let ended = match Plan::of(&cell.run(seed, &self.store)) {
            Ok(plan) => once(&plan, interrupt, listener).await,
            Err(error) => Err(error),
        };
        let (found, sentence, report) = match ended {
            Ok(None) => return None,
            Ok(Some(ended)) if ended.exit == Exit::Interrupted => return None,
            Ok(Some(ended)) => {
                // Of a canary, what it is a canary of.
                let anomalies = &ended.finished.verdict.anomalies;
                let told = anomalies.iter().find(|it| cell.expected.names().contains(&it.name));
                let sentence = told.or(anomalies.first()).map(|anomaly| anomaly.message.clone());
                (Found::of(&ended), sentence, Some(ended.folder.report_path()))
            }
            Err(error) => (Found::Failed(sentence(&error)), None, None),
        };
        Some(Finding { seed, found, sentence, report, took: begun.elapsed() })
    }
}

fn convicted(cell: &Cell, findings: &[Finding]) -> bool {
    match &cell.expected {
        Expected::Valid => false,
        Expected::Anomaly { names, seeds } => {
            findings.iter().filter(|it| it.found.convicts(names)).count() >= *seeds
        }
    }
}

/// Prints the cells in their order, each as soon as those before it are known.
fn collect(
    cells: &[Cell],
    table: &Table,
    ended: &mpsc::Receiver<(usize, Option<Outcome>)>,
) -> (Walked, Tally) {
    let mut waiting: Vec<Option<Outcome>> = cells.iter().map(|_| None).collect();
    let mut walked = Walked { outcomes: Vec::new(), interrupted: false };
    let mut tally = Tally::default();
    for (at, outcome) in ended {
        walked.interrupted |= outcome.is_none();
        waiting[at] = outcome;
        while let Some(outcome) = waiting.get_mut(walked.outcomes.len()).and_then(Option::take) {
            println!("{}", table.line(walked.outcomes.len(), &outcome));
            for finding in outcome.remarkable() {
                print_finding(finding);
            }
            tally.count(&outcome);
            walked.outcomes.push(outcome);
        }
    }
    (walked, tally)
}

fn print_finding(finding: &Finding) {
    if let Some(sentence) = &finding.sentence {
        println!("      {sentence}");
    }
    if let Some(report) = &finding.report {
        println!("      seed {}: {}", finding.seed, report.display());
    }
}
