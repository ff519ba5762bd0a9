//! The interpreter: asks a generator what to call, has workers call it, and
//! records both ends of every call.
//!
//! Completions are handled before new work is asked for: a completion that
//! waited would look like a longer call, and so like concurrency that there was not.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;
use std::io;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tribunal_checkers::liveness::BY_CLIENT;
use tribunal_client::{Failure, Outcome};
use tribunal_generator::{Context, Generator, Next, Worker as Idle};
use tribunal_history::{Call, Event, FaultNote, Kind, Name, Nanos, Process, Stage, Value};

use crate::nemesis::{NemesisReply, Shared};
use crate::recorder::Recorder;
use crate::worker::{Done, Worker};

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum InterpreterError {
    /// The history could not be written.
    #[error("cannot write the history: {0}")]
    Io(#[from] io::Error),
    /// The generator waits for an event, and none can come.
    #[error("the generator waits for ever: no call is open and nothing is due")]
    Stuck,
    /// The generator gave a call to a process that is not free.
    #[error("the generator gave {call} to {process}, which is not free")]
    NotFree {
        /// Which process.
        process: Process,
        /// The call's function.
        call: Name,
    },
    /// A worker's task is gone.
    #[error("worker {worker} died: {why}; this is a bug of Tribunal or of its client")]
    WorkerDied {
        /// Its place among the workers.
        worker: usize,
        /// What its task said last.
        why: String,
    },
}

/// Workers, the nemesis and the recorder, for the length of a run.
pub struct Interpreter {
    recorder: Recorder,
    nemesis: Shared,
    /// The workers, then the nemesis.
    lanes: Vec<Lane>,
    /// Lanes without an open call, the longest idle first.
    free: VecDeque<usize>,
    done: mpsc::UnboundedReceiver<Done>,
    /// Workers that will complete nothing any more, and why.
    lost: mpsc::UnboundedReceiver<InterpreterError>,
    healed: mpsc::UnboundedReceiver<NemesisReply>,
    nemesis_done: mpsc::UnboundedSender<NemesisReply>,
    tasks: Vec<JoinHandle<()>>,
    /// Faults that were injected and not healed yet, by id.
    open_faults: BTreeMap<u64, Call>,
    next_process: u64,
}

/// One line of execution: a worker, or the nemesis.
struct Lane {
    identity: Idle,
    calls: Option<mpsc::Sender<Call>>,
    open: Option<Call>,
}

impl Interpreter {
    /// Starts a task for each worker.
    pub fn new(workers: Vec<Worker>, nemesis: Shared, recorder: Recorder) -> Self {
        let (to_done, done) = mpsc::unbounded_channel();
        let (to_lost, lost) = mpsc::unbounded_channel();
        let (nemesis_done, healed) = mpsc::unbounded_channel();
        let mut lanes = Vec::new();
        let mut tasks = Vec::new();
        for (at, worker) in workers.into_iter().enumerate() {
            let (calls, inbox) = mpsc::channel(1);
            let process = Process::Client(at as u64);
            let node = Some(Name::from(worker.node().id.as_str()));
            lanes.push(Lane { identity: Idle { process, node }, calls: Some(calls), open: None });
            let serving = tokio::spawn(worker.serve(at, inbox, to_done.clone()));
            tasks.push(tokio::spawn(watch_over(at, serving, to_lost.clone())));
        }
        let next_process = lanes.len() as u64;
        let identity = Idle { process: Process::Nemesis, node: None };
        lanes.push(Lane { identity, calls: None, open: None });
        Self {
            recorder,
            nemesis,
            free: (0..lanes.len()).collect(),
            lanes,
            done,
            lost,
            healed,
            nemesis_done,
            tasks,
            open_faults: BTreeMap::new(),
            next_process,
        }
    }

    /// The history so far.
    pub fn recorder(&mut self) -> &mut Recorder {
        &mut self.recorder
    }

    /// Runs `generator` until it is done and every call has ended. When `stop`
    /// becomes true no more calls are made, and those open are waited for: each
    /// has its deadline.
    pub async fn run(
        &mut self,
        generator: &mut dyn Generator,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), InterpreterError> {
        // A generator that is done is not asked again.
        let mut over = false;
        loop {
            while let Ok(done) = self.done.try_recv() {
                self.complete_call(generator, done)?;
            }
            while let Ok(reply) = self.healed.try_recv() {
                self.complete_fault(generator, reply)?;
            }
            if let Ok(lost) = self.lost.try_recv() {
                return Err(lost);
            }
            over |= *stop.borrow();
            let next = if over { Next::Done } else { self.ask(generator) };
            over |= next == Next::Done;
            match next {
                Next::Call(process, call) => self.dispatch(generator, process, call)?,
                Next::Done if self.in_flight() == 0 => return Ok(()),
                Next::Done => self.wait(generator, Nanos::MAX, stop).await?,
                Next::Wait(Nanos::MAX) if self.in_flight() == 0 => {
                    return Err(InterpreterError::Stuck);
                }
                Next::Wait(until) => self.wait(generator, until, stop).await?,
            }
        }
    }

    /// Heals the faults that are still open, as recorded calls.
    pub async fn heal(&mut self) -> Result<(), InterpreterError> {
        for call in std::mem::take(&mut self.open_faults).into_values() {
            let nemesis = self.lanes.len() - 1;
            self.record_invocation(nemesis, &call)?;
            let reply = perform(&self.nemesis, &call).await;
            self.record_reply(&call, reply)?;
        }
        Ok(())
    }

    /// Records something that is no call and no fault, as the nemesis' word.
    pub fn note(&mut self, f: &str, value: Value) -> io::Result<()> {
        let call = Call::new(f).value(value);
        self.recorder.record(Event::of(&call, 0, Process::Nemesis, Kind::Info)).map(drop)
    }

    /// Undoes whatever the nemesis still holds; what could not be undone comes back.
    pub async fn heal_all(&mut self) -> Vec<String> {
        let nemesis = self.nemesis.clone();
        let healed = caught(async move { nemesis.lock().await.heal_all().await }).await;
        healed.unwrap_or_else(|panic| vec![format!("the nemesis died healing: {panic}")])
    }

    /// Ends the workers, and gives back the recorder.
    pub async fn finish(mut self) -> Recorder {
        for lane in &mut self.lanes {
            lane.calls = None;
        }
        for task in self.tasks {
            let _ = task.await;
        }
        self.recorder
    }

    fn in_flight(&self) -> usize {
        self.lanes.len() - self.free.len()
    }

    fn with_context<T>(&self, use_it: impl FnOnce(&Context) -> T) -> T {
        let free: Vec<Idle> = self.free.iter().map(|at| self.lanes[*at].identity.clone()).collect();
        let all: Vec<Idle> = self.lanes.iter().map(|lane| lane.identity.clone()).collect();
        use_it(&Context { time: self.recorder.now(), free: &free, all: &all })
    }

    fn ask(&self, generator: &mut dyn Generator) -> Next {
        self.with_context(|context| generator.next(context))
    }

    fn tell(&self, generator: &mut dyn Generator, event: &Event) {
        self.with_context(|context| generator.update(context, event));
    }

    fn dispatch(
        &mut self,
        generator: &mut dyn Generator,
        process: Process,
        call: Call,
    ) -> Result<(), InterpreterError> {
        let place = self.free.iter().position(|at| self.lanes[*at].identity.process == process);
        let Some(place) = place else {
            return Err(InterpreterError::NotFree { process, call: call.f });
        };
        let at = self.free.remove(place).expect("the place was just found");
        let event = self.record_invocation(at, &call)?;
        self.tell(generator, &event);
        match &self.lanes[at].calls {
            Some(calls) => {
                calls.try_send(call.clone()).map_err(|error| worker_died(at, &error))?;
            }
            None => self.dispatch_fault(call.clone()),
        }
        self.lanes[at].open = Some(call);
        Ok(())
    }

    /// Faults take their time; the clients' calls go on meanwhile.
    fn dispatch_fault(&self, call: Call) {
        let nemesis = self.nemesis.clone();
        let done = self.nemesis_done.clone();
        tokio::spawn(async move {
            let reply = perform(&nemesis, &call).await;
            // Only fails when the run is over, and then nobody waits.
            let _ = done.send(reply);
        });
    }

    async fn wait(
        &mut self,
        generator: &mut dyn Generator,
        until: Nanos,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), InterpreterError> {
        let stopped = *stop.borrow();
        let wake = match self.recorder.instant(until) {
            Some(instant) if until != Nanos::MAX => Some(instant.into()),
            _ => None,
        };
        let due = async {
            match wake {
                Some(instant) => tokio::time::sleep_until(instant).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(done) = self.done.recv() => self.complete_call(generator, done),
            Some(lost) = self.lost.recv() => Err(lost),
            Some(reply) = self.healed.recv() => self.complete_fault(generator, reply),
            _ = stop.changed(), if !stopped => Ok(()),
            () = due => Ok(self.recorder.flush_if_due()?),
        }
    }

    fn record_invocation(&mut self, at: usize, call: &Call) -> io::Result<Event> {
        let identity = &self.lanes[at].identity;
        // The nemesis' events are all infos: its calls have no client's semantics.
        let kind = if identity.process.is_client() { Kind::Invoke } else { Kind::Info };
        let mut event = Event::of(call, 0, identity.process, kind);
        event.node = identity.node.clone();
        if let (Process::Nemesis, Ok(note)) = (identity.process, note_of(call)) {
            self.note_fault(&note, call);
        }
        self.recorder.record(event)
    }

    /// Keeps the book of what must still be healed.
    fn note_fault(&mut self, note: &FaultNote, call: &Call) {
        match note.stage {
            Stage::Inject => {
                let heal = FaultNote { stage: Stage::Heal, ..note.clone() };
                let value = serde_json::to_value(heal).unwrap_or(Value::Null);
                self.open_faults.insert(note.id, Call { value, ..call.clone() });
            }
            Stage::Heal => {
                self.open_faults.remove(&note.id);
            }
            Stage::Injected | Stage::Healed => {}
        }
    }

    fn complete_call(
        &mut self,
        generator: &mut dyn Generator,
        done: Done,
    ) -> Result<(), InterpreterError> {
        let lane = &mut self.lanes[done.worker];
        let Some(call) = lane.open.take() else {
            return Err(worker_died(done.worker, &"it completed a call that it was not given"));
        };
        let mut event = completion(&call, &lane.identity, done.outcome);
        if done.by_client {
            event.ext.insert(BY_CLIENT.to_owned(), true.into());
        }
        let event = self.recorder.record(event)?;
        if event.kind == Kind::Info {
            // Its call may still take effect, so its number is never used again.
            self.lanes[done.worker].identity.process = Process::Client(self.next_process);
            self.next_process += 1;
        }
        self.free.push_back(done.worker);
        self.tell(generator, &event);
        Ok(())
    }

    fn complete_fault(
        &mut self,
        generator: &mut dyn Generator,
        reply: NemesisReply,
    ) -> Result<(), InterpreterError> {
        let nemesis = self.lanes.len() - 1;
        let Some(call) = self.lanes[nemesis].open.take() else { return Ok(()) };
        let event = self.record_reply(&call, reply)?;
        self.free.push_back(nemesis);
        self.tell(generator, &event);
        Ok(())
    }

    fn record_reply(&mut self, call: &Call, reply: NemesisReply) -> io::Result<Event> {
        let mut event = Event::of(call, 0, Process::Nemesis, Kind::Info);
        event.value = serde_json::to_value(&reply.note).map_err(io::Error::other)?;
        event.error = reply.error.map_or(Value::Null, Value::String);
        self.recorder.record(event)
    }
}

/// Has the nemesis perform a call. One that panics has not answered, but its call has ended: else whoever waits
/// for that would wait for ever.
async fn perform(nemesis: &Shared, call: &Call) -> NemesisReply {
    let (nemesis, asked) = (nemesis.clone(), call.clone());
    let performed = caught(async move { nemesis.lock().await.invoke(&asked).await }).await;
    performed.unwrap_or_else(|panic| NemesisReply {
        note: unanswered(call),
        error: Some(format!("the nemesis died of it: {panic}; this is a bug of Tribunal")),
    })
}

/// What comes of some work, or how it panicked. It ends with whoever waits for it.
async fn caught<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, JoinError> {
    let mut tasks = JoinSet::new();
    tasks.spawn(work);
    tasks.join_next().await.expect("one was begun")
}

/// The note of a call that the nemesis did not answer.
fn unanswered(call: &Call) -> FaultNote {
    let asked = note_of(call).ok();
    let stage = match asked.as_ref().map(|note| note.stage) {
        Some(Stage::Heal | Stage::Healed) => Stage::Healed,
        Some(Stage::Inject | Stage::Injected) | None => Stage::Injected,
    };
    let id = asked.as_ref().map_or(u64::MAX, |note| note.id);
    let (nodes, summary) = asked.map(|note| (note.nodes, note.summary)).unwrap_or_default();
    FaultNote { id, stage, nodes, summary, plan: Default::default(), effect: None }
}

/// Tells if a worker's task ends in a panic: its call will never be completed.
async fn watch_over(
    worker: usize,
    serving: JoinHandle<()>,
    lost: mpsc::UnboundedSender<InterpreterError>,
) {
    if let Err(panic) = serving.await {
        // Only fails when the run is over, and then nobody waits.
        let _ = lost.send(worker_died(worker, &panic));
    }
}

fn worker_died(worker: usize, why: &dyn Display) -> InterpreterError {
    InterpreterError::WorkerDied { worker, why: why.to_string() }
}

fn note_of(call: &Call) -> serde_json::Result<FaultNote> {
    serde_json::from_value(call.value.clone())
}

/// The event that ends `call`.
fn completion(call: &Call, who: &Idle, outcome: Outcome) -> Event {
    let kind = match &outcome {
        Ok(_) => Kind::Ok,
        Err(Failure::Fail(_)) => Kind::Fail,
        Err(Failure::Info(_)) => Kind::Info,
    };
    let mut event = Event::of(call, 0, who.process, kind);
    event.node = who.node.clone();
    match outcome {
        Ok(reply) => {
            // A reply without a value leaves the argument: a write need not repeat what it wrote.
            if !reply.value.is_null() {
                event.value = reply.value;
            }
            event.ext.extend(reply.ext);
        }
        Err(Failure::Fail(why) | Failure::Info(why)) => event.error = Value::String(why),
    }
    event
}
