//! `tribunal show`: a run's verdict, in the terminal.

use std::path::PathBuf;

use clap::Args;
use tribunal_checkers::Verdict;
use tribunal_harness::report;

use super::check::find_run;
use crate::Exit;

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
        let record = folder.record()?;
        let history = folder.history()?;
        let judged = folder.verdict()?;
        let verdict = judged.unwrap_or_else(|| {
            Verdict::unknown(format!("it was never judged; `tribunal check {}` does", folder.id()))
        });
        println!("{}", report::summary(&record, &history, &verdict));
        println!("report   {}", folder.report_path().display());
        println!("history  {}", folder.history_path().display());
        println!("again    {}", record.command);
        Ok(verdict.validity.into())
    }
}
