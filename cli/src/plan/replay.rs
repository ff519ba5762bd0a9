//! The plan of a replay: a stored run once more, with the faults that it has recorded at the times at
//! which it has recorded them, whatever the test file asks for by now. What is called is the same:
//! the run's record has the seed, the workload and its options. The database is as the test file
//! has it now.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tribunal_checkers::Liveness;
use tribunal_harness::store::RunRecord;
use tribunal_harness::test_file::Concurrency;
use tribunal_history::Name;
use tribunal_nemesis::{Planned, Schedule};

use super::{Origin, Plan};
use crate::commands::run::Run;
use crate::hosts::Hosts;

/// The faults of a stored run.
pub(super) struct Replay {
    /// Its id.
    pub of: String,
    faults: Vec<Planned>,
    /// Its nodes.
    pub nodes: Vec<Name>,
    /// How many of them could be down at once.
    pub max_down: Option<usize>,
    /// What was promised of liveness.
    pub liveness: Option<Liveness>,
}

impl Replay {
    pub(super) fn schedule(&self, nodes: &[Name]) -> anyhow::Result<Schedule> {
        Ok(Schedule::again(self.faults.clone(), &self.nodes, nodes)?)
    }

    pub(super) fn fault_names(&self) -> impl Iterator<Item = &str> {
        self.faults.iter().map(|fault| &*fault.name)
    }
}

/// Other nodes than the run's, where they were asked for.
pub struct Elsewhere {
    /// Hosts that exist.
    pub hosts: Hosts,
    /// So many local nodes.
    pub local: Option<usize>,
}

impl Plan {
    /// The run of `record` again, into the store at `store`; `command` does the same once more.
    pub fn again(
        record: &RunRecord,
        faults: Vec<Planned>,
        elsewhere: Elsewhere,
        store: &Path,
        command: String,
    ) -> anyhow::Result<Self> {
        if faults.is_empty() {
            let (id, command) = (&record.id, &record.command);
            bail!("the run {id} has recorded no fault that could be replayed; again: {command}");
        }
        let seed = record.seed.parse().with_context(|| format!("the seed of run {}", record.id))?;
        let mut arguments = first_told(record)?;
        arguments.store = store.to_owned();
        if elsewhere.hosts.are_named() || elsewhere.local.is_some() {
            (arguments.hosts, arguments.local) = (elsewhere.hosts, elsewhere.local);
        } else if !arguments.hosts.are_named() {
            arguments.local = Some(record.nodes.len());
        }
        arguments.workload = Some(record.workload.clone());
        arguments.time = Some(Duration::from_secs_f64(record.time_s));
        arguments.rate = Some(record.rate);
        arguments.concurrency = Some(Concurrency::Workers(record.concurrency));
        arguments.set = Vec::new();
        let model = record.system_model.as_deref();
        arguments.system_model = model.map(str::parse).transpose()?;
        let origin = Origin {
            command,
            arguments: record.arguments.clone(),
            directory: record.directory.clone(),
        };
        let mut plan = Self::put_together(&arguments, seed, origin)?;
        plan.model = arguments.system_model;
        plan.options = record.options.clone().into_iter().collect();
        plan.vars.extend(record.vars.clone());
        let nodes = record.nodes.iter().map(|node| node.as_str().into()).collect();
        let (of, max_down, liveness) = (record.id.clone(), record.max_down, record.liveness);
        plan.replay = Some(Replay { of, faults, nodes, max_down, liveness });
        plan.check()?;
        Ok(plan)
    }
}

/// What `tribunal run` was told, with paths as they are from here.
fn first_told(record: &RunRecord) -> anyhow::Result<Run> {
    if record.arguments.is_empty() {
        bail!(
            "the run {} was recorded by an older version of Tribunal, which did not write down what \
             is needed to replay it: run it again first: {}",
            record.id,
            record.command
        );
    }
    let told = crate::told_to_run(&record.arguments);
    let mut run = told.ok_or_else(|| {
        anyhow!("the run {} was told what is no run: {}", record.id, record.arguments.join(" "))
    })?;
    let from_there = |path: &mut PathBuf| *path = record.directory.join(&*path);
    from_there(&mut run.test);
    let Hosts { nodes_file, ssh_config, identity, known_hosts, .. } = &mut run.hosts;
    [nodes_file, ssh_config, identity, known_hosts].into_iter().flatten().for_each(from_there);
    Ok(run)
}
