//! Clock faults where they cannot be had: the refusal, in one sentence.

use std::io;

use tribunal_history::Effect;

use super::act::Act;
use super::journal::Undo;
use super::processes::Session;

/// Never made here.
pub enum Shift {}

impl Shift {
    pub fn of(_: u32, _: i64, _: i64, _: u64) -> io::Result<Self> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "clock faults patch the vDSO of x86_64 processes; this node is another kind of machine",
        ))
    }
}

impl Act for Shift {
    fn undo(&self) -> Undo {
        match *self {}
    }

    fn perform(&mut self) -> io::Result<()> {
        match *self {}
    }

    fn look(&mut self) -> io::Result<Effect> {
        match *self {}
    }
}

/// System calls are made in other processes on x86_64 only.
pub fn call_in(_: i32, _: libc::c_long, _: u64) -> io::Result<i64> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Never made here.
pub struct Reading {
    pub text: String,
}

pub fn restore(_: &Session) -> io::Result<Vec<Reading>> {
    Ok(Vec::new())
}
