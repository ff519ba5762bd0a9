//! Tribunal's own process on a node: it does the harm, sees what came of it,
//! and takes it back.
//!
//! It is leased. When nothing is heard from the controller for longer than the
//! lease, when its standard input closes, or when it is told to end, it undoes
//! every fault it holds and exits. How a fault is undone is on disk before it is
//! done ([`journal`]), so that whatever kills the agent, its successor can undo, or its [`guard`].
//! It touches only what is its own: its nftables table, the processes it was
//! told of, the files of its own folder.
//!
//! No async here: one thread does one thing after another (ptrace wants it so),
//! a second one reads requests and remembers when it last heard any.

#[cfg(target_arch = "x86_64")]
mod clock;
#[cfg(not(target_arch = "x86_64"))]
#[path = "no_clock.rs"]
mod clock;
mod cut;
mod guard;
mod journal;
mod kill;
mod lock;
mod pause;
mod processes;
pub mod protocol;
mod requests;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clock::{Keeper, Setting};
use guard::Guard;
pub use guard::watch;
use journal::{Journal, Undo};
use lock::Lock;
use processes::Session;
use protocol::{Answered, Asked, Harm, Reply, Request, Source};
use requests::{Heard, Requests};
use tribunal_history::Effect;

/// Where an agent keeps its journal on a node, and where its executable lies.
pub const DIRECTORY: &str = "/var/lib/tribunal-agent";

/// How long a clock that drifts or strobes gets to be seen off.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(7);

/// An agent at work.
pub struct Agent {
    directory: PathBuf,
    journal: Journal,
    /// What is due to be undone, by fault.
    held: BTreeMap<u64, Held>,
    /// Held for as long as the agent lives.
    _lock: Lock,
}

struct Held {
    undo: Undo,
    /// `None` for what a predecessor did.
    harm: Option<Harm>,
    /// Of a clock: what it is set to, and who keeps it so.
    clock: Option<(Setting, Keeper)>,
}

/// What an agent undid, and what it could not undo: a sentence each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Done.
    pub undone: Vec<String>,
    /// Still there.
    pub left: Vec<String>,
}

impl Agent {
    /// Takes the node over and undoes what a killed predecessor left.
    pub fn start(directory: PathBuf) -> io::Result<(Self, Undone)> {
        let within = |error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", directory.display()))
        };
        requests::hold_signals();
        fs::create_dir_all(&directory).map_err(within)?;
        let lock = Lock::take(&directory).map_err(within)?;
        Self::with(directory, lock)
    }

    /// The same for whoever has the node already.
    fn with(directory: PathBuf, lock: Lock) -> io::Result<(Self, Undone)> {
        let within = |error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", directory.display()))
        };
        let (journal, due) = Journal::open(&directory).map_err(within)?;
        let held =
            due.into_iter().map(|(fault, undo)| (fault, Held { undo, harm: None, clock: None }));
        let mut agent = Self { directory, journal, held: held.collect(), _lock: lock };
        let mut undone = agent.heal_all();
        match cut::sweep() {
            Ok(true) => undone.undone.push("rules that no journal knew of".to_owned()),
            Ok(false) => {}
            Err(error) => undone.left.push(error.to_string()),
        }
        Ok((agent, undone))
    }

    /// Serves a controller until it is lost for longer than `lease`, closes the
    /// input or tells the agent to end; then undoes everything. What could not
    /// be undone comes back, a sentence each.
    pub fn serve(mut self, before: Undone, lease: Duration) -> Vec<String> {
        let requests = Requests::listen(lease);
        let guard = Guard::post(&self.directory);
        let mut open = match &guard {
            Ok(_) => say(0, Reply::Ready { undone: before.undone, left: before.left }),
            Err(error) => {
                say(0, Reply::Failed { why: format!("no guard for the agent: {error}") });
                false
            }
        };
        while open {
            match requests.next() {
                Heard::Request(Asked { id, request }) => open = say(id, self.answer(request)),
                Heard::Nonsense(why) => open = say(0, Reply::Failed { why }),
                Heard::Nothing => open = false,
            }
        }
        self.heal_all().left
    }

    fn answer(&mut self, request: Request) -> Reply {
        let done = match request {
            Request::Ping => Ok(Reply::Done),
            Request::Inject { fault, harm } => self.inject(fault, harm).map(|()| Reply::Done),
            Request::Observe { fault } => self.observe(fault).map(Reply::Seen),
            Request::Heal { fault } => self.heal(fault).map(Reply::Seen),
            Request::HealAll => Ok(Reply::Left { left: self.heal_all().left }),
            Request::Knock { addresses, count } => {
                cut::knock(&addresses, count);
                Ok(Reply::Done)
            }
        };
        done.unwrap_or_else(|error| Reply::Failed { why: error.to_string() })
    }

    fn inject(&mut self, fault: u64, harm: Harm) -> io::Result<()> {
        if self.held.contains_key(&fault) {
            return Err(io::Error::other(format!("fault {fault} is held already")));
        }
        let undo = match &harm {
            Harm::Cut { .. } => Undo::Mend,
            Harm::Pause { pid } => Undo::Resume(Session::led_by(*pid)?),
            Harm::Clock { pid, .. } => Undo::Restore(Session::led_by(*pid)?),
            Harm::Kill { pid } => Undo::Bury(Session::led_by(*pid)?),
        };
        self.journal.due(fault, &undo)?;
        let mut clock = None;
        let done = match (&harm, &undo) {
            (Harm::Cut { sources }, _) => cut::cut(fault, sources),
            (Harm::Pause { .. }, Undo::Resume(session)) => pause::stop(session),
            (Harm::Kill { .. }, Undo::Bury(session)) => kill::kill(session),
            (Harm::Clock { offset_ns, ppm, strobe_ms, .. }, Undo::Restore(session)) => {
                let to = Setting::from_now(*offset_ns, *ppm);
                let strobe = (*strobe_ms > 0).then(|| Duration::from_millis(*strobe_ms));
                let set = clock::set(session, to);
                set.map(|()| clock = Some((to, Keeper::begin(session, to, strobe))))
            }
            _ => unreachable!("the undo was chosen by the harm"),
        };
        self.held.insert(fault, Held { undo, harm: Some(harm), clock });
        // Half a harm is no fault: it is taken back, and the reason told.
        done.inspect_err(|_| drop(self.heal(fault)))
    }

    fn observe(&self, fault: u64) -> io::Result<Effect> {
        let Some(Held { undo, harm: Some(harm), clock }) = self.held.get(&fault) else {
            return Err(io::Error::other(format!("fault {fault} is not held here")));
        };
        match (harm, undo) {
            (Harm::Cut { sources }, _) => cut::look(fault, sources),
            (Harm::Pause { .. }, Undo::Resume(session)) => pause::look(session),
            (Harm::Kill { .. }, Undo::Bury(session)) => kill::look(session),
            (Harm::Clock { .. }, Undo::Restore(session)) => {
                let (to, keeper) = clock.as_ref().expect("it was set when the harm was done");
                look_at_clocks(session, *to, keeper)
            }
            _ => unreachable!("the undo was chosen by the harm"),
        }
    }

    /// What is seen while undoing: of a cut all that it dropped, of the others that they are over.
    fn heal(&mut self, fault: u64) -> io::Result<Effect> {
        let Some(held) = self.held.get_mut(&fault) else { return Ok(Effect::default()) };
        // Nobody sets a clock again that is about to be restored.
        held.clock = None;
        let mut effect = match &held.harm {
            Some(Harm::Cut { sources }) => last_look(fault, sources),
            _ => Effect::default(),
        };
        effect.evidence.extend(held.undo.perform(fault)?);
        self.journal.undone(fault)?;
        self.held.remove(&fault);
        Ok(effect)
    }

    fn heal_all(&mut self) -> Undone {
        let mut done = Undone::default();
        for fault in self.held.keys().copied().collect::<Vec<_>>() {
            let what = self.held[&fault].undo.describe();
            match self.heal(fault) {
                Ok(_) => done.undone.push(what),
                Err(error) => done.left.push(format!("{what}: {error}")),
            }
        }
        if self.held.is_empty()
            && let Err(error) = self.journal.clear()
        {
            done.left.push(format!("the journal: {error}"));
        }
        done
    }
}

/// The counters, as far as they can still be read.
fn last_look(fault: u64, sources: &[Source]) -> Effect {
    cut::count(fault, sources).unwrap_or_default()
}

/// Reads every process' clock until all are off as they are to be. A drift takes its time to be
/// told from none, and a clock that strobes is right half of the time.
fn look_at_clocks(session: &Session, to: Setting, keeper: &Keeper) -> io::Result<Effect> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let readings = clock::read(session)?;
        let observed = readings.iter().all(|reading| has_moved(reading, to));
        if observed || Instant::now() > deadline {
            let mut evidence: Vec<String> =
                readings.into_iter().map(|reading| reading.text).collect();
            if keeper.flips() > 0 {
                evidence.push(format!("put forth and back {} times", keeper.flips()));
            }
            return Ok(Effect { observed, evidence });
        }
        thread::sleep(LOOK);
    }
}

/// Whether a clock is off by so much, and certainly off.
fn has_moved(reading: &clock::Reading, to: Setting) -> bool {
    let (within, ahead) = (reading.within_ns.unsigned_abs(), to.ahead_at(reading.at_ns));
    reading.ahead_ns.abs_diff(ahead) <= within && reading.ahead_ns.unsigned_abs() > within
}

/// Writes a reply; `false` when nobody listens any more.
fn say(id: u64, reply: Reply) -> bool {
    let mut line = serde_json::to_vec(&Answered { id, reply }).expect("replies are plain data");
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line).and_then(|()| out.flush()).is_ok()
}

/// What `tribunal agent --heal` does: undoes what a killed agent left here.
pub fn heal(directory: &Path) -> io::Result<Undone> {
    Agent::start(directory.to_owned()).map(|(_, undone)| undone)
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn a_jump_too_small_to_be_told_from_none_was_not_seen() {
        let reading = |ahead_ns| clock::Reading {
            at_ns: 3_000_000_000,
            ahead_ns,
            within_ns: 50_000,
            text: String::new(),
        };
        let has_moved = |reading: &clock::Reading, offset_ns| {
            super::has_moved(reading, Setting { offset_ns, ..Setting::default() })
        };
        assert!(has_moved(&reading(5_000_040_000), 5_000_000_000));
        assert!(has_moved(&reading(-200_000), -210_000));
        assert!(!has_moved(&reading(0), 5_000_000_000));
        assert!(!has_moved(&reading(20_000), 40_000));
        assert!(!has_moved(&reading(0), 0));
        let fast = Setting { ppm: 100_000, since_ns: 1_000_000_000, ..Setting::default() };
        assert!(super::has_moved(&reading(200_000_000), fast), "a tenth of two seconds");
        assert!(!super::has_moved(&reading(200_100_000), fast));
    }
}
