//! `tribunal cluster fault`: one fault by hand, on nodes that are there. Nothing is
//! called and nothing judged: what is seen of the fault is printed, and it is always healed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use clap::Args;
use serde_json::{Value, json};
use tribunal_generator::Seed;
use tribunal_harness::cluster::{Cluster, local};
use tribunal_harness::database::{Absent, Daemon, Daemons};
use tribunal_harness::nemesis::{Nemesis, NemesisReply};
use tribunal_harness::test_file::parse_duration;
use tribunal_history::{Call, FaultNote, Name, Stage};
use tribunal_nemesis::faults::Needs;
use tribunal_nemesis::{Injector, faults};

use super::explain;
use crate::Exit;
use crate::hosts::{Hosts, may_be_injected};

const AFTER: &str = "\
Examples:
  tribunal cluster fault partition-halves --for 10s
  tribunal cluster fault link-slow -o links=pair -o delay_ms=200 --on n1,n2
  tribunal cluster fault c1 pause --on n1 --daemon n1=412";

/// How long an agent that hears nothing keeps the fault.
const LEASE: Duration = Duration::from_secs(10);

/// Injects a fault by hand, tells what is seen of it, and heals it: after `--for`, or at Ctrl-C.
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Fault {
    /// The local cluster, where there is more than one or a run uses it, and the fault.
    #[arg(value_name = "[CLUSTER] FAULT", num_args = 1..=2, required = true)]
    what: Vec<String>,
    /// What is chosen about it; may be said more than once.
    #[arg(short, long = "option", value_name = "NAME=VALUE")]
    options: Vec<String>,
    /// Only these nodes, with commas.
    #[arg(long, value_delimiter = ',', value_name = "NODE,..")]
    on: Vec<String>,
    /// How long: 10s, 2m; else until Ctrl-C.
    #[arg(long = "for", value_parser = parse_duration)]
    duration: Option<Duration>,
    /// A node's database, by the process that leads its session; may be said more than once.
    #[arg(long = "daemon", value_name = "NODE=PID")]
    daemons: Vec<String>,
    /// What chance is drawn from.
    #[arg(long, default_value = "1")]
    seed: Seed,
    #[command(flatten)]
    hosts: Hosts,
}

impl Fault {
    /// Does it. The fault was seen to act: 0; it was not: 2.
    pub async fn run(self) -> anyhow::Result<Exit> {
        let (name, fault) = match &self.what[..] {
            [fault] => (None, fault),
            [name, fault, ..] => (Some(name.as_str()), fault),
            [] => unreachable!("clap demands a fault"),
        };
        let fault = faults::find(fault).map_err(usage)?;
        if fault.needs().ground().is_some() {
            let error = anyhow!(
                "the fault `{}` harms a disk that is laid under the database's data before it \
                 starts: use it in a run",
                fault.name()
            );
            return Err(error.context(Exit::Usage));
        }
        let options = self.options().map_err(|error| error.context(Exit::Usage))?;
        let place = self.hosts.place();
        may_be_injected(fault, &options, place).map_err(|error| error.context(Exit::Usage))?;
        if fault.needs() == Needs::Data && !options.contains_key("data_dir") {
            let error = anyhow!(
                "the fault `{}` harms files of the database, and only a run knows where they are: \
                 say -o data_dir=/folder",
                fault.name()
            );
            return Err(error.context(Exit::Usage));
        }
        let cluster = match self.hosts.cluster().await.map_err(explain)? {
            Some(hosts) => hosts,
            None => unused(name)?,
        };
        let nodes = self.nodes(&cluster)?;
        let mut rng = self.seed.stream(fault.name());
        let plan = faults::plan(fault, &nodes, &options, &mut rng).map_err(usage)?;
        let daemons = self.daemons(&cluster).map_err(|error| error.context(Exit::Usage))?;
        let sessions = cluster.connect().await?;
        let agent = std::env::current_exe()?;
        let wire = cluster.wire.as_deref();
        let mut injector =
            Injector::connect(&sessions, daemons, Arc::new(Absent), &agent, wire, LEASE).await?;
        injector.check([fault.name()])?;
        let (nodes, summary, plan) = (plan.nodes, plan.summary, plan.data);
        let note = FaultNote { id: 0, stage: Stage::Inject, nodes, summary, plan, effect: None };
        let call = |note: &FaultNote| Call::new(fault.name()).value(json!(note));
        let begun = Instant::now();
        let injected = told(injector.invoke(&call(&note)).await)?;
        println!("{}  {}", fault.name(), injected.summary);
        println!("  injected and looked at in {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
        print(&injected);
        match self.duration {
            Some(duration) => println!("  for {} s, or until Ctrl-C", duration.as_secs_f64()),
            None => println!("  until Ctrl-C"),
        }
        tokio::select! {
            () = tokio::time::sleep(self.duration.unwrap_or(Duration::MAX)) => {}
            ended = tokio::signal::ctrl_c() => ended?,
        }
        let healed = FaultNote { stage: Stage::Heal, plan: Default::default(), ..note };
        let healed = told(injector.invoke(&call(&healed)).await)?;
        println!("healed");
        print(&healed);
        let observed = healed.effect.is_some_and(|effect| effect.observed);
        if !observed {
            println!("the fault was not seen to act");
        }
        Ok(if observed { Exit::Valid } else { Exit::Unknown })
    }

    fn options(&self) -> anyhow::Result<faults::Options> {
        let option = |text: &String| {
            let (name, value) =
                text.split_once('=').ok_or_else(|| anyhow!("-o {text}: say -o name=value"))?;
            // A number or a truth value as such, anything else as text.
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
            Ok((name.to_owned(), value))
        };
        self.options.iter().map(option).collect()
    }

    fn nodes(&self, cluster: &Cluster) -> anyhow::Result<Vec<Name>> {
        if self.on.is_empty() {
            return Ok(cluster.nodes.iter().map(|node| node.id.clone()).collect());
        }
        let node = |name: &String| Ok(cluster.node(name).map_err(explain)?.id.clone());
        self.on.iter().map(node).collect()
    }

    fn daemons(&self, cluster: &Cluster) -> anyhow::Result<Arc<Daemons>> {
        let daemons = Daemons::default();
        for text in &self.daemons {
            let Some((node, Ok(pid))) =
                text.split_once('=').map(|(node, pid)| (node, pid.parse::<u32>()))
            else {
                bail!("--daemon {text}: say --daemon node=pid");
            };
            let node = cluster.node(node).map_err(explain)?.id.clone();
            daemons.set(Daemon { node, pid });
        }
        Ok(Arc::new(daemons))
    }
}

/// The cluster of this name; else the only one, unless a living run uses it: an agent serves one controller,
/// so the run would lose its own ones.
fn unused(name: Option<&str>) -> anyhow::Result<Cluster> {
    let cluster = local::find(name).map_err(explain)?;
    let listed = local::list().map_err(explain)?.into_iter();
    let user = listed.filter(|found| found.name == cluster.name).find_map(|found| found.user());
    match user {
        Some(pid) if name.is_none() => {
            let error = anyhow!(
                "cluster {0} is in use by process {pid}, which would lose its agents: \
                 say {0} before the fault to harm it nevertheless",
                cluster.name
            );
            Err(error.context(Exit::Usage))
        }
        _ => Ok(cluster),
    }
}

fn usage(error: faults::PlanError) -> anyhow::Error {
    anyhow::Error::from(error).context(Exit::Usage)
}

fn told(reply: NemesisReply) -> anyhow::Result<FaultNote> {
    reply.error.map_or(Ok(reply.note), |error| Err(anyhow!(error)))
}

fn print(note: &FaultNote) {
    for evidence in note.effect.iter().flat_map(|effect| &effect.evidence) {
        println!("  {evidence}");
    }
}
