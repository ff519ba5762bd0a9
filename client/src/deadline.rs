//! A deadline for a future, on no runtime: a thread that sleeps until the
//! deadline and then wakes the task. One deadline at a time.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// A thread that wakes one task at one time.
pub(crate) struct Alarm {
    /// `Some`: when to ring next; `None`: do not ring.
    times: Sender<Option<Instant>>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Alarm {
    /// Starts the thread, which ends when the alarm is dropped.
    pub(crate) fn new() -> Self {
        let (times, set) = mpsc::channel::<Option<Instant>>();
        let waker = Arc::new(Mutex::new(None::<Waker>));
        let ringing = waker.clone();
        thread::spawn(move || {
            let mut next: Option<Instant> = None;
            loop {
                let received = match next {
                    None => set.recv().map_err(|_| RecvTimeoutError::Disconnected),
                    Some(at) => set.recv_timeout(at.saturating_duration_since(Instant::now())),
                };
                next = match received {
                    Ok(time) => time,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        let waker = ringing.lock().unwrap_or_else(PoisonError::into_inner).take();
                        waker.inspect(Waker::wake_by_ref);
                        None
                    }
                };
            }
        });
        Self { times, waker }
    }

    /// What `future` came to, or `None` when it took longer than `limit`.
    pub(crate) async fn within<T>(
        &self,
        limit: Option<Duration>,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut future = pin!(future);
        let mut set = false;
        let result = poll_fn(|context| {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                return Poll::Ready(Some(value));
            }
            if end.is_some_and(|end| end <= Instant::now()) {
                return Poll::Ready(None);
            }
            *self.waker.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(context.waker().clone());
            if !set && end.is_some() {
                let _ = self.times.send(end);
                set = true;
            }
            Poll::Pending
        })
        .await;
        let _ = self.times.send(None);
        result
    }
}
