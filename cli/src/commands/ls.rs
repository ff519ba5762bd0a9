//! `tribunal ls`: the runs in the store.

use std::path::PathBuf;

use clap::Args;
use tribunal_harness::store::{RunFolder, Store};

use super::check::word;
use crate::Exit;

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

impl Ls {
    /// Prints a line a run.
    pub fn run(self) -> anyhow::Result<Exit> {
        let mut runs = Store::new(&self.store).runs();
        if let Some(test) = &self.test {
            runs.retain(|run| run.path().parent().is_some_and(|parent| parent.ends_with(test)));
        }
        if runs.is_empty() {
            eprintln!("no runs in {}; `tribunal run TEST.toml` makes one", self.store.display());
        }
        for run in runs.iter().take(self.most) {
            println!("{}", line(run));
        }
        if runs.len() > self.most {
            eprintln!("… and {} older ones (-n {} shows all)", runs.len() - self.most, runs.len());
        }
        Ok(Exit::Valid)
    }
}

/// A run that is damaged is listed too, with what is wrong.
fn line(run: &RunFolder) -> String {
    let id = run.id();
    let record = match run.record() {
        Ok(record) => record,
        Err(error) => return format!("{id:<26} {error}"),
    };
    let verdict = run.verdict().ok().flatten().map(|verdict| verdict.validity);
    let mut line = format!(
        "{id:<26} {:<10} {:<14} {:<13} {}",
        word(verdict),
        record.test,
        record.workload,
        if record.faults.is_empty() { "no faults".into() } else { record.faults.join(",") },
    );
    if let Some(ended) = &record.ended {
        line.push_str(&format!("  ({ended})"));
    }
    line
}
