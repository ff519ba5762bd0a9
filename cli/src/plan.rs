//! From what the user asked for to what will be done: the test file and the
//! command line, put together and checked before anything is made.

mod ending;
mod ground;
mod origin;
mod pace;
mod rehearsal;
mod replay;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use async_trait::async_trait;
use serde_json::{Map, Value};
use tribunal_checkers::Liveness;
use tribunal_checkers::liveness::Promise;
use tribunal_client::{Client, Node as ClientNode};
use tribunal_generator::{Boxed, Chain, Pace, Policy, Seed, any, clients, nemesis};
use tribunal_harness::cluster::{Cluster, Node, Session, local};
use tribunal_harness::database::Declared;
use tribunal_harness::deadline::Deadline;
use tribunal_harness::nemesis::{Nemesis, Peace};
use tribunal_harness::run::{Deployment, Load, NemesisSource, Trial};
use tribunal_harness::store::{RunRecord, Store};
use tribunal_harness::template::Templates;
use tribunal_harness::test_file::{Concurrency, ScriptEntry, TestFile};
use tribunal_harness::{ClientProgram, Program};
use tribunal_history::Name;
use tribunal_nemesis::faults::{self, PlanError, ports};
use tribunal_nemesis::model::Liveness as Promised;
use tribunal_nemesis::scenarios::{self, Scenario};
use tribunal_nemesis::{
    Bounds, FaultSpec, Ground, Injector, Schedule, Scripted, SystemModel, Timing,
};
use tribunal_workloads::{Definition, Setting, Workload};

use crate::commands::explain;
use crate::commands::run::Run;
use crate::evidence::judged_as_run;
use crate::hosts::may_be_injected;

pub use origin::quoted;
pub use replay::Elsewhere;

use origin::Origin;
use replay::Replay;

const DEFAULT_NODES: usize = 5;
const DEFAULT_TIME: Duration = Duration::from_secs(60);
const DEFAULT_RATE: f64 = 500.0;
const DEFAULT_CONCURRENCY: Concurrency = Concurrency::PerNode(2);
const DEFAULT_QUIESCE: Duration = Duration::from_secs(1);
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
const DEFAULT_DURATION: Duration = Duration::from_secs(5);
/// How long calls are tried at least, once the database must have recovered.
const TRIED: Duration = Duration::from_secs(5);
/// How long an agent keeps its faults after the last word of its controller.
const LEASE: Duration = Duration::from_secs(10);

/// A test that can be run: every name is known, every option understood.
pub struct Plan {
    arguments: Run,
    test: TestFile,
    directory: PathBuf,
    definition: &'static Definition,
    options: Map<String, Value>,
    vars: BTreeMap<String, Value>,
    faults: Vec<FaultSpec>,
    /// Faults at times of their own.
    script: Vec<Scripted>,
    seed: Seed,
    time: Duration,
    rate: f64,
    pace: Pace,
    retries: Option<Policy>,
    /// How long a call may take, and what is learned of it: each run begins anew.
    deadline: Deadline,
    model: Option<SystemModel>,
    origin: Origin,
    /// The faults of a stored run, instead of others.
    replay: Option<Replay>,
}

impl Plan {
    /// Puts `arguments` and the test file together.
    pub fn of(arguments: &Run) -> anyhow::Result<Self> {
        let seed = arguments.seed.unwrap_or_else(random_seed);
        let plan = Self::put_together(arguments, seed, Origin::here(arguments, seed)?)?;
        plan.check()?;
        Ok(plan)
    }

    fn put_together(arguments: &Run, seed: Seed, origin: Origin) -> anyhow::Result<Self> {
        let test = TestFile::read(&arguments.test)?;
        let file = arguments.test.display().to_string();
        let workload = arguments.workload.as_ref().or(test.run.workload.as_ref());
        let Some(workload) = workload else {
            bail!("{file}: no workload: set [run] workload, or say --workload");
        };
        let definition = tribunal_workloads::find(workload)?;
        let options = test.workload.get(workload).cloned().unwrap_or_default();
        let directory = arguments.test.canonicalize()?;
        let directory = directory.parent().unwrap_or(Path::new("/")).to_owned();
        Ok(Self {
            arguments: arguments.clone(),
            directory,
            definition,
            options,
            vars: variables(&test, &arguments.set)?,
            faults: fault_specs(&test, arguments.faults.as_deref())
                .with_context(|| file.clone())?,
            script: script(&test, arguments.faults.as_deref()).with_context(|| file.clone())?,
            seed,
            model: system_model(arguments, &test)?,
            time: arguments.time.or(test.run.time).unwrap_or(DEFAULT_TIME),
            rate: arguments.rate.or(test.run.rate).unwrap_or(DEFAULT_RATE),
            pace: pace::pace(&test).with_context(|| file.clone())?,
            retries: pace::retries(&test).with_context(|| file.clone())?,
            deadline: pace::deadline(&test).with_context(|| file.clone())?,
            test,
            origin,
            replay: None,
        })
    }

    fn node_count(&self) -> usize {
        self.arguments.local.or(self.test.run.nodes).unwrap_or(DEFAULT_NODES)
    }

    fn templates(&self, nodes: &[Node]) -> anyhow::Result<Templates> {
        let bin = std::env::current_exe()?;
        let bin = bin.parent().unwrap_or(Path::new("/"));
        Ok(Templates::new(nodes, &self.test.db.ports, &self.vars, bin, &self.directory))
    }

    fn database(&self, nodes: &[Node], templates: &Templates) -> anyhow::Result<Declared> {
        Ok(Declared::new(&self.test.db, nodes, templates, &self.directory)?)
    }

    fn client_command(&self, templates: &Templates) -> anyhow::Result<Vec<String>> {
        let words = &self.test.client.command;
        if words.is_empty() {
            bail!("[client] command is empty: it must name a program");
        }
        Ok(words.iter().map(|word| templates.render(word)).collect::<Result<_, _>>()?)
    }

    fn concurrency(&self, nodes: usize) -> usize {
        let asked = self.arguments.concurrency.or(self.test.run.concurrency);
        asked.unwrap_or(DEFAULT_CONCURRENCY).workers(nodes)
    }

    fn workload(&self, nodes: &[Name]) -> anyhow::Result<Workload> {
        let setting = Setting {
            seed: self.seed,
            nodes: nodes.to_vec(),
            concurrency: self.concurrency(nodes.len()),
            options: self.options.clone(),
        };
        Ok((self.definition.build)(&setting)?)
    }

    fn schedule(&self, nodes: &[Name]) -> anyhow::Result<Schedule> {
        if let Some(replay) = &self.replay {
            return replay.schedule(nodes);
        }
        let interval = self.test.faults.interval.unwrap_or(DEFAULT_INTERVAL);
        let timing = Timing {
            first: interval / 2,
            interval,
            duration: self.test.faults.duration.unwrap_or(DEFAULT_DURATION),
            until: self.time.saturating_sub(self.calm()),
            at_once: self.test.faults.at_once.unwrap_or(1),
            rhythm: self.test.faults.schedule.unwrap_or_default(),
        };
        let (faults, script) = (&self.faults, &self.script);
        Ok(Schedule::new(self.seed, nodes, faults, script, timing, self.bounds())?)
    }

    /// What faults may not go beyond; a replay keeps what held then.
    fn bounds(&self) -> Bounds {
        let max_down = match &self.replay {
            Some(replay) => replay.max_down,
            None => self.test.faults.max_down,
        };
        Bounds { max_down, model: self.model }
    }

    /// What is promised of liveness, if anything is: by the model, and by the database.
    fn liveness(&self) -> Option<Liveness> {
        if let Some(replay) = &self.replay {
            return replay.liveness;
        }
        let promise = match self.model?.liveness() {
            Promised::Never => return None,
            Promised::AfterFaults => Promise::AfterFaults,
            Promised::Always => Promise::Always,
        };
        let bound = self.test.db.recovers_within?.as_nanos() as u64;
        Some(Liveness { bound, promise })
    }

    /// How long calls go on after the last fault, so that it can be seen whether they succeed again.
    fn calm(&self) -> Duration {
        let tried = TRIED.max(self.test.client.timeout * 3);
        self.liveness().map_or(Duration::ZERO, |it| Duration::from_nanos(it.bound) + tried)
    }

    /// Finds or makes the nodes.
    pub async fn cluster(&self) -> anyhow::Result<Cluster> {
        match self.arguments.hosts.cluster().await.map_err(explain)? {
            Some(hosts) => Ok(hosts),
            None => local::up(None, self.node_count(), local::Lifetime::Run).await.map_err(explain),
        }
    }

    /// The run on `cluster`, ready to go.
    pub fn trial(&self, cluster: &Cluster, sessions: Vec<Arc<Session>>) -> anyhow::Result<Trial> {
        let names: Vec<Name> = cluster.nodes.iter().map(|node| node.id.clone()).collect();
        let workload = self.workload(&names)?;
        let schedule = self.schedule(&names)?;
        let mut record = self.record(&names, &workload, &schedule);
        let templates = self.templates(&cluster.nodes)?;
        let database = Arc::new(self.database(&cluster.nodes, &templates)?);
        let folder = Store::new(&self.arguments.store).create(&mut record)?;
        let deadline = self.deadline.anew();
        let clients = self.clients(cluster, &templates, folder.path(), &deadline)?;
        let checker = judged_as_run(workload.checker, &record);
        Ok(Trial {
            load: Load {
                clients,
                deadline,
                generator: self.load(workload.generator, schedule),
                last: workload.last,
                quiesce: self.test.run.quiesce.unwrap_or(DEFAULT_QUIESCE),
            },
            nemesis: self.nemesis_source(cluster)?,
            record,
            folder,
            sessions,
            wire: cluster.wire.clone(),
            database,
            checker: Box::new(checker),
        })
    }

    /// The workload's calls at the rate, the faults at their times, and an end.
    fn load(&self, calls: Boxed, schedule: Schedule) -> Boxed {
        let calls: Boxed = if self.rate > 0.0 {
            let mean = Duration::from_secs_f64(1.0 / self.rate);
            calls.paced(self.seed.stream("stagger"), mean, self.pace).boxed()
        } else {
            calls
        };
        let calls = match self.retries {
            Some(policy) => calls.retry(self.seed.stream("retries"), policy).boxed(),
            None => calls,
        };
        let calls = clients(calls).time_limit(self.time).boxed();
        // The schedule ends healed, by itself, before the time is over.
        any([calls, nemesis(schedule).boxed()]).boxed()
    }

    /// Every fault can be injected on nodes of this kind, as far as anybody can know.
    fn check_faults(&self) -> anyhow::Result<()> {
        let script = self.script.iter().map(|scripted| &scripted.spec);
        self.faults.iter().chain(script).try_for_each(|FaultSpec { name, options }| {
            may_be_injected(faults::find(name)?, options, self.arguments.hosts.place())
        })
    }

    /// Every kind of fault that is to happen, once.
    fn fault_names(&self) -> Vec<String> {
        let scripted = self.script.iter().map(|scripted| scripted.spec.name.as_str());
        let asked = self.faults.iter().map(|spec| spec.name.as_str()).chain(scripted);
        let wanted: Vec<&str> = match &self.replay {
            Some(replay) => replay.fault_names().collect(),
            None => asked.collect(),
        };
        let mut names: Vec<String> = Vec::new();
        for name in wanted {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    fn nemesis_source(&self, cluster: &Cluster) -> anyhow::Result<Box<dyn NemesisSource>> {
        if self.fault_names().is_empty() {
            return Ok(Box::new(Peace));
        }
        let (wire, ground) = (cluster.wire.clone(), self.ground()?);
        let (executable, faults) = (std::env::current_exe()?, self.fault_names());
        let max_down = self.bounds().most_down(cluster.nodes.len());
        Ok(Box::new(Agents { executable, wire, faults, max_down, ground }))
    }

    fn clients(
        &self,
        cluster: &Cluster,
        templates: &Templates,
        folder: &Path,
        deadline: &Deadline,
    ) -> anyhow::Result<Vec<(Box<dyn Client>, ClientNode)>> {
        let command = self.client_command(templates)?;
        let folder = folder.canonicalize()?;
        let workers = self.concurrency(cluster.nodes.len());
        let client = |at: usize| {
            let node = &cluster.nodes[at % cluster.nodes.len()];
            let program = Program {
                command: command.clone(),
                directory: self.directory.clone(),
                workload: self.definition.name.to_owned(),
                deadline: deadline.clone(),
                log: folder.join("client").join(format!("worker-{at}.log")),
            };
            let client: Box<dyn Client> = Box::new(ClientProgram::new(Arc::new(program)));
            let ports = self.test.db.ports.clone();
            (client, ClientNode { id: node.id.to_string(), ip: node.ip.to_string(), ports })
        };
        Ok((0..workers).map(client).collect())
    }

    fn record(&self, nodes: &[Name], workload: &Workload, schedule: &Schedule) -> RunRecord {
        let now = jiff::Timestamp::now();
        let seed = self.seed.to_string();
        let time = now.strftime("%Y%m%dT%H%M%S");
        let required = workload.required.iter().map(|(f, count)| (f.to_string(), *count));
        let mut scheduled = BTreeMap::new();
        for fault in schedule.faults() {
            *scheduled.entry(fault.name.to_string()).or_insert(0) += 1;
        }
        RunRecord {
            id: format!("{time}Z-{}", seed.trim_start_matches("0x")),
            test: self.test.name.clone().unwrap_or_else(|| "test".to_owned()),
            workload: self.definition.name.to_owned(),
            options: self.options.clone().into_iter().collect(),
            required: required.collect(),
            vars: self.vars.clone(),
            faults: self.fault_names(),
            scheduled,
            nodes: nodes.iter().map(ToString::to_string).collect(),
            seed,
            started: now.to_string(),
            time_s: self.time.as_secs_f64(),
            rate: self.rate,
            concurrency: self.concurrency(nodes.len()),
            command: self.origin.command.clone(),
            arguments: self.origin.arguments.clone(),
            directory: self.origin.directory.clone(),
            max_down: self.bounds().max_down,
            system_model: self.model.map(|model| model.to_string()),
            liveness: self.liveness(),
            replays: self.replay.as_ref().map(|replay| replay.of.clone()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ended: None,
            alerts: Vec::new(),
            origin_ns: None,
            clocks: BTreeMap::new(),
        }
    }
}

/// Agents on the nodes, put there before the database is.
struct Agents {
    executable: PathBuf,
    /// Where the wire between the nodes listens, if it is one of ours.
    wire: Option<PathBuf>,
    /// How many nodes may be down at once.
    max_down: Option<usize>,
    /// What they are to be able to do.
    faults: Vec<String>,
    /// What they lay under the database's data.
    ground: Option<Ground>,
}

#[async_trait]
impl NemesisSource for Agents {
    async fn begin(self: Box<Self>, cluster: &Deployment) -> Result<Box<dyn Nemesis>, String> {
        let injector = Injector::connect(
            &cluster.sessions,
            cluster.daemons.clone(),
            cluster.database.clone(),
            &self.executable,
            self.wire.as_deref(),
            LEASE,
        );
        let injector = injector.await.map_err(|error| error.to_string())?;
        let names = self.faults.iter().map(String::as_str);
        injector.check(names).map_err(|error| error.to_string())?;
        Ok(Box::new(injector.limited_to(self.max_down).on(self.ground)))
    }
}

/// What can happen in the run.
fn system_model(arguments: &Run, test: &TestFile) -> anyhow::Result<Option<SystemModel>> {
    let of_file = || test.run.system_model.as_ref().map(|text| text.parse::<SystemModel>());
    Ok(arguments.system_model.map(Ok).or_else(of_file).transpose()?)
}

fn variables(test: &TestFile, set: &[String]) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut vars = test.vars.clone();
    for setting in set {
        let (name, value) =
            setting.split_once('=').ok_or_else(|| anyhow!("-s {setting}: say -s name=value"))?;
        if !vars.contains_key(name) {
            let known: Vec<&str> = vars.keys().map(String::as_str).collect();
            bail!(
                "-s {setting}: the test file has no variable {name}; it has: {}",
                known.join(", ")
            );
        }
        vars.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    Ok(vars)
}

fn fault_specs(test: &TestFile, asked: Option<&[String]>) -> Result<Vec<FaultSpec>, PlanError> {
    let names = asked.or(test.run.faults.as_deref()).unwrap_or_default();
    let spec = |name: &String| match test.faults.options.get(name) {
        Some(options) => spec(test, name, options),
        None => Ok(FaultSpec::named(name)),
    };
    let named = |name: &&String| *name != "none" && scenarios::find(name).is_none();
    names.iter().filter(named).map(spec).collect()
}

/// A fault, and what was chosen about it in terms that the faults know: a port's name is the test file's.
fn spec(test: &TestFile, name: &str, options: &Map<String, Value>) -> Result<FaultSpec, PlanError> {
    let options = ports::numbered(name, options, &test.db.ports)?;
    Ok(FaultSpec { name: name.to_owned(), options })
}

/// The test file's script, unless the command line says which faults; and the scenarios among those that
/// are asked for.
fn script(test: &TestFile, asked: Option<&[String]>) -> Result<Vec<Scripted>, PlanError> {
    let entries = test.faults.script.iter().filter(|_| asked.is_none());
    let scripted = |entry: &ScriptEntry| {
        let spec = spec(test, &entry.fault, &entry.options)?;
        Ok(Scripted { spec, at: entry.at, lasts: entry.lasts })
    };
    let names = asked.or(test.run.faults.as_deref()).unwrap_or_default();
    let scenarios = names.iter().filter_map(|name| scenarios::find(name));
    let mut script = entries.map(scripted).collect::<Result<Vec<_>, PlanError>>()?;
    script.extend(scenarios.flat_map(Scenario::script));
    Ok(script)
}

/// Any number will do, as long as it is another one next time; it is printed.
fn random_seed() -> Seed {
    use std::hash::{BuildHasher, Hasher};
    let chance = std::collections::hash_map::RandomState::new().build_hasher().finish();
    Seed(chance & 0xffff_ffff)
}
