//! Tribunal's own process on a node: it does the harm, sees what came of it,
//! and takes it back.
//!
//! It is leased. When nothing is heard from the controller for longer than the
//! lease, when its standard input closes, or when it is told to end, it undoes
//! every fault it holds and exits. How a fault is undone is on disk before it is
//! done ([`journal`]), so that whatever kills the agent, its successor can undo, or its [`guard`].
//! What a database stands on ([`ground`]) outlives an agent, and is adopted by its successor.
//! It touches only what is its own: its nftables table, the processes it was
//! told of, the control groups it made for them, the files of its own folder.
//!
//! No async here: one thread does one thing after another (ptrace wants it so),
//! a second one reads requests and remembers when it last heard any.

mod act;
mod bad_disk;
#[cfg(target_arch = "x86_64")]
mod clock;
#[cfg(not(target_arch = "x86_64"))]
#[path = "no_clock.rs"]
mod clock;
mod cpu;
mod cut;
mod damage;
pub mod datagrams;
mod file_limit;
mod fill;
mod freeze;
mod freezer;
mod ground;
mod group;
mod guard;
mod host_clock;
mod journal;
mod keeper;
pub mod kernel;
mod kill;
mod knock;
mod lock;
mod memory;
mod netem;
mod pause;
mod power;
mod process_limit;
mod processes;
pub mod protocol;
mod requests;
mod rollback;
mod table;
mod tool;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use act::{Act, Place};
use datagrams::Ear;
pub use freeze::touch;
pub use ground::GROUND;
use ground::Laid;
use guard::Guard;
pub use guard::watch;
use journal::{Journal, Undo};
use lock::Lock;
use protocol::{Answered, Asked, Harm, Reply, Request};
pub(crate) use requests::hold_signals;
use requests::{Heard, Requests};
use tribunal_history::Effect;

/// Where an agent keeps its journal on a node, and where its executable lies.
pub const DIRECTORY: &str = "/var/lib/tribunal-agent";

/// An agent at work.
pub struct Agent {
    directory: PathBuf,
    journal: Journal,
    /// What is due to be undone, by fault.
    held: BTreeMap<u64, Held>,
    /// Listens for other nodes' datagrams.
    ear: Option<Ear>,
    /// Held for as long as the agent lives.
    _lock: Lock,
}

struct Held {
    undo: Undo,
    /// `None` for what a predecessor did.
    act: Option<Box<dyn Act>>,
}

/// What an agent undid, and what it could not undo: a sentence each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Done.
    pub undone: Vec<String>,
    /// Still there.
    pub left: Vec<String>,
}

impl Undone {
    fn add(&mut self, other: Undone) {
        self.undone.extend(other.undone);
        self.left.extend(other.left);
    }
}

impl Agent {
    /// Takes the node over and undoes what a killed predecessor left; ground stays, if it was laid
    /// for the same tenant.
    pub fn start(directory: PathBuf, tenant: Option<&str>) -> io::Result<(Self, Undone)> {
        let within = |error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", directory.display()))
        };
        requests::hold_signals();
        fs::create_dir_all(&directory).map_err(within)?;
        let lock = Lock::take(&directory).map_err(within)?;
        let (mut agent, mut undone) = Self::with(directory, lock)?;
        let mine = |ground: &Laid| Some(&*ground.tenant) == tenant;
        if !agent.ground().is_some_and(mine) {
            undone.add(agent.lift());
        }
        Ok((agent, undone))
    }

    /// The same for whoever has the node already, and may not know whose ground it is.
    fn with(directory: PathBuf, lock: Lock) -> io::Result<(Self, Undone)> {
        let within = |error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", directory.display()))
        };
        let (journal, due) = Journal::open(&directory).map_err(within)?;
        let held = due.into_iter().map(|(fault, undo)| (fault, Held { undo, act: None }));
        let mut agent = Self { directory, journal, held: held.collect(), ear: None, _lock: lock };
        let mut undone = agent.undo_harms();
        for (what, swept) in [("rules", table::sweep()), ("bad links", netem::sweep())] {
            match swept {
                Ok(true) => undone.undone.push(format!("{what} that no journal knew of")),
                Ok(false) => {}
                Err(error) => undone.left.push(error.to_string()),
            }
        }
        Ok((agent, undone))
    }

    /// Serves a controller until it is lost for longer than `lease`, closes the
    /// input or tells the agent to end; then undoes every harm. What could not
    /// be undone comes back, a sentence each. Ground stays for a successor, and failing that
    /// for the guard, unless the lease has run out already.
    pub fn serve(mut self, before: Undone, lease: Duration) -> Vec<String> {
        let requests = Requests::listen(lease);
        let guard = Guard::post(&self.directory, lease);
        let mut open = match &guard {
            Ok(_) => {
                let (Undone { undone, left }, boot_id) = (before, kernel::boot_id().ok());
                let (addresses, lacks) = (knock::own_addresses(), group::lacking());
                say(0, Reply::Ready { undone, left, boot_id, addresses, lacks })
            }
            Err(error) => {
                say(0, Reply::Failed { why: format!("no guard for the agent: {error}") });
                false
            }
        };
        let mut lost = false;
        while open {
            match requests.next() {
                Heard::Request(Asked { id, request }) => open = say(id, self.answer(request)),
                Heard::Nonsense(why) => open = say(0, Reply::Failed { why }),
                Heard::End => open = false,
                Heard::Silence => (open, lost) = (false, true),
            }
        }
        let mut undone = self.undo_harms();
        if lost {
            undone.add(self.lift());
        }
        undone.left
    }

    fn answer(&mut self, request: Request) -> Reply {
        let done = match request {
            Request::Ping => Ok(Reply::Done),
            Request::Inject { fault, harm } => self.inject(fault, harm).map(|()| Reply::Done),
            Request::Observe { fault } => self.observe(fault).map(Reply::Seen),
            Request::Heal { fault } => self.heal(fault).map(Reply::Seen),
            Request::HealAll => Ok(Reply::Left { left: self.undo_harms().left }),
            Request::Knock { addresses, port, count } => {
                knock::knock(&addresses, port, count);
                Ok(Reply::Done)
            }
            Request::Listen => Ear::open().map(|ear| {
                let port = ear.port();
                self.ear = Some(ear);
                Reply::Listening { port }
            }),
            Request::Heard => Ok(Reply::Heard(self.ear.take().map(Ear::close).unwrap_or_default())),
            Request::Send { to, count, bytes, wait_ms } => {
                let wait = Duration::from_millis(wait_ms);
                datagrams::send(&to, count, bytes, wait).map(|echoes| Reply::Sent { echoes })
            }
            Request::Clock { pid } => {
                let (wall_ns, ahead_ns) = clock::shown(pid);
                Ok(Reply::Clock { wall_ns, ahead_ns })
            }
        };
        done.unwrap_or_else(|error| Reply::Failed { why: error.to_string() })
    }

    fn inject(&mut self, fault: u64, harm: Harm) -> io::Result<()> {
        if self.held.contains_key(&fault) {
            return Err(io::Error::other(format!("fault {fault} is held already")));
        }
        let place = Place { directory: &self.directory, ground: self.ground() };
        let mut act = act::of(fault, harm, &place)?;
        let undo = act.undo();
        self.journal.due(fault, &undo)?;
        let done = act.perform();
        self.held.insert(fault, Held { undo, act: Some(act) });
        // Half a harm is no fault: it is taken back, and the reason told.
        done.inspect_err(|_| drop(self.heal(fault)))
    }

    fn observe(&mut self, fault: u64) -> io::Result<Effect> {
        match self.held.get_mut(&fault) {
            Some(Held { act: Some(act), .. }) => act.look(),
            _ => Err(io::Error::other(format!("fault {fault} is not held here"))),
        }
    }

    /// What is seen while undoing: of a cut all that it dropped, of the others that they are over.
    fn heal(&mut self, fault: u64) -> io::Result<Effect> {
        let Some(held) = self.held.get_mut(&fault) else { return Ok(Effect::default()) };
        // Dropped before it is undone: nobody sets a clock again that is about to be restored.
        let mut effect = held.act.take().map(|mut act| act.last_look()).unwrap_or_default();
        effect.evidence.extend(held.undo.perform(fault)?);
        self.journal.undone(fault)?;
        self.held.remove(&fault);
        Ok(effect)
    }

    /// The ground that is laid here.
    fn ground(&self) -> Option<&Laid> {
        match &self.held.get(&GROUND)?.undo {
            Undo::Lift(laid) => Some(laid),
            _ => None,
        }
    }

    /// The last one first: a harm may stand on an earlier one.
    fn undo_harms(&mut self) -> Undone {
        self.undo(self.held.keys().rev().copied().filter(|&fault| fault != GROUND).collect())
    }

    /// Takes the ground away, if there is any.
    fn lift(&mut self) -> Undone {
        self.undo(self.held.keys().copied().filter(|&fault| fault == GROUND).collect())
    }

    fn undo(&mut self, faults: Vec<u64>) -> Undone {
        let mut done = Undone::default();
        for fault in faults {
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

/// Writes a reply; `false` when nobody listens any more.
fn say(id: u64, reply: Reply) -> bool {
    let mut line = serde_json::to_vec(&Answered { id, reply }).expect("replies are plain data");
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line).and_then(|()| out.flush()).is_ok()
}

/// What `tribunal agent --heal` does: undoes what a killed agent left here, ground and all.
pub fn heal(directory: &Path) -> io::Result<Undone> {
    Agent::start(directory.to_owned(), None).map(|(_, undone)| undone)
}
