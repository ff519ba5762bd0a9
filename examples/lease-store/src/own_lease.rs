//! A leader's lease as the leader itself measures it.

use std::time::SystemTime;

use tokio::time::Instant;

use crate::bug::Bug;
use crate::replica::LEASE;

/// A lease that a majority has granted. It began when they were asked, so it ends before any of their
/// grants does, which began later.
#[derive(Clone, Copy)]
pub struct OwnLease {
    /// When it began, by the monotonic clock.
    pub begun: Instant,
    /// And by the wall clock.
    wall: SystemTime,
}

impl OwnLease {
    /// One that begins now, if it will be granted.
    pub fn now() -> Self {
        Self { begun: Instant::now(), wall: SystemTime::now() }
    }

    /// Whether it has not ended yet.
    pub fn runs(&self, bug: Bug) -> bool {
        let passed = match bug {
            // A clock that says less than it did says nothing.
            Bug::WallClockLease => self.wall.elapsed().unwrap_or_default(),
            _ => self.begun.elapsed(),
        };
        passed < LEASE
    }
}
