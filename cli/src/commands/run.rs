//! `tribunal run`: puts a database on trial.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tribunal_generator::Seed;
use tribunal_harness::cluster::Cluster;
use tribunal_harness::events::Listener;
use tribunal_harness::report;
use tribunal_harness::run::{Finished, RunError};
use tribunal_harness::store::RunFolder;
use tribunal_harness::test_file::{Concurrency, parse_duration};
use tribunal_nemesis::SystemModel;

use crate::Exit;
use crate::hosts::{Hosts, NODES};
use crate::interrupt::{self, Interrupt};
use crate::plan::Plan;
use crate::{progress, terminal};

const AFTER: &str = "\
Examples:
  tribunal run examples/lww-store/lww.toml --seed 7 -s bug=wall-clock
  tribunal run examples/lww-store/lww.toml --faults partition,pause
  tribunal run my-database.toml --nodes root@db1,root@db2,root@db3 --time 5m";

/// The folder of runs where nobody names another one.
pub const STORE: &str = "store";

/// Runs a test: starts the database on a cluster, drives a workload against
/// it while faults are injected, and judges the history.
#[derive(Args, Clone, Debug, PartialEq)]
#[command(after_help = AFTER)]
pub struct Run {
    /// The test file: the database, its client, its workloads.
    pub test: PathBuf,
    /// Which workload; else the test file's.
    #[arg(short, long, value_name = "NAME")]
    pub workload: Option<String>,
    /// Which faults, with commas, or `none`; else the test file's.
    #[arg(short, long, value_delimiter = ',', value_name = "FAULT,..")]
    pub faults: Option<Vec<String>>,
    /// Hosts that exist already.
    #[command(flatten)]
    pub hosts: Hosts,
    /// So many local nodes, made for this run; the test file's `[run] nodes`, or 5.
    #[arg(
        long,
        value_name = "COUNT",
        conflicts_with_all = ["nodes", "nodes_file"],
        help_heading = NODES
    )]
    pub local: Option<usize>,
    /// How long calls are made: 60s, 3m.
    #[arg(long, value_parser = parse_duration, allow_hyphen_values = true)]
    pub time: Option<Duration>,
    /// Calls a second, all workers together; 0 for as many as possible.
    #[arg(long, allow_hyphen_values = true)]
    pub rate: Option<f64>,
    /// Workers: 10, or 2n for two a node; at least one a node.
    #[arg(long)]
    pub concurrency: Option<Concurrency>,
    /// What can happen: synchronous, partially-synchronous or asynchronous, a slash, and crash-stop,
    /// crash-recovery or byzantine. Faults that cannot happen are refused.
    #[arg(long, value_name = "MODEL")]
    pub system_model: Option<SystemModel>,
    /// What chance is drawn from; printed with every run.
    #[arg(long, allow_hyphen_values = true)]
    pub seed: Option<Seed>,
    /// Another value for one of the test file's `[vars]`; may be said more than once.
    #[arg(short, long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// The folder of runs.
    #[arg(long, default_value = STORE)]
    pub store: PathBuf,
}

impl Run {
    /// Runs it. The exit code is the verdict's, or says why there is none.
    pub fn run(self) -> anyhow::Result<Exit> {
        // Everything that can be wrong with what was asked for is found before
        // anything is made.
        let plan = Plan::of(&self).map_err(|error| error.context(Exit::Usage))?;
        let runtime = tokio::runtime::Runtime::new()?;
        let exit = runtime.block_on(execute(plan));
        interrupt::end(runtime);
        exit
    }
}

async fn execute(plan: Plan) -> anyhow::Result<Exit> {
    let interrupt = Interrupt::listen()?;
    let Some(ended) = once(&plan, &interrupt, progress::listener()).await? else {
        return Ok(Exit::Interrupted);
    };
    let Finished { record, history, verdict } = &ended.finished;
    print!("{}", report::summary_within(terminal::columns(), record, history, verdict));
    println!("report   {}", ended.folder.report_path().display());
    Ok(ended.exit)
}

/// A run that was judged.
pub struct Ended {
    /// What came of it.
    pub finished: Finished,
    /// Where it is.
    pub folder: RunFolder,
    /// What that means for the command.
    pub exit: Exit,
}

/// Makes the nodes, runs the plan on them, and takes them down; `None` where it was interrupted
/// before there was a verdict. Whoever ends the runtime ends it by [`interrupt::end`].
pub async fn once(
    plan: &Plan,
    interrupt: &Interrupt,
    listener: Box<dyn Listener>,
) -> anyhow::Result<Option<Ended>> {
    let cluster = tokio::select! {
        cluster = plan.cluster() => cluster?,
        // There is no load yet to be stopped, and a node may hang.
        () = interrupt.first() => return Ok(None),
    };
    let done = tokio::select! {
        done = on_cluster(plan, &cluster, interrupt, listener) => done,
        () = interrupt.again() => {
            plan.end_on_hosts(&cluster).await;
            Ok(None)
        }
    };
    // The nodes go whatever happened on them; what happened matters more than
    // how they went.
    let down = cluster.down().await;
    let ended = done?;
    down?;
    Ok(ended)
}

async fn on_cluster(
    plan: &Plan,
    cluster: &Cluster,
    interrupt: &Interrupt,
    listener: Box<dyn Listener>,
) -> anyhow::Result<Option<Ended>> {
    // Hosts have other names, and are of another number, than was imagined.
    plan.rehearse(&cluster.nodes).map_err(|error| error.context(Exit::Usage))?;
    let sessions = cluster.connect().await?;
    let trial = plan.trial(cluster, sessions)?;
    let folder = trial.folder.clone();
    match trial.run(listener, interrupt.stop.clone()).await {
        Ok(finished) => {
            let interrupted = finished.record.ended.is_some();
            let exit = exit_of(&finished, interrupted);
            Ok(Some(Ended { finished, folder, exit }))
        }
        Err(RunError::Interrupted) => Ok(None),
        Err(error) => {
            eprintln!("what there is of the run is in {}", folder.path().display());
            Err(error.into())
        }
    }
}

/// A violation counts even in a run that was interrupted; nothing else does.
fn exit_of(finished: &Finished, interrupted: bool) -> Exit {
    use tribunal_checkers::Validity;
    let any_ok = finished.history.operations().any(|operation| operation.is_ok());
    match finished.verdict.validity {
        Validity::Invalid => Exit::Invalid,
        _ if interrupted => Exit::Interrupted,
        _ if !any_ok => Exit::Nothing,
        validity => validity.into(),
    }
}
