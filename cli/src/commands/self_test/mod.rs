//! `tribunal self-test`: the harness on trial. Every bundled database with a seeded bug must be
//! convicted, and every one without must be acquitted, by the workload and the faults that a table names.
//!
//! The guilty are tried under the pinned seeds until one convicts them of what the table says; the
//! innocent under ten others, each of which must acquit them, having seen all their faults act.

mod docket;
mod outcome;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use tribunal_generator::Seed;
use tribunal_harness::test_file::parse_duration;

use self::docket::{Case, Docket, NO_BUG};
use self::outcome::{Found, Outcome, Tally};
use super::run::{Run, once};
use crate::hosts::Hosts;
use crate::interrupt::Interrupt;
use crate::plan::Plan;
use crate::{Exit, sentence};

const AFTER: &str = "\
Examples:
  tribunal self-test                          every bug, and every correct mode ten times
  tribunal self-test --only lww-store         the trials of one database
  tribunal self-test --innocent 1             each correct mode once";

/// Tries every bundled database with each of its bugs, and without: the guilty must be convicted,
/// the innocent acquitted. Exits with 1 after a false accusation, with 5 where a bug was missed.
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct SelfTest {
    /// The table of trials.
    #[arg(default_value = "examples/self-test.toml")]
    table: PathBuf,
    /// Only the trials whose test file or bug has one of these texts in its name.
    #[arg(long, value_delimiter = ',', value_name = "TEXT,..")]
    only: Vec<String>,
    /// The seeds under which a bug must be found: 1, 2, 3, …
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=10))]
    guilty: u64,
    /// The seeds under which each correct mode must pass: 11, 12, …; 0 for none.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=1000))]
    innocent: u64,
    /// How long calls are made in each run; else as the test files say.
    #[arg(long, value_parser = parse_duration)]
    time: Option<std::time::Duration>,
    /// The folder of runs.
    #[arg(long, default_value = "store")]
    store: PathBuf,
}

/// The first seed of the innocent: other ones than those of the guilty.
const FIRST_INNOCENT: u64 = 11;

impl SelfTest {
    /// Runs the whole table, and prints a line for each of its cells.
    pub fn run(self) -> anyhow::Result<Exit> {
        let docket = Docket::read(&self.table, &self.only);
        let docket = docket.map_err(|error| error.context(Exit::Usage))?;
        // What is wrong with any cell is told before the first one is run.
        for case in docket.guilty.iter().chain(&docket.innocent) {
            self.plan(case, 1).map_err(|error| error.context(Exit::Usage))?;
        }
        tokio::runtime::Runtime::new()?.block_on(self.all(&docket))
    }

    fn plan(&self, case: &Case, seed: u64) -> anyhow::Result<Plan> {
        Plan::of(&Run {
            test: case.test.clone(),
            workload: case.workload.clone(),
            faults: case.faults.clone(),
            hosts: Hosts::default(),
            local: None,
            time: self.time,
            rate: None,
            concurrency: None,
            system_model: None,
            seed: Some(Seed(seed)),
            set: vec![format!("bug={}", case.bug)],
            store: self.store.clone(),
        })
    }

    async fn all(&self, docket: &Docket) -> anyhow::Result<Exit> {
        let interrupt = Interrupt::listen()?;
        let (begun, mut tally) = (Instant::now(), Tally::default());
        println!("{}", Outcome::heading(docket.width()));
        // What is tried under no seed is not told of as if it had passed.
        let innocent = docket.innocent.iter().filter(|_| self.innocent > 0);
        for case in docket.guilty.iter().chain(innocent) {
            let Some(outcome) = self.case(case, &interrupt).await else {
                return Ok(Exit::Interrupted);
            };
            println!("{}", outcome.line(case, docket.width()));
            tally.count(&outcome);
        }
        println!("\n{tally} in {} s", begun.elapsed().as_secs());
        Ok(tally.exit())
    }

    /// One cell; `None` where the user interrupted it.
    async fn case(&self, case: &Case, interrupt: &Interrupt) -> Option<Outcome> {
        let begun = Instant::now();
        let guilty = case.bug != NO_BUG;
        let seeds = match guilty {
            true => 1..1 + self.guilty,
            false => FIRST_INNOCENT..FIRST_INNOCENT + self.innocent,
        };
        let mut found = Vec::new();
        for seed in seeds {
            let what = self.once(case, seed, interrupt).await?;
            let enough = guilty && what.convicts(&case.convicts);
            found.push((seed, what));
            if enough {
                break;
            }
        }
        Some(Outcome::of(case, found, begun.elapsed()))
    }

    async fn once(&self, case: &Case, seed: u64, interrupt: &Interrupt) -> Option<Found> {
        let ended = match self.plan(case, seed) {
            Ok(plan) => once(&plan, interrupt).await,
            Err(error) => Err(error),
        };
        match ended {
            Ok(None) => None,
            Ok(Some(ended)) if ended.exit == Exit::Interrupted => None,
            Ok(Some(ended)) => Some(Found::of(&ended)),
            Err(error) => Some(Found::Failed(sentence(&error))),
        }
    }
}
