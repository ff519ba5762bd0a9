//! `tribunal suite`: many runs as one.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use tribunal_harness::test_file::parse_duration;

use crate::Exit;
use crate::suite::{Cell, SuiteFile, Walk, chosen, junit};

/// Suites of runs.
#[derive(Subcommand)]
pub enum Suite {
    /// Walks through a suite: its cells in order, each under its seeds, one table.
    Run(SuiteRun),
}

impl Suite {
    /// Does it.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Run(command) => command.run(),
        }
    }
}

const AFTER: &str = "\
Examples:
  tribunal suite run examples/findings.toml
  tribunal suite run examples/findings.toml --only redis,nats --junit findings.xml

A cell without `finds` must be valid under each of its seeds; one with it is a canary, and must be found.";

/// Walks through a suite. Exits with 1 where a promise was broken, with 5 where a canary passed, with 3
/// where a cell could not be run, with 2 where one is not known; the first of these that is so.
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct SuiteRun {
    /// The suite file.
    suite: PathBuf,
    /// Only the cells that have one of these texts in their name or in what they set.
    #[arg(long, value_delimiter = ',', value_name = "TEXT,..")]
    only: Vec<String>,
    /// Each cell under so many of its seeds at most.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    seeds: Option<u16>,
    /// How long calls are made in each run; else as the suite and its test files say.
    #[arg(long, value_parser = parse_duration)]
    time: Option<Duration>,
    /// So many cells at a time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    at_once: u8,
    /// Writes the results there, as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// The folder of runs.
    #[arg(long, default_value = "store")]
    store: PathBuf,
}

impl SuiteRun {
    /// Runs all cells, prints a line for each, and writes the JUnit file.
    fn run(self) -> anyhow::Result<Exit> {
        let suite = SuiteFile::read(&self.suite).map_err(|error| error.context(Exit::Usage))?;
        let cells = chosen(suite.cells, &self.only);
        if cells.is_empty() {
            let only = self.only.join(", ");
            let error = anyhow!("{} has no such cell: {only}", self.suite.display());
            return Err(error.context(Exit::Usage));
        }
        let cells: Vec<Cell> = cells.into_iter().map(|cell| self.narrowed(cell)).collect();
        let walk =
            Walk { store: self.store, at_once: self.at_once.into(), stop_when_convicted: false };
        walk.rehearse(&cells)?;
        let begun = Instant::now();
        let (walked, tally) = walk.run(&cells)?;
        // What there is of an interrupted suite is not lost.
        if let Some(path) = &self.junit {
            let xml = junit(&suite.name, &cells, &walked.outcomes)?;
            std::fs::write(path, xml)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        println!("\n{}: {tally}; {} s", suite.name, begun.elapsed().as_secs());
        Ok(if walked.interrupted { Exit::Interrupted } else { tally.exit() })
    }

    fn narrowed(&self, mut cell: Cell) -> Cell {
        cell.time = self.time.or(cell.time);
        if let Some(seeds) = self.seeds {
            cell.keep_seeds(seeds.into());
        }
        cell
    }
}
