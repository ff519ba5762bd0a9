//! The power, and a cut of it in the middle of a write.
//!
//! When it is cut, the next write of several sectors gets only some of them to the disk, and from then on
//! nobody is answered: neither that write nor any other operation. Once the
//! database was killed, those that wait are let go; nobody is left to hear what they say.

use std::io;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tribunal_generator::Seed;

use super::folder::Open;
use super::unsynced::sectors;

/// Whether there is any.
#[derive(Default)]
pub struct Power {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
enum State {
    #[default]
    On,
    /// It goes with the next write of several sectors, torn where chance from this seed says.
    Going(u64),
    Off(Option<Torn>),
    /// It is off, and those who waited are let go with an error.
    Over,
}

/// A write that was in flight when the power went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Torn {
    /// Of how many sectors.
    pub sectors: u64,
    /// How many of them, from the first, are on the disk.
    pub written: u64,
}

impl Power {
    /// Cuts it, in the middle of the next write that can be torn, or when `patience` is over.
    pub fn cut(&self, seed: u64, patience: Duration) -> Option<Torn> {
        let deadline = Instant::now() + patience;
        let mut state = self.state.lock().expect("nobody panics holding it");
        *state = State::Going(seed);
        while let State::Going(_) = *state {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                *state = State::Off(None);
                break;
            }
            (state, _) = self.changed.wait_timeout(state, left).expect("nobody panics holding it");
        }
        match *state {
            State::Off(torn) => torn,
            _ => None,
        }
    }

    /// Lets go who waits.
    pub fn release(&self) {
        *self.state.lock().expect("nobody panics holding it") = State::Over;
        self.changed.notify_all();
    }

    /// It is on again.
    pub fn restore(&self) {
        *self.state.lock().expect("nobody panics holding it") = State::On;
        self.changed.notify_all();
    }

    /// Whether operations wait, or will soon: they must not take up whoever serves others.
    pub fn is_on(&self) -> bool {
        matches!(*self.state.lock().expect("nobody panics holding it"), State::On)
    }

    /// Waits while it is off. Agents' probes are served without it.
    pub fn pass(&self, open: &Open) -> io::Result<()> {
        let mut state = self.state.lock().expect("nobody panics holding it");
        loop {
            match *state {
                State::On | State::Going(_) => return Ok(()),
                _ if open.probe => return Ok(()),
                State::Over => return Err(io::Error::from_raw_os_error(libc::EIO)),
                State::Off(_) => {
                    state = self.changed.wait(state).expect("nobody panics holding it")
                }
            }
        }
    }

    /// How much of a write reaches the disk. The power goes with the first one that can be torn.
    pub fn left_of(&self, offset: u64, length: u64) -> u64 {
        let mut state = self.state.lock().expect("nobody panics holding it");
        let (seed, sectors) = match *state {
            State::On => return length,
            State::Going(seed) => (seed, sectors(offset, length)),
            State::Off(_) | State::Over => return 0,
        };
        if sectors.len() < 2 {
            return length;
        }
        let written = Seed(seed).stream("cut").between(1, sectors.len() as u64 - 1);
        *state = State::Off(Some(Torn { sectors: sectors.len() as u64, written }));
        self.changed.notify_all();
        sectors[written as usize].0 - offset
    }
}
