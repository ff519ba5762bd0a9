//! `tribunal replay`: the faults of a stored run injected again, at the same times, as often as
//! is asked for. What was recorded is replayed, not what the seed or the test file would give now.

use std::path::PathBuf;

use clap::Args;
use tribunal_harness::report;
use tribunal_harness::run::Finished;
use tribunal_nemesis::recorded;

use super::check::{find_run, worst};
use super::run::{Ended, once};
use crate::hosts::{Hosts, NODES};
use crate::interrupt::{self, Interrupt};
use crate::plan::{Elsewhere, Plan, quoted};
use crate::{Exit, progress, sentence, terminal};

const AFTER: &str = "\
Examples:
  tribunal replay latest-fail
  tribunal replay 20261120T201216Z-7 --times 20";

/// Runs a stored run again, with the faults that it has recorded at the same times.
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Replay {
    /// The run: an id's beginning, `latest`, `latest-fail`, `-2`, or its folder.
    #[arg(allow_negative_numbers = true)]
    run: String,
    /// How often.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    times: u32,
    /// Other hosts than the run's.
    #[command(flatten)]
    hosts: Hosts,
    /// So many local nodes, instead of the run's.
    #[arg(
        long,
        value_name = "COUNT",
        conflicts_with_all = ["nodes", "nodes_file"],
        help_heading = NODES
    )]
    local: Option<usize>,
    /// The folder of runs.
    #[arg(long, default_value = "store")]
    store: PathBuf,
}

impl Replay {
    /// Replays it. Exits with the worst of what came of it: a violation wins.
    pub fn run(self) -> anyhow::Result<Exit> {
        let plan = self.plan().map_err(|error| error.context(Exit::Usage))?;
        let runtime = tokio::runtime::Runtime::new()?;
        let exit = runtime.block_on(self.execute(&plan));
        interrupt::end(runtime);
        exit
    }

    fn plan(&self) -> anyhow::Result<Plan> {
        let folder = find_run(&self.store, &self.run)?;
        let (record, history) = (folder.record()?, folder.history()?);
        let command = format!(
            "tribunal replay {} --store {}",
            quoted(&folder.path().display().to_string()),
            quoted(&self.store.display().to_string())
        );
        let elsewhere = Elsewhere { hosts: self.hosts.clone(), local: self.local };
        Plan::again(&record, recorded(&history), elsewhere, &self.store, command)
    }

    async fn execute(&self, plan: &Plan) -> anyhow::Result<Exit> {
        let interrupt = Interrupt::listen()?;
        if self.times == 1 {
            let Some(ended) = once(plan, &interrupt, progress::listener()).await? else {
                return Ok(Exit::Interrupted);
            };
            let Finished { record, history, verdict } = &ended.finished;
            print!("{}", report::summary_within(terminal::columns(), record, history, verdict));
            println!("report   {}", ended.folder.report_path().display());
            return Ok(ended.exit);
        }
        let mut exits = Vec::new();
        while exits.len() < self.times as usize && !exits.contains(&Exit::Interrupted) {
            let (exit, told) = match once(plan, &interrupt, progress::listener()).await {
                Ok(Some(ended)) => (ended.exit, line(&ended)),
                Ok(None) => (Exit::Interrupted, "interrupted".to_owned()),
                Err(error) => {
                    let exit = error.downcast_ref::<Exit>().copied().unwrap_or(Exit::Harness);
                    (exit, format!("error    {}", sentence(&error)))
                }
            };
            exits.push(exit);
            println!("{:>4}  {told}", exits.len());
        }
        println!("{}", summary(&exits));
        Ok(worst(&exits))
    }
}

/// One replay, in a line.
fn line(ended: &Ended) -> String {
    let verdict = &ended.finished.verdict;
    let word = super::check::word(Some(verdict.validity));
    let why = verdict.anomalies.first().map(|anomaly| anomaly.name.clone());
    let why = why.or_else(|| verdict.unknowns.first().cloned()).unwrap_or_default();
    let folder = ended.folder.path().display();
    if why.is_empty() {
        format!("{word:<8} {folder}")
    } else {
        format!("{word:<8} {folder}  {why}")
    }
}

/// How often it failed, and what else there was.
fn summary(exits: &[Exit]) -> String {
    let count = |wanted: Exit| exits.iter().filter(|exit| **exit == wanted).count();
    let others = [
        (count(Exit::Unknown) + count(Exit::Nothing), "unknown"),
        (count(Exit::Harness) + count(Exit::Usage), "not run"),
        (count(Exit::Interrupted), "interrupted"),
    ];
    let others = others.into_iter().filter(|(count, _)| *count > 0);
    let others: String = others.map(|(count, what)| format!(", {count} {what}")).collect();
    format!("failed {} of {}{others}", count(Exit::Invalid), exits.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_verdict_is_not_a_failure() {
        let exits = [Exit::Invalid, Exit::Valid, Exit::Unknown, Exit::Harness, Exit::Invalid];
        assert_eq!(summary(&exits), "failed 2 of 5, 1 unknown, 1 not run");
        assert_eq!(worst(&exits), Exit::Invalid);
        assert_eq!(summary(&[Exit::Valid; 3]), "failed 0 of 3");
        assert_eq!(worst(&[Exit::Valid, Exit::Interrupted, Exit::Unknown]), Exit::Interrupted);
    }
}
