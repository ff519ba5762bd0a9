//! Writes the history as the run goes: stamps, numbers and stores each event,
//! and tells the listeners.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;
use std::time::{Duration, Instant};

use tribunal_history::arrow::Recording;
use tribunal_history::{Event, History, HistoryError, Nanos};

use crate::clocks::Origin;
use crate::events::{Listener, RunEvent};

/// A `kill -9` of the controller loses at most what this long has brought.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

/// The history in the making.
pub struct Recorder {
    origin: Origin,
    recording: Recording<BufWriter<File>>,
    flushed: Instant,
    listener: Box<dyn Listener>,
}

impl Recorder {
    /// Begins a history in a new file; time counts from now.
    pub fn create(path: &Path, listener: Box<dyn Listener>) -> io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 16, File::create_new(path)?);
        let recording = Recording::new(file)?;
        let origin = Origin::now();
        Ok(Self { origin, recording, flushed: origin.began(), listener })
    }

    /// When the run began.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Now, in nanoseconds since the run began.
    pub fn now(&self) -> Nanos {
        self.origin.began().elapsed().as_nanos() as Nanos
    }

    /// The moment that `time` stands for.
    pub fn instant(&self, time: Nanos) -> Option<Instant> {
        self.origin.began().checked_add(Duration::from_nanos(time))
    }

    /// Stamps and stores an event: call it before a call leaves, and after its answer is in.
    pub fn record(&mut self, mut event: Event) -> io::Result<Event> {
        event.time = self.now();
        self.recording.push(&mut event)?;
        self.listener.on(RunEvent::Recorded(&event));
        self.flush_if_due()?;
        Ok(event)
    }

    /// Writes out what has been waiting for long enough.
    pub fn flush_if_due(&mut self) -> io::Result<()> {
        if self.flushed.elapsed() >= FLUSH_EVERY {
            self.recording.seal()?;
            self.flushed = Instant::now();
        }
        Ok(())
    }

    /// Tells the listeners something that is no event of the history.
    pub fn tell(&mut self, event: RunEvent) {
        self.listener.on(event);
    }

    /// Ends the file and gives the history to the checkers.
    pub fn finish(self) -> io::Result<(History, Box<dyn Listener>)> {
        let (history, file) = self.recording.finish()?;
        file.get_ref().sync_all()?;
        let history = history.map_err(|error: HistoryError| {
            io::Error::other(format!("the recorder wrote a malformed history: {error}"))
        })?;
        Ok((history, self.listener))
    }
}
