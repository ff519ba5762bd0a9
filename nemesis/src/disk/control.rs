//! What an agent and the process that serves its disk say to each other: JSON, one message a line, over a
//! Unix socket. Rules hold as long as the connection that imposed them.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use fuser::{INodeNo, Notifier};
use serde::{Deserialize, Serialize};
use tribunal_generator::Seed;

use super::folder::Folder;
use super::power::Torn;
use super::rule::{Access, Harm, Rule, Tally};
use super::unsynced::{Lost, Order};

/// How long an answer may take: longer than anything that is asked for.
const ANSWER: Duration = Duration::from_secs(20);
/// How long the kernel gets to drop what it has cached. It writes changed pages back first.
const FORGETTING: Duration = Duration::from_secs(5);

/// What an agent may ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// A rule is in force from now on.
    Impose {
        /// The fault it is for.
        fault: u64,
        /// The rule.
        rule: Rule,
    },
    /// What a fault's rule did so far.
    Look {
        /// Which.
        fault: u64,
    },
    /// It is in force no more. Lifting what is not there is no error.
    Lift {
        /// Which.
        fault: u64,
    },
    /// The power goes, with the next write that it can tear, or after a while.
    Cut {
        /// Where chance comes from.
        seed: u64,
        /// How long to wait for such a write.
        patience_ms: u64,
    },
    /// Everybody who asked since is dead: what still waits is let go.
    Release,
    /// What a power cut takes is lost, and the power is on again.
    Lose {
        /// Where chance comes from.
        seed: u64,
        /// Which of the writes that were not synced.
        order: Order,
    },
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// It is done.
    Done,
    /// What the rule did; nothing where there is none.
    Seen(Tally),
    /// What was in flight when the power went.
    Cut {
        /// A write, if there was one.
        torn: Option<Torn>,
    },
    /// What was lost.
    Lost(Lost),
    /// It could not be done.
    Failed {
        /// Why.
        why: String,
    },
}

/// Serves agents for as long as this process lives.
pub(super) fn listen(listener: UnixListener, folder: Arc<Folder>, notifier: Notifier) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (folder, notifier) = (folder.clone(), notifier.clone());
            thread::spawn(move || Conversation::over(folder, notifier).hold(stream));
        }
    });
}

/// One connection.
struct Conversation {
    folder: Arc<Folder>,
    notifier: Notifier,
    /// The faults whose rules it imposed.
    held: BTreeSet<u64>,
    /// The write that the power cut tore.
    torn: Option<Torn>,
}

impl Conversation {
    fn over(folder: Arc<Folder>, notifier: Notifier) -> Self {
        Self { folder, notifier, held: BTreeSet::new(), torn: None }
    }

    fn hold(mut self, stream: UnixStream) {
        let Ok(mut answers) = stream.try_clone() else { return };
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            let reply = match serde_json::from_str(&line) {
                Ok(request) => self.answer(request),
                Err(error) => Reply::Failed { why: format!("not a request: {error}") },
            };
            if say(&mut answers, &reply).is_err() {
                break;
            }
        }
        for fault in std::mem::take(&mut self.held) {
            self.lift(fault);
        }
    }

    fn answer(&mut self, request: Request) -> Reply {
        match request {
            Request::Impose { fault, rule } => {
                let reads = rule.on.contains(&Access::Read);
                if let Err(why) = self.folder.impose(fault, rule) {
                    return Reply::Failed { why };
                }
                self.held.insert(fault);
                if reads {
                    self.forget_pages();
                }
                Reply::Done
            }
            Request::Look { fault } => {
                let layer = self.folder.layer(fault);
                Reply::Seen(layer.map(|layer| layer.tally()).unwrap_or_default())
            }
            Request::Lift { fault } => {
                self.held.remove(&fault);
                Reply::Seen(self.lift(fault))
            }
            Request::Cut { seed, patience_ms } => {
                let patience = Duration::from_millis(patience_ms).min(ANSWER / 2);
                self.torn = self.folder.power.cut(seed, patience);
                Reply::Cut { torn: self.torn }
            }
            Request::Release => {
                self.folder.power.release();
                Reply::Done
            }
            Request::Lose { seed, order } => match self.lose(seed, order) {
                Ok(lost) => Reply::Lost(lost),
                Err(error) => Reply::Failed { why: error.to_string() },
            },
        }
    }

    fn lift(&self, fault: u64) -> Tally {
        let Some((rule, tally)) = self.folder.lift(fault) else { return Tally::default() };
        if matches!(rule.harm, Harm::Volatile { .. }) {
            self.folder.power.restore();
        }
        // What was read wrong is read right again, and what was written wrong is seen.
        if rule.on.contains(&Access::Read) || rule.harm == Harm::Flip {
            self.forget_pages();
        }
        tally
    }

    /// The database is dead, and the power still off: pages that are written back now are refused.
    fn lose(&mut self, seed: u64, order: Order) -> io::Result<Lost> {
        self.forget_pages();
        let lost = match self.folder.unsynced.lock().expect("nobody panics holding it").as_mut() {
            // In order, all that came before the torn write is there.
            Some(unsynced) if order == Order::Kept && self.torn.is_some() => unsynced.keep(),
            Some(unsynced) => unsynced.lose(order, &mut Seed(seed).stream("lose"))?,
            None => Lost::default(),
        };
        // Once more: files may be shorter than the kernel believes.
        self.forget_pages();
        self.folder.power.restore();
        self.torn = None;
        Ok(lost)
    }

    /// Has the kernel drop what it has cached, so that the next read asks here.
    fn forget_pages(&self) {
        let (numbers, notifier) = (self.folder.nodes.numbers(), self.notifier.clone());
        let (sender, forgotten) = mpsc::channel::<()>();
        // In a thread of its own: changed pages are written back first, to a disk that may hang.
        thread::spawn(move || {
            for number in numbers {
                // It may have been forgotten meanwhile.
                let _ = notifier.inval_inode(INodeNo(number), 0, 0);
            }
            drop(sender);
        });
        let _ = forgotten.recv_timeout(FORGETTING);
    }
}

/// An agent's end of the socket.
pub struct Line {
    stream: BufReader<UnixStream>,
}

impl Line {
    /// Connects.
    pub fn open(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Asks, and waits for the answer.
    pub fn ask(&mut self, request: &Request) -> io::Result<Reply> {
        say(self.stream.get_mut(), request)?;
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            let text = "the process that serves the disk has ended";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        match serde_json::from_str(&line)? {
            Reply::Failed { why } => Err(io::Error::other(why)),
            reply => Ok(reply),
        }
    }
}

fn say(stream: &mut UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}
