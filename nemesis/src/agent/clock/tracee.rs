//! A process stopped by ptrace, all its threads.
//!
//! Seized and interrupted, not sent SIGSTOP: when the agent dies in the middle
//! the kernel lets every thread go, and the process never learns of it.
//! All calls must come from the one thread that seized.

use std::collections::BTreeSet;
use std::io;
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use libc::{c_int, c_void, pid_t, user_regs_struct};

use crate::agent::processes;

/// How long threads get to stop, and a borrowed thread to come back.
const PATIENCE: Duration = Duration::from_secs(3);
/// From linux/ptrace.h, which the libc crate does not have.
const PTRACE_GETSIGMASK: libc::c_uint = 0x420a;
const PTRACE_SETSIGMASK: libc::c_uint = 0x420b;

/// The stopped process. Dropping it lets it go on.
pub struct Tracee {
    threads: BTreeSet<pid_t>,
}

impl Tracee {
    /// Stops every thread of `pid`, including those it starts meanwhile.
    pub fn stop(pid: pid_t) -> io::Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        let mut tracee = Self { threads: BTreeSet::new() };
        loop {
            let all = processes::threads(pid)?;
            let fresh: Vec<_> = all.into_iter().filter(|t| !tracee.threads.contains(t)).collect();
            let mut grown = false;
            for thread in fresh {
                grown |= tracee.seize(thread, deadline)?;
            }
            if !grown {
                break;
            }
        }
        if tracee.threads.is_empty() {
            return Err(io::Error::other("it has no living thread"));
        }
        Ok(tracee)
    }

    /// Its threads.
    pub fn threads(&self) -> impl Iterator<Item = pid_t> {
        self.threads.iter().copied()
    }

    /// Stops one thread; `false` when it is ending anyway.
    fn seize(&mut self, thread: pid_t, deadline: Instant) -> io::Result<bool> {
        if let Err(error) = request(libc::PTRACE_SEIZE, thread, 0, 0) {
            // An ending thread refuses with EPERM, as a traced one does.
            return match processes::thread_state(thread) {
                None | Some('Z' | 'X') => Ok(false),
                _ => Err(io::Error::new(error.kind(), format!("cannot trace it: {error}"))),
            };
        }
        self.threads.insert(thread);
        request(libc::PTRACE_INTERRUPT, thread, 0, 0)?;
        loop {
            match wait(thread, deadline)? {
                Stop::Interrupted => return Ok(true),
                Stop::Signal(signal) => resume(thread, signal)?,
                Stop::Gone => {
                    self.threads.remove(&thread);
                    return Ok(false);
                }
            }
        }
    }

    /// Moves `thread` on by one instruction.
    pub fn step(&mut self, thread: pid_t) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        request(libc::PTRACE_SINGLESTEP, thread, 0, 0)?;
        loop {
            match wait(thread, deadline)? {
                Stop::Signal(libc::SIGTRAP) => return Ok(()),
                Stop::Signal(signal) => {
                    request(libc::PTRACE_SINGLESTEP, thread, 0, signal as usize)?;
                }
                Stop::Interrupted => request(libc::PTRACE_SINGLESTEP, thread, 0, 0)?,
                Stop::Gone => {
                    self.threads.remove(&thread);
                    return Err(io::Error::other("a thread ended while it was stepped"));
                }
            }
        }
    }

    /// Borrows a thread: `enter` sets its registers, it runs until the `int3` at
    /// `trap`, and its result is `rax`. Registers and signal mask are put back as
    /// they were, so that an interrupted system call is restarted by the kernel
    /// and no signal is lost.
    pub fn borrow(
        &mut self,
        trap: u64,
        enter: impl FnOnce(&mut user_regs_struct),
    ) -> io::Result<u64> {
        let thread = self.threads().next().expect("a tracee has threads");
        let (saved, mask) = (registers(thread)?, signal_mask(thread)?);
        let mut regs = saved;
        // No system call is in progress for the borrowed run: nothing to restart.
        regs.orig_rax = u64::MAX;
        regs.eflags &= !0x500; // trap and direction flags
        enter(&mut regs);
        set_signal_mask(thread, !raised_by_the_processor())?;
        let ran = set_registers(thread, &regs).and_then(|()| self.run_to(thread, trap));
        if self.threads.contains(&thread) {
            set_registers(thread, &saved)?;
            set_signal_mask(thread, mask)?;
        }
        ran
    }

    /// Has a thread make a system call, with an instruction `syscall` that is mapped at `at`; its
    /// result. Registers and signal mask are put back as they were.
    pub fn call(&mut self, at: u64, number: u64, argument: u64) -> io::Result<i64> {
        let thread = self.threads().next().expect("a tracee has threads");
        let (saved, mask) = (registers(thread)?, signal_mask(thread)?);
        let mut regs = saved;
        regs.orig_rax = u64::MAX;
        regs.eflags &= !0x500;
        (regs.rip, regs.rax, regs.rdi) = (at, number, argument);
        set_signal_mask(thread, !raised_by_the_processor())?;
        let made = set_registers(thread, &regs).and_then(|()| self.step(thread));
        let result = made.and_then(|()| registers(thread)).map(|regs| regs.rax as i64);
        if self.threads.contains(&thread) {
            set_registers(thread, &saved)?;
            set_signal_mask(thread, mask)?;
        }
        result
    }

    fn run_to(&mut self, thread: pid_t, trap: u64) -> io::Result<u64> {
        let deadline = Instant::now() + PATIENCE;
        resume(thread, 0)?;
        loop {
            match wait(thread, deadline) {
                // An interruption left over from the stop.
                Ok(Stop::Interrupted) => resume(thread, 0)?,
                Ok(Stop::Signal(signal)) => {
                    let regs = registers(thread)?;
                    if signal == libc::SIGTRAP && regs.rip == trap + 1 {
                        return Ok(regs.rax);
                    }
                    let text = format!("signal {signal} at {:#x} in a borrowed thread", regs.rip);
                    return Err(io::Error::other(text));
                }
                Ok(Stop::Gone) => {
                    self.threads.remove(&thread);
                    return Err(io::Error::other("the borrowed thread ended"));
                }
                Err(error) => {
                    // It runs still; it has to stand before its registers can be put back.
                    request(libc::PTRACE_INTERRUPT, thread, 0, 0)?;
                    wait(thread, Instant::now() + PATIENCE)?;
                    return Err(error);
                }
            }
        }
    }
}

impl Drop for Tracee {
    fn drop(&mut self) {
        for thread in &self.threads {
            let _ = request(libc::PTRACE_DETACH, *thread, 0, 0);
        }
    }
}

/// The only signals that may interrupt a borrowed thread: the trap is one of them.
fn raised_by_the_processor() -> u64 {
    let faults = [libc::SIGTRAP, libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];
    faults.iter().fold(0, |set, signal| set | 1_u64 << (signal - 1))
}

/// What a thread stopped for.
enum Stop {
    Interrupted,
    Signal(c_int),
    Gone,
}

/// Awaits a thread's next stop. Polled, for a thread in an uninterruptible
/// sleep would otherwise hold the agent, and with it every undo, for ever.
fn wait(thread: pid_t, deadline: Instant) -> io::Result<Stop> {
    loop {
        let mut status = 0;
        // SAFETY: `status` is ours for the call.
        let found = unsafe { libc::waitpid(thread, &raw mut status, libc::__WALL | libc::WNOHANG) };
        match found {
            0 if Instant::now() > deadline => {
                let text =
                    format!("thread {thread} does not stop: it is in an uninterruptible wait");
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            0 => thread::sleep(Duration::from_micros(100)),
            -1 => return Ok(Stop::Gone),
            _ if !libc::WIFSTOPPED(status) => return Ok(Stop::Gone),
            _ if status >> 16 == libc::PTRACE_EVENT_STOP => return Ok(Stop::Interrupted),
            _ => return Ok(Stop::Signal(libc::WSTOPSIG(status))),
        }
    }
}

fn resume(thread: pid_t, signal: c_int) -> io::Result<()> {
    request(libc::PTRACE_CONT, thread, 0, signal as usize)
}

/// A thread's registers.
pub fn registers(thread: pid_t) -> io::Result<user_regs_struct> {
    // SAFETY: the struct is plain integers, for which zero is a value.
    let mut regs: user_regs_struct = unsafe { std::mem::zeroed() };
    request(libc::PTRACE_GETREGS, thread, 0, (&raw mut regs).expose_provenance())?;
    Ok(regs)
}

fn set_registers(thread: pid_t, regs: &user_regs_struct) -> io::Result<()> {
    request(libc::PTRACE_SETREGS, thread, 0, ptr::from_ref(regs).expose_provenance())
}

fn signal_mask(thread: pid_t) -> io::Result<u64> {
    let mut mask = 0_u64;
    request(PTRACE_GETSIGMASK, thread, size_of::<u64>(), (&raw mut mask).expose_provenance())?;
    Ok(mask)
}

fn set_signal_mask(thread: pid_t, mask: u64) -> io::Result<()> {
    request(PTRACE_SETSIGMASK, thread, size_of::<u64>(), (&raw const mask).expose_provenance())
}

fn request(what: libc::c_uint, thread: pid_t, address: usize, data: usize) -> io::Result<()> {
    let (address, data) = (ptr::with_exposed_provenance_mut::<c_void>(address), data);
    let data = ptr::with_exposed_provenance_mut::<c_void>(data);
    // SAFETY: where the kernel reads or writes through `data`, the callers above
    // pass a live object of the size that the request wants.
    match unsafe { libc::ptrace(what, thread, address, data) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
