//! A rule on the disk under a daemon, at work: imposed, seen to act by a file of the agent's own, and lifted.
//!
//! The rule holds as long as the line that imposed it, so it ends with the agent, whatever ends that. A rule under
//! which writes may be lost ends in a power cut: in the middle of a write the disk stops to answer, the daemon is
//! killed, and what was not certain is lost.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tribunal_history::Effect;

use super::act::Act;
use super::ground::{Laid, fuse};
use super::journal::Undo;
use super::kill;
use super::processes::Session;
use crate::disk::{Access, Harm, Line, Lost, Order, PROBE, Reply, Request, Rule, Tally, Torn};

/// How long the probe gets, beside what the rule takes.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the probe tries at most.
const TRIES: f64 = 4000.0;
/// How long a power cut waits for a write of the database's that it can tear; then the agent makes one.
const QUIET: Duration = Duration::from_millis(1500);
/// How long it waits at all.
const CUT: Duration = Duration::from_secs(4);
/// Where in its probe the agent writes what is to be lost: away from where it looks for flipped bits.
const WITNESS: u64 = 1 << 16;

/// A disk with a rule.
pub struct BadDisk {
    fault: u64,
    laid: Laid,
    /// The daemon, which a power cut ends.
    session: Session,
    rule: Rule,
    order: Order,
    line: Option<Line>,
}

impl BadDisk {
    /// The one under the daemon `pid`.
    pub fn of(fault: u64, pid: u32, rule: Rule, order: Order, laid: Laid) -> io::Result<Self> {
        Ok(Self { fault, laid, session: Session::led_by(pid)?, rule, order, line: None })
    }

    fn ask(&mut self, request: Request) -> io::Result<Reply> {
        let line =
            self.line.as_mut().ok_or_else(|| io::Error::other("the rule is not in force"))?;
        line.ask(&request)
    }

    fn tally(&mut self) -> io::Result<Tally> {
        match self.ask(Request::Look { fault: self.fault })? {
            Reply::Seen(tally) => Ok(tally),
            other => Err(io::Error::other(format!("the disk says {other:?}"))),
        }
    }

    /// Cuts the power; what was lost.
    fn crash(&mut self) -> io::Result<Effect> {
        if self.session.processes()?.is_empty() {
            let evidence = vec!["the daemon had ended before the power went".to_owned()];
            return Ok(Effect { observed: false, evidence });
        }
        let probe = self.laid.at.join(PROBE);
        let (seed, order, patience_ms) = (self.rule.seed, self.order, CUT.as_millis() as u64);
        let lies = matches!(self.rule.harm, Harm::Volatile { lie: true });
        if lies {
            aside(Duration::ZERO, testify(probe.clone(), seed))?;
        }
        write_soon(probe.clone());
        let Reply::Cut { torn } = self.ask(Request::Cut { seed, patience_ms })? else {
            return Err(io::Error::other("the disk does not say whether its power is off"));
        };
        // From here on nobody is answered. Once all have been sent to their death, those that wait may go on to it.
        for process in self.session.processes()? {
            let _ = Pid::from_raw(process.pid).map(|pid| kill_process(pid, Signal::KILL));
        }
        self.ask(Request::Release)?;
        kill::kill(&self.session)?;
        let Reply::Lost(lost) = self.ask(Request::Lose { seed, order })? else {
            return Err(io::Error::other("the disk does not say what was lost"));
        };
        let Effect { mut observed, mut evidence } = aftermath(torn, lost);
        if lies {
            let lost = !aside(Duration::ZERO, is_there(probe, seed))?;
            let left = if lost { "nothing is left" } else { "all is left" };
            evidence.push(format!("of what the agent itself had synced before {left}"));
            observed = lost;
        }
        Ok(Effect { observed, evidence })
    }
}

impl Act for BadDisk {
    fn undo(&self) -> Undo {
        Undo::Sound(self.laid.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        self.line = Some(fuse::line(&self.laid)?);
        let (fault, rule) = (self.fault, self.rule.clone());
        self.ask(Request::Impose { fault, rule }).map(drop)
    }

    /// What an operation of the agent's own comes to, and how many of the database's were harmed.
    fn look(&mut self) -> io::Result<Effect> {
        let Tally { met, harmed } = self.tally()?;
        let of_database = format!("{harmed} of {met} operations of the database");
        if matches!(self.rule.harm, Harm::Volatile { .. }) {
            let evidence = vec![format!("what is lost shows when the power goes; {of_database}")];
            return Ok(Effect { observed: false, evidence });
        }
        let (path, rule) = (self.laid.at.join(PROBE), self.rule.clone());
        let slow = match rule.harm {
            Harm::Slow { delay_ns, jitter_ns } => Duration::from_nanos(delay_ns + jitter_ns) * 2,
            _ => Duration::ZERO,
        };
        let seen = aside(slow, move || probe(path, &rule))?;
        let observed = seen.is_some();
        let seen = seen.unwrap_or_else(|| "the agent's own operations fare well".to_owned());
        Ok(Effect { observed, evidence: vec![seen, of_database] })
    }

    fn last_look(&mut self) -> Effect {
        let seen = match self.rule.harm {
            Harm::Volatile { .. } => self.crash(),
            _ => self.tally().map(|Tally { met, harmed }| Effect {
                observed: harmed > 0,
                evidence: vec![format!("{harmed} of {met} operations of the database harmed")],
            }),
        };
        seen.unwrap_or_else(|error| Effect { observed: false, evidence: vec![error.to_string()] })
    }
}

/// Lifts what rule there is for a fault. Where the server has died, the folder is given back as it is, without a
/// filesystem of ours; the daemon, which cannot reach its files any more, is killed.
pub fn make_sound(laid: &Laid, fault: u64) -> io::Result<Vec<String>> {
    let line = Line::open(&fuse::socket(laid));
    let lifted = line.and_then(|mut line| line.ask(&Request::Lift { fault }));
    let Err(error) = lifted else { return Ok(Vec::new()) };
    let text = "the disk has no server any more";
    let mut told = vec![format!("{text} ({error}); the folder is as it was, without one")];
    told.extend(fuse::uncover(laid)?.into_iter().map(|user| format!("{user} used it: killed")));
    Ok(told)
}

fn aftermath(torn: Option<Torn>, lost: Lost) -> Effect {
    let Lost { unsynced, lost, torn: partly, bytes } = lost;
    let mut evidence = Vec::new();
    if let Some(Torn { sectors, written }) = torn {
        evidence.push(format!("the power went in the middle of a write: {written} of its {sectors} sectors were written"));
    }
    evidence.push(format!(
        "of {unsynced} writes that were not certain {lost} were lost and {partly} torn: {bytes} bytes"
    ));
    Effect { observed: torn.is_some() || lost + partly > 0, evidence }
}

/// Does something with the disk in a thread of its own: one that hangs must not hang the agent.
fn aside<T: Send + 'static>(
    longer: Duration,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, done) = mpsc::channel();
    thread::spawn(move || sender.send(work()));
    done.recv_timeout(PATIENCE + longer).unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, "an operation of the agent's own does not end"))
    })
}

fn open(probe: PathBuf) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(probe)
}

/// Writes something that is certain, by the disk's own word.
fn testify(probe: PathBuf, seed: u64) -> impl FnOnce() -> io::Result<()> {
    move || {
        let file = open(probe)?;
        // No two faults write the same: an earlier one's must not be taken for it.
        file.write_all_at(&seed.to_le_bytes(), WITNESS)?;
        file.sync_data()
    }
}

/// Whether it is there.
fn is_there(probe: PathBuf, seed: u64) -> impl FnOnce() -> io::Result<bool> {
    move || {
        let (file, mut said) = (open(probe)?, [0; 8]);
        let read = file.read_at(&mut said, WITNESS)?;
        Ok(said[..read] == seed.to_le_bytes())
    }
}

/// Where the database is quiet, the power would wait for a write in vain: this is one.
fn write_soon(probe: PathBuf) {
    thread::spawn(move || {
        thread::sleep(QUIET);
        open(probe)?.write_all_at(&[0; 8192], 0)
    });
}

/// Does what the rule is about until it is seen to act: how it did.
fn probe(path: PathBuf, rule: &Rule) -> io::Result<Option<String>> {
    let file = open(path)?;
    let tries = (8.0 / rule.share.max(1e-9)).ceil().min(TRIES) as usize;
    // Nothing but zeros has ever been written there, so whatever else is read was flipped.
    let zeros = [0; 4096];
    for access in rule.on.iter().copied().filter(|&access| access != Access::Allocate) {
        for number in 1..=tries {
            let mut bytes = [0; 4096];
            let begun = Instant::now();
            let done = match access {
                Access::Read => file.read_exact_at(&mut bytes, 0),
                Access::Sync => file.sync_data(),
                _ => file.write_all_at(&zeros, 0),
            };
            let took = begun.elapsed();
            if access == Access::Write && rule.harm == Harm::Flip {
                file.read_exact_at(&mut bytes, 0)?;
            }
            let what = what(access);
            let flipped: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
            match (&rule.harm, done) {
                (Harm::Fail { errno }, Err(error)) if error.raw_os_error() == Some(*errno) => {
                    return Ok(Some(format!("{what} {number} of the agent's own failed: {error}")));
                }
                (Harm::Slow { delay_ns, jitter_ns }, Ok(()))
                    if took >= Duration::from_nanos(delay_ns.saturating_sub(*jitter_ns)) =>
                {
                    let took = took.as_secs_f64() * 1e3;
                    return Ok(Some(format!(
                        "{what} {number} of the agent's own took {took:.1} ms"
                    )));
                }
                (Harm::Flip, Ok(())) if flipped > 0 => {
                    let text = format!(
                        "{what} {number} of the agent's own came with {flipped} bit flipped"
                    );
                    return Ok(Some(text));
                }
                (_, Err(error)) => return Err(error),
                (_, Ok(())) => {}
            }
        }
    }
    Ok(None)
}

fn what(access: Access) -> &'static str {
    match access {
        Access::Read => "read",
        Access::Write | Access::Allocate => "write",
        Access::Sync => "sync",
    }
}
