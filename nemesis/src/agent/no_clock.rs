//! Clock faults where they cannot be had: the refusal, in one sentence.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use super::processes::Session;

/// What a clock would be set to.
#[derive(Clone, Copy, Default)]
pub struct Setting {
    /// Never looked at.
    pub offset_ns: i64,
}

impl Setting {
    pub fn from_now(offset_ns: i64, _: i64) -> Self {
        Self { offset_ns }
    }

    pub fn ahead_at(self, _: i64) -> i64 {
        self.offset_ns
    }
}

/// Keeps nothing.
pub struct Keeper;

impl Keeper {
    pub fn begin(_: &Session, _: Setting, _: Option<Duration>) -> Self {
        Self
    }

    pub fn flips(&self) -> u32 {
        0
    }
}

/// Never made here.
pub struct Reading {
    pub at_ns: i64,
    pub ahead_ns: i64,
    pub within_ns: i64,
    pub text: String,
    _never: Infallible,
}

pub fn set(_: &Session, _: Setting) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "clock faults patch the vDSO of x86_64 processes; this node is another kind of machine",
    ))
}

pub fn restore(_: &Session) -> io::Result<Vec<Reading>> {
    Ok(Vec::new())
}

pub fn read(_: &Session) -> io::Result<Vec<Reading>> {
    Ok(Vec::new())
}
