//! One run, from a connected cluster to a judged history.
//!
//! Set up, load with faults, heal, settle, last calls, collect, judge: and
//! whatever happens on the way, the faults are healed and the database is ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tribunal_checkers::liveness::{REACHED, Reached};
use tribunal_checkers::{Checker, Verdict};
use tribunal_client::{Client, Failure, Node as ClientNode};
use tribunal_generator::Boxed;
use tribunal_history::{History, HistoryError, Name};

use crate::clocks::{ClockRange, Origin, Watch};
use crate::cluster::Session;
use crate::cluster::local::wire::{self, Line};
use crate::database::{Daemons, Database, DatabaseError, Declared};
use crate::deadline::Deadline;
use crate::events::{Listener, Phase, RunEvent};
use crate::interpreter::{Interpreter, InterpreterError};
use crate::nemesis::{Nemesis, Peace, Shared};
use crate::recorder::Recorder;
use crate::report;
use crate::store::{RunFolder, RunRecord, StoreError, log_names};
use crate::worker::Worker;

/// How long a client's `setup` may take: a table or a stream may have to be made first.
const SETUP_DEADLINE: Duration = Duration::from_secs(30);
/// How a run has ended for as long as nobody has written down otherwise.
const CUT_OFF: &str = "it was cut off";
/// How long the wire may hear nothing of a run before it ends the run's capture.
const CAPTURE_LEASE: Duration = Duration::from_secs(30);
/// How long a node has to answer before it counts as lost.
const REACH: Duration = Duration::from_secs(5);
/// How much of a log file is kept, in bytes: its end.
const LOG_LIMIT: u64 = 20_000_000;

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database or a node.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The nemesis could not begin.
    #[error("the nemesis cannot begin: {0}")]
    Nemesis(String),
    /// A client could not set up.
    #[error("the client cannot set up on {node}: {why}")]
    Client {
        /// The node that it is bound to.
        node: String,
        /// Why, in the client's words or the harness'.
        why: String,
    },
    /// The run itself.
    #[error(transparent)]
    Interpreter(#[from] InterpreterError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The history file.
    #[error("cannot write the history: {0}")]
    Io(#[from] std::io::Error),
    /// What was recorded is no history.
    #[error("the recorder wrote a malformed history: {0}; this is a bug of Tribunal")]
    Malformed(#[from] HistoryError),
    /// Ctrl-C before there was any load.
    #[error("interrupted before the load began")]
    Interrupted,
}

/// A database that runs on a cluster.
pub struct Deployment {
    /// A session to each node.
    pub sessions: Vec<Arc<Session>>,
    /// Its main process on each node.
    pub daemons: Arc<Daemons>,
    /// How it is handled.
    pub database: Arc<Declared>,
}

/// Makes the nemesis of a run, before there is anything of the database on its nodes.
#[async_trait]
pub trait NemesisSource: Send {
    /// Puts agents on the nodes, ready to harm the daemons that there will be.
    async fn begin(self: Box<Self>, cluster: &Deployment) -> Result<Box<dyn Nemesis>, String>;
}

/// A run without faults.
#[async_trait]
impl NemesisSource for Peace {
    async fn begin(self: Box<Self>, _: &Deployment) -> Result<Box<dyn Nemesis>, String> {
        Ok(self)
    }
}

/// All that one run needs.
pub struct Trial {
    /// What is written down of it.
    pub record: RunRecord,
    /// Where it is written.
    pub folder: RunFolder,
    /// The nodes.
    pub sessions: Vec<Arc<Session>>,
    /// Where the wire between them listens, if it is one of ours.
    pub wire: Option<PathBuf>,
    /// The database.
    pub database: Arc<Declared>,
    /// Who injects the faults.
    pub nemesis: Box<dyn NemesisSource>,
    /// What is called, and what is harmed.
    pub load: Load,
    /// Who judges.
    pub checker: Box<dyn Checker>,
}

/// A run that came to a verdict.
pub struct Finished {
    /// The verdict.
    pub verdict: Verdict,
    /// What it judges.
    pub history: History,
    /// The record, with how it ended.
    pub record: RunRecord,
}

impl Trial {
    /// Runs it. The first `true` on `stop` ends the load; what there is by then is judged.
    pub async fn run(
        self,
        mut listener: Box<dyn Listener>,
        stop: watch::Receiver<bool>,
    ) -> Result<Finished, RunError> {
        let Trial { mut record, folder, sessions, wire, database, checker, nemesis, load } = self;
        listener.on(RunEvent::Started(&record));
        record.ended = Some(CUT_OFF.to_owned());
        folder.write_record(&record)?;
        let _capture = capture(wire.as_deref(), &folder).await;
        let cluster = Deployment { sessions, daemons: Arc::default(), database };
        let recorded = match nemesis.begin(&cluster).await.map_err(RunError::Nemesis) {
            Ok(nemesis) => under(nemesis, load, &cluster, &folder, listener, stop.clone()).await,
            Err(error) => Err(error),
        };
        record.ended = match &recorded {
            Err(error) => Some(error.to_string()),
            Ok(_) => stop.borrow().then(|| "interrupted".to_owned()),
        };
        if let Ok(recorded) = &recorded {
            record.alerts.clone_from(&recorded.alerts);
            record.clocks.clone_from(&recorded.clocks);
            record.origin_ns = Some(recorded.origin.wall_ns());
        }
        folder.write_record(&record)?;
        let Recorded { history, mut listener, .. } = recorded?;
        listener.on(RunEvent::Phase(Phase::Check));
        let (mut verdict, history) = judge(checker, history).await;
        for doubt in record.doubts() {
            verdict.doubt(doubt);
        }
        folder.write_verdict(&verdict)?;
        folder.write_report(&report::render(&record, &history, &verdict, &folder.node_logs()))?;
        Ok(Finished { verdict, history, record })
    }
}

/// The whole life of a database, which stands on the nemesis' ground for as long as it runs.
async fn under(
    nemesis: Box<dyn Nemesis>,
    load: Load,
    cluster: &Deployment,
    folder: &RunFolder,
    mut listener: Box<dyn Listener>,
    stop: watch::Receiver<bool>,
) -> Result<Recorded, RunError> {
    let nemesis: Shared = Arc::new(Mutex::new(nemesis));
    let mut recorded = match cluster.begin(&nemesis, &mut *listener, &stop).await {
        Ok(()) => load.run(cluster, nemesis.clone(), folder, listener, stop).await,
        Err(error) => Err(error),
    };
    cluster.collect_logs(folder).await;
    let mut left = cluster.end().await;
    left.extend(nemesis.lock().await.lift_ground().await);
    // What is left says nothing about the history, so it is told and no doubt about the verdict.
    for left in left {
        match &mut recorded {
            Ok(recorded) => recorded.listener.on(RunEvent::Alert(&left)),
            Err(_) => tracing::warn!(left, "not taken away"),
        }
    }
    recorded
}

/// Keeps the beginning of every frame that goes over the wire in the run's folder, for as long as
/// what comes back lives. A run is worth as much without it.
async fn capture(wire: Option<&Path>, folder: &RunFolder) -> Option<Line> {
    let path = folder.path().canonicalize().ok()?.join("wire.pcap");
    let kept = async {
        let line = Line::open(wire?, CAPTURE_LEASE).await;
        let line = line.inspect_err(|why| tracing::warn!(why, "no capture")).ok()?;
        let asked = line.ask(wire::Request::Capture { path }).await;
        asked.inspect_err(|why| tracing::warn!(why, "no capture")).ok().map(|_| line)
    };
    kept.await
}

/// Judges on a thread of its own. A checker that panics has not judged: the
/// history is on disk, and the verdict is `unknown`.
async fn judge(checker: Box<dyn Checker>, history: History) -> (Verdict, History) {
    let history = Arc::new(history);
    let judged = history.clone();
    let verdict = tokio::task::spawn_blocking(move || checker.check(&judged)).await;
    let verdict =
        verdict.unwrap_or_else(|panic| Verdict::unknown(format!("a checker crashed: {panic}")));
    (verdict, Arc::unwrap_or_clone(history))
}

impl Deployment {
    /// Installs and starts the database, until it serves everywhere.
    async fn begin(
        &self,
        nemesis: &Shared,
        listener: &mut dyn Listener,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), RunError> {
        listener.on(RunEvent::Phase(Phase::Install));
        let wipe = |database: Arc<Declared>, session: Arc<Session>| async move {
            database.wipe(&session).await
        };
        unless_stopped(stop, self.each(wipe)).await?;
        nemesis.lock().await.lay_ground().await.map_err(RunError::Nemesis)?;
        let install = |database: Arc<Declared>, session: Arc<Session>| async move {
            database.install(&session).await
        };
        unless_stopped(stop, self.each(install)).await?;
        listener.on(RunEvent::Phase(Phase::Start));
        // Not to be interrupted half-way, which would take seconds: what is started must be known, to be ended.
        let start = |database: Arc<Declared>, session: Arc<Session>| async move {
            Ok(database.start(&session).await)
        };
        let (started, failed): (Vec<_>, Vec<_>) =
            self.each(start).await?.into_iter().partition(Result::is_ok);
        started.into_iter().flatten().for_each(|daemon| self.daemons.set(daemon));
        if let Some(error) = failed.into_iter().find_map(Result::err) {
            return Err(error.into());
        }
        unless_stopped(stop, self.ready()).await
    }

    /// Waits until the database serves on every node.
    async fn ready(&self) -> Result<(), DatabaseError> {
        let daemons = self.daemons.clone();
        let ready = self.each(move |database, session| {
            let daemon = daemons.get(&session.node().id);
            async move {
                match daemon {
                    Some(daemon) => database.ready(&session, &daemon).await,
                    None => Ok(()),
                }
            }
        });
        ready.await.map(drop)
    }

    /// Which nodes answer.
    async fn reached(&self) -> Reached {
        let asked = self.each(|_, session| async move {
            let answer = tokio::time::timeout(REACH, session.run("true")).await;
            Ok((
                session.node().id.to_string(),
                matches!(answer, Ok(Ok(output)) if output.code == Some(0)),
            ))
        });
        let (reached, lost): (Vec<_>, Vec<_>) =
            asked.await.unwrap_or_default().into_iter().partition(|(_, answers)| *answers);
        let names = |them: Vec<(String, bool)>| them.into_iter().map(|(node, _)| node).collect();
        Reached { reached: names(reached), lost: names(lost) }
    }

    /// Ends the database wherever it was started; what went wrong comes back, a sentence a node. A node that
    /// cannot be reached any more cannot be told, and is the agent's business.
    async fn end(&self) -> Vec<String> {
        let daemons = self.daemons.clone();
        let ended = self.each(move |database, session| {
            let daemon = daemons.get(&session.node().id);
            async move {
                Ok(match daemon {
                    Some(daemon) => database.stop(&session, &daemon).await.err(),
                    None => None,
                })
            }
        });
        let failed = ended.await.unwrap_or_default().into_iter().flatten();
        failed.map(|error| format!("at the end of the database: {error}")).collect()
    }

    /// Fetches the database's logs. A log that is missing is no reason to lose the run.
    async fn collect_logs(&self, folder: &RunFolder) {
        let collected = self.each(|database, session| {
            let folder = folder.clone();
            async move {
                let logs = database.logs(session.node());
                for (log, name) in logs.iter().zip(log_names(&logs)) {
                    let script = format!("tail -c {LOG_LIMIT} '{log}' 2>/dev/null");
                    if let Ok(output) = session.run(&script).await {
                        let node = &session.node().id;
                        let _ = folder.write_log(node, &name, output.stdout.as_bytes());
                    }
                }
                Ok(())
            }
        });
        let _ = collected.await;
    }

    /// Does something on every node at once; the results are in the nodes' order.
    async fn each<T, F>(
        &self,
        work: impl Fn(Arc<Declared>, Arc<Session>) -> F,
    ) -> Result<Vec<T>, DatabaseError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DatabaseError>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        for (at, session) in self.sessions.iter().enumerate() {
            let work = work(self.database.clone(), session.clone());
            tasks.spawn(async move { (at, work.await) });
        }
        let mut results = tasks.join_all().await;
        results.sort_by_key(|(at, _)| *at);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

async fn unless_stopped<T>(
    stop: &watch::Receiver<bool>,
    work: impl Future<Output = Result<T, DatabaseError>>,
) -> Result<T, RunError> {
    let mut stop = stop.clone();
    tokio::select! {
        done = work => Ok(done?),
        Ok(_) = stop.wait_for(|stop| *stop) => Err(RunError::Interrupted),
    }
}

/// The part of a run that makes the history.
pub struct Load {
    /// The workers' clients, each with the node it is bound to.
    pub clients: Vec<(Box<dyn Client>, ClientNode)>,
    /// How long a call may take.
    pub deadline: Deadline,
    /// Calls and faults, time limit included.
    pub generator: Boxed,
    /// The workload's last calls, on the healed cluster.
    pub last: Option<Boxed>,
    /// How long the healed cluster is left alone before the last calls.
    pub quiesce: Duration,
}

/// What a load leaves.
struct Recorded {
    history: History,
    listener: Box<dyn Listener>,
    /// What went wrong without ending the run.
    alerts: Vec<String>,
    /// What was measured of the nodes' clocks.
    clocks: BTreeMap<Name, ClockRange>,
    /// When its time is 0.
    origin: Origin,
}

impl Load {
    async fn run(
        self,
        cluster: &Deployment,
        nemesis: Shared,
        folder: &RunFolder,
        listener: Box<dyn Listener>,
        stop: watch::Receiver<bool>,
    ) -> Result<Recorded, RunError> {
        let workers = set_up(self.clients, self.deadline).await?;
        let recorder = Recorder::create(&folder.history_path(), listener)?;
        let clocks = nemesis.lock().await.clocks();
        let origin = recorder.origin();
        let watch = clocks.map(|it| Watch::begin(&it, origin, &folder.clocks_path()));
        let watch = watch.transpose()?;
        let mut interpreter = Interpreter::new(workers, nemesis, recorder);
        let loaded = load(&mut interpreter, self.generator, stop).await;
        // Whatever happened: first of all, do no more harm.
        interpreter.recorder().tell(RunEvent::Phase(Phase::Heal));
        let healed = interpreter.heal().await;
        let mut alerts = interpreter.heal_all().await;
        let reached = cluster.reached().await;
        let noted = interpreter.note(REACHED, json!(reached));
        alerts.extend(
            reached
                .lost
                .iter()
                .map(|node| format!("after the last heal: node {node} cannot be reached any more")),
        );
        alerts.extend(settle(cluster, self.quiesce).await);
        let last = match self.last {
            Some(last) if loaded.is_ok() => last_calls(&mut interpreter, last).await,
            _ => Ok(()),
        };
        let clocks = match watch {
            Some(watch) => watch.end().await,
            None => BTreeMap::new(),
        };
        let (history, mut listener) = interpreter.finish().await.finish()?;
        noted?;
        loaded.and(healed).and(last)?;
        for alert in &alerts {
            listener.on(RunEvent::Alert(alert));
        }
        Ok(Recorded { history, listener, alerts, clocks, origin })
    }
}

/// Connects the first client and has it set up; the others connect when they are called.
async fn set_up(
    clients: Vec<(Box<dyn Client>, ClientNode)>,
    deadline: Deadline,
) -> Result<Vec<Worker>, RunError> {
    let workers =
        clients.into_iter().map(|(client, node)| Worker::new(client, node, deadline.clone()));
    let mut workers: Vec<Worker> = workers.collect();
    if let Some(first) = workers.first_mut() {
        let set_up = first.setup(SETUP_DEADLINE).await;
        set_up.map_err(|(Failure::Fail(why) | Failure::Info(why))| RunError::Client {
            node: first.node().id.clone(),
            why,
        })?;
    }
    Ok(workers)
}

async fn load(
    interpreter: &mut Interpreter,
    mut generator: Boxed,
    mut stop: watch::Receiver<bool>,
) -> Result<(), InterpreterError> {
    interpreter.recorder().tell(RunEvent::Phase(Phase::Load));
    interpreter.run(&mut generator, &mut stop).await
}

/// Waits until the healed database serves again, and then lets it be for a
/// while. A database that does not recover is told of; it is no set-up error.
async fn settle(cluster: &Deployment, quiesce: Duration) -> Option<String> {
    let alert = cluster.ready().await.err().map(|error| format!("after the last heal: {error}"));
    tokio::time::sleep(quiesce).await;
    alert
}

async fn last_calls(
    interpreter: &mut Interpreter,
    mut last: Boxed,
) -> Result<(), InterpreterError> {
    interpreter.recorder().tell(RunEvent::Phase(Phase::Last));
    // An interrupted load is judged too, and its last calls are what it is judged by.
    let (_never, mut stop) = watch::channel(false);
    interpreter.run(&mut last, &mut stop).await
}
