//! A thread that keeps something in place until it is dropped. What it keeps, and how, is told by
//! whoever has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// At work until it is dropped: then the last round is over for certain.
pub(super) struct Keeper {
    stop: Arc<AtomicBool>,
    flips: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Begins with rounds of `keep`, so long after one another. A round tells how often what is kept has
    /// been put forth and back until then.
    pub fn begin(pause: Duration, mut keep: impl FnMut() -> u32 + Send + 'static) -> Self {
        let (stop, flips) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (stopped, counted) = (stop.clone(), flips.clone());
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                counted.store(keep(), Ordering::Relaxed);
                thread::sleep(pause);
            }
        });
        Self { stop, flips, thread: Some(thread) }
    }

    /// How often what is kept was put forth or back.
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn it_keeps_until_it_is_dropped_and_no_longer() {
        let (rounds, kept) = mpsc::channel();
        let mut round = 0;
        let keeper = Keeper::begin(Duration::ZERO, move || {
            round += 1;
            // Nobody may listen any more.
            let _ = rounds.send(round);
            round
        });
        assert_eq!([kept.recv(), kept.recv(), kept.recv()], [Ok(1), Ok(2), Ok(3)]);
        // A round is told of before it is counted.
        assert!(keeper.flips() >= 2);
        drop(keeper);
        // Its end of the line went with the thread, and is not only silent.
        let end = loop {
            if let Err(end) = kept.try_recv() {
                break end;
            }
        };
        assert_eq!(end, mpsc::TryRecvError::Disconnected);
    }
}
