//! Listening to the controller: requests in order, and the lease.

use std::io::{self, BufRead};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::protocol::Asked;

/// What came, if anything.
pub enum Heard {
    /// A request.
    Request(Asked),
    /// A line that is none, and why.
    Nonsense(String),
    /// The input closed, or the agent was told to end.
    End,
    /// Nobody is there any more: the lease ran out.
    Silence,
}

/// Requests as they come in.
pub struct Requests {
    lines: Receiver<Option<String>>,
    /// When the last line came in, whether or not it has been answered: an agent
    /// that was long at work has not lost its controller.
    last: Arc<Mutex<Instant>>,
    lease: Duration,
}

impl Requests {
    /// Begins to listen, to standard input and for signals.
    pub fn listen(lease: Duration) -> Self {
        let (sender, lines) = mpsc::channel();
        let last = Arc::new(Mutex::new(Instant::now()));
        end_on_signals(sender.clone());
        let heard = last.clone();
        thread::spawn(move || {
            for line in io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                *heard.lock().expect("nobody panics holding it") = Instant::now();
                let _ = sender.send(Some(line));
            }
            let _ = sender.send(None);
        });
        Self { lines, last, lease }
    }

    /// Waits for the next request, within the lease.
    pub fn next(&self) -> Heard {
        loop {
            let quiet = self.last.lock().expect("nobody panics holding it").elapsed();
            match self.lines.recv_timeout(self.lease.saturating_sub(quiet)) {
                Ok(Some(line)) => return heard(&line),
                Ok(None) | Err(RecvTimeoutError::Disconnected) => return Heard::End,
                Err(RecvTimeoutError::Timeout) => {
                    let last = *self.last.lock().expect("nobody panics holding it");
                    if last.elapsed() >= self.lease {
                        return Heard::Silence;
                    }
                }
            }
        }
    }
}

fn heard(line: &str) -> Heard {
    match serde_json::from_str(line) {
        Ok(asked) => Heard::Request(asked),
        Err(error) => Heard::Nonsense(format!("not a request: {error}")),
    }
}

/// The signals that ask a process to end.
fn ending() -> libc::sigset_t {
    // SAFETY: a signal set is plain data, for which zero is a value; it is
    // initialized by the first call.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            libc::sigaddset(&raw mut set, signal);
        }
        set
    }
}

/// Blocks SIGTERM, SIGINT and SIGHUP for this thread and those it starts, so
/// that no harm and no undo is ever cut short. An agent that serves hears of
/// them; one that only heals is soon done anyway.
pub fn hold_signals() {
    let set = ending();
    // SAFETY: the set is initialized and outlives the call.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
}

/// Turns the signals that are held into the end of the requests.
fn end_on_signals(sender: Sender<Option<String>>) {
    thread::spawn(move || {
        let (set, mut signal) = (ending(), 0);
        // SAFETY: both are ours for the call.
        if unsafe { libc::sigwait(&raw const set, &raw mut signal) } == 0 {
            let _ = sender.send(None);
        }
    });
}
