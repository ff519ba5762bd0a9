//! What can be wrong with what was asked for, found before anything is made.
//!
//! What is wrong with the machine, the hosts or the database is not found here:
//! those speak for themselves when their time comes.

use std::time::Duration;

use anyhow::{Context, bail};
use tribunal_harness::cluster::Node;
use tribunal_history::Name;
use tribunal_nemesis::faults::Needs;
use tribunal_nemesis::{faults, scenarios};

use super::Plan;

/// A run is longer than nothing, and a number of nanoseconds can tell how long.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);
const MOST_WORKERS: usize = 10_000;

impl Plan {
    /// All that can be known before there are nodes: a misspelt option must not
    /// cost a cluster.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        self.check_numbers()?;
        self.check_tables().with_context(|| self.file())?;
        let names = match self.arguments.hosts.names()? {
            Some(names) => names,
            None => (1..=self.node_count()).map(|number| format!("n{number}")).collect(),
        };
        let nodes: Vec<Node> = names.into_iter().enumerate().map(imagined).collect();
        self.rehearse(&nodes)?;
        self.check_faults()
    }

    fn check_numbers(&self) -> anyhow::Result<()> {
        let (time, rate) = (self.time, self.rate);
        if time.is_zero() || time > LONGEST {
            bail!("the time is {} s; it must be above 0, and at most 30 days", time.as_secs_f64());
        }
        if rate != 0.0 && !(0.001..=1e9).contains(&rate) {
            bail!("the rate is {rate}; it must be 0 (as many as possible), or from 0.001 to 1e9");
        }
        let asked = self.arguments.faults.as_ref().or(self.test.run.faults.as_ref());
        let scenarios = asked.into_iter().flatten().filter_map(|name| scenarios::find(name));
        if let Some(scenario) = scenarios.into_iter().find(|scenario| scenario.ends() > time) {
            let (name, ends) = (scenario.name, scenario.ends().as_secs());
            let (time, enough) = (time.as_secs_f64(), ends + 15);
            bail!(
                "the scenario `{name}` takes {ends} s, and the run {time} s: say --time {enough}s"
            );
        }
        let workers = self.concurrency(self.node_count());
        if workers > MOST_WORKERS {
            bail!("the concurrency is {workers} workers; it must be at most {MOST_WORKERS}");
        }
        Ok(())
    }

    /// Looks at what this run does not use, too: a table for a misspelt fault or
    /// workload would be ignored without a word.
    fn check_tables(&self) -> anyhow::Result<()> {
        let name = self.test.name.as_deref().unwrap_or_default();
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
            bail!("the name {name:?} cannot be a folder's in the store");
        }
        for (name, options) in &self.test.workload {
            let definition = tribunal_workloads::find(name)?;
            (definition.checker)(options)?;
        }
        for name in self.test.faults.options.keys() {
            faults::find(name).with_context(|| format!("[faults.{name}]"))?;
        }
        Ok(())
    }

    /// Makes once, for `nodes`, what depends on them, and does nothing with it.
    pub fn rehearse(&self, nodes: &[Node]) -> anyhow::Result<()> {
        self.make(nodes).with_context(|| self.file())
    }

    fn make(&self, nodes: &[Node]) -> anyhow::Result<()> {
        let names: Vec<Name> = nodes.iter().map(|node| node.id.clone()).collect();
        if nodes.is_empty() {
            bail!("a run needs nodes, and none were asked for");
        }
        self.check_workers(nodes)?;
        self.workload(&names)?;
        self.check_commands()?;
        self.schedule(&names)?;
        self.check_primaries()?;
        self.ground()?;
        let templates = self.templates(nodes)?;
        self.database(nodes, &templates)?.check_files()?;
        self.client_command(&templates)?;
        Ok(())
    }

    /// Each node has a worker of its own: of one without, nothing that is called would tell. A replay has the
    /// workers of its run.
    fn check_workers(&self, nodes: &[Node]) -> anyhow::Result<()> {
        let (workers, count) = (self.concurrency(nodes.len()), nodes.len());
        if workers < count && self.replay.is_none() {
            let idle: Vec<&str> = nodes[workers..].iter().map(|node| &*node.id).collect();
            bail!(
                "the concurrency is {workers}, and there are {count} nodes, so nobody would call {}: say \
                 --concurrency {count} or more",
                idle.join(", ")
            );
        }
        Ok(())
    }

    /// Some faults are done by commands of the database's own, which the test file must have.
    fn check_commands(&self) -> anyhow::Result<()> {
        let db = &self.test.db;
        for name in self.fault_names() {
            match faults::find(&name)?.needs() {
                Needs::Membership if db.membership.is_none() => bail!(
                    "the fault `{name}` needs the database's own commands: [db.membership] with \
                     leave, join and status"
                ),
                Needs::Membership if db.data_dir.is_none() => {
                    bail!(
                        "the fault `{name}` deletes what a node has stored: say where, [db] data_dir"
                    )
                }
                Needs::Upgrade if db.upgrade.is_none() => {
                    bail!(
                        "the fault `{name}` needs [db.upgrade] with the start of the other version"
                    )
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A fault of the primaries would hit anybody if nobody can say who they are.
    fn check_primaries(&self) -> anyhow::Result<()> {
        for name in self.fault_names() {
            if faults::find(&name)?.asks_for_primaries() && self.test.db.primaries.is_none() {
                bail!("the fault `{name}` asks the database who is primary: set [db] primaries");
            }
        }
        Ok(())
    }

    fn file(&self) -> String {
        self.arguments.test.display().to_string()
    }
}

/// A node of this name, wherever it will be.
fn imagined((index, name): (usize, String)) -> Node {
    let ip = std::net::Ipv4Addr::LOCALHOST.into();
    Node { id: name.as_str().into(), index, ip, destination: name }
}
