//! `tribunal show`: a run's verdict, in the terminal.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use tribunal_checkers::Verdict;
use tribunal_harness::report;
use tribunal_harness::store::RunRecord;

use super::check::find_run;
use crate::{Exit, terminal};

/// Shows a stored run: its verdict, its evidence and where its files are.
#[derive(Args)]
pub struct Show {
    /// The run: an id's beginning, `latest`, `latest-fail`, `-2`, or its folder.
    #[arg(default_value = "latest", allow_negative_numbers = true)]
    run: String,
    /// The folder of runs.
    #[arg(long, default_value = "store")]
    store: PathBuf,
}

impl Show {
    /// Prints it; the exit code is the verdict's.
    pub fn run(self) -> anyhow::Result<Exit> {
        let folder = find_run(&self.store, &self.run)?;
        // What is left of a damaged run is shown, with what is wrong with it.
        let record = folder.record().unwrap_or_else(|error| {
            eprintln!("tribunal: {error}");
            RunRecord { id: folder.id(), ..RunRecord::default() }
        });
        let history = folder.history().map_err(|error| anyhow!(error).context(Exit::Usage))?;
        let again = format!("`tribunal check {}` judges it", folder.id());
        let verdict = match folder.verdict() {
            Ok(Some(verdict)) => verdict,
            Ok(None) => Verdict::unknown(format!("it was never judged; {again}")),
            Err(error) => Verdict::unknown(format!("{error}; {again} again")),
        };
        print!("{}", report::summary_within(terminal::columns(), &record, &history, &verdict));
        println!("history  {}", folder.history_path().display());
        println!("report   {}", folder.report_path().display());
        Ok(verdict.validity.into())
    }
}
