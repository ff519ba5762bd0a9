//! `tribunal self-test`: the harness on trial. Every bundled database with a seeded bug must be
//! convicted, and every one without must be acquitted, by the workload and the faults that a table names.
//!
//! The guilty are tried under the pinned seeds until one convicts them of what the table says; the
//! innocent under ten others, each of which must acquit them, having seen all their faults act.

mod docket;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use clap::Args;
use tribunal_harness::test_file::parse_duration;

use crate::Exit;
use crate::suite::{Cell, Walk, chosen};

const AFTER: &str = "\
Examples:
  tribunal self-test                          every bug, and every correct mode ten times: some 40 minutes
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
    time: Option<Duration>,
    /// So many trials at a time. All of them take some 40 minutes three at a time, and far more
    /// than an hour one by one.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=16))]
    at_once: u8,
    /// The folder of runs.
    #[arg(long, default_value = "store")]
    store: PathBuf,
}

/// The first seed of the innocent: other ones than those of the guilty.
const FIRST_INNOCENT: u64 = 11;

impl SelfTest {
    /// Runs the whole table, and prints a line for each of its cells.
    pub fn run(self) -> anyhow::Result<Exit> {
        let cells = self.cells().map_err(|error| error.context(Exit::Usage))?;
        let walk =
            Walk { store: self.store, at_once: self.at_once.into(), stop_when_convicted: true };
        walk.rehearse(&cells)?;
        let begun = Instant::now();
        let (walked, tally) = walk.run(&cells)?;
        if walked.interrupted {
            return Ok(Exit::Interrupted);
        }
        println!("\n{tally}; {} s", begun.elapsed().as_secs());
        Ok(tally.exit())
    }

    /// The guilty, then the innocent.
    fn cells(&self) -> anyhow::Result<Vec<Cell>> {
        let guilty = docket::guilty(&self.table, 1..1 + self.guilty)?;
        let guilty = chosen(guilty, &self.only);
        if guilty.is_empty() {
            let only = self.only.join(", ");
            return Err(anyhow!("{} has no such trial: {only}", self.table.display()));
        }
        let seeds = FIRST_INNOCENT..FIRST_INNOCENT + self.innocent;
        // What is tried under no seed is not told of as if it had passed.
        let innocent = match self.innocent {
            0 => Vec::new(),
            _ => docket::innocent(&guilty, seeds),
        };
        let cells = guilty.into_iter().chain(innocent);
        Ok(cells.map(|cell| Cell { time: self.time.or(cell.time), ..cell }).collect())
    }
}
