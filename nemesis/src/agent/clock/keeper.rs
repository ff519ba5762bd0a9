//! What goes on while a clock is off: it is put back and forth if it is to strobe, and
//! processes that are new to the session get the clock of the others.
//!
//! A program that is started by one with a patched vDSO has an unpatched one; it is found here
//! within a few milliseconds, and until then it reads the machine's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::super::processes::Session;
use super::{Setting, adopt, set_process};

/// Between two looks for newcomers.
const LOOK: Duration = Duration::from_millis(20);

/// A thread that keeps a clock as it is to be.
pub struct Keeper {
    stop: Arc<AtomicBool>,
    flips: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Begins. `strobe`: how long the clock stays before it goes back, and the other way round.
    pub fn begin(session: &Session, to: Setting, strobe: Option<Duration>) -> Self {
        let (stop, flips) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (session, stopped, counted) = (session.clone(), stop.clone(), flips.clone());
        let thread = thread::spawn(move || keep(&session, to, strobe, &stopped, &counted));
        Self { stop, flips, thread: Some(thread) }
    }

    /// How often the clock was put forth or back.
    pub fn flips(&self) -> u32 {
        self.flips.load(Ordering::Relaxed)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // One that panicked keeps nothing any more, which is what is wanted.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn keep(
    session: &Session,
    to: Setting,
    strobe: Option<Duration>,
    stop: &AtomicBool,
    flips: &AtomicU32,
) {
    let pause = strobe.unwrap_or(LOOK).min(LOOK);
    let (mut now, mut next) = (to, Instant::now() + strobe.unwrap_or_default());
    while !stop.load(Ordering::Relaxed) {
        let flips_now = strobe.is_some_and(|_| Instant::now() >= next);
        if flips_now {
            now = if now == to { Setting::default() } else { to };
            next += strobe.unwrap_or_default();
            flips.fetch_add(1, Ordering::Relaxed);
        }
        // One that ends meanwhile needs no clock.
        for process in session.processes().unwrap_or_default() {
            let _ = match flips_now {
                true => set_process(process.pid, now),
                false => adopt(process.pid, now),
            };
        }
        thread::sleep(pause);
    }
}
