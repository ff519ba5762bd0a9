//! Clock faults of running processes, in any language, without a restart.
//!
//! A program reads its wall clock through three functions of the vDSO, which
//! the kernel maps into every process. They are patched to jump to a block of
//! our own code ([`hook`]) that adds an offset; from then on a jump of the clock
//! is one small write through `/proc/PID/mem`. The machine's own clock is never
//! touched, and could not be: `CLOCK_REALTIME` has no namespace.
//!
//! What does not move: raw system calls, file times, and timers and futexes that
//! wait for an absolute `CLOCK_REALTIME`. A child that execs another program
//! sees the machine's clock, until the [`keeper`] finds it.

mod call;
mod hook;
mod keeper;
mod shift;
mod shown;
mod tracee;
mod vdso;

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

pub use call::call_in;
use hook::Entry;
pub use shift::Shift;
pub use shown::shown;
use tracee::Tracee;
use vdso::Vdso;

use super::processes::{Process, Session};

/// What a clock function begins with where it is known how to run the first
/// instructions somewhere else: they are complete, at least five bytes, and do
/// not name a place relative to themselves.
const PROLOGUES: [&[u8]; 2] = [
    &[0x55, 0x48, 0x89, 0xe5, 0x41, 0x56], // push rbp; mov rbp, rsp; push r14
    &[0xf3, 0x0f, 0x1e, 0xfa, 0x55],       // endbr64; push rbp
];

const REPLACED: [(&str, Entry); 3] = [
    ("__vdso_clock_gettime", Entry::ClockGettime),
    ("__vdso_gettimeofday", Entry::Gettimeofday),
    ("__vdso_time", Entry::Time),
];

/// What a clock is set to, relative to the machine's. By default it is the machine's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// Ahead of the machine's, in nanoseconds; negative: behind.
    pub offset_ns: i64,
    /// How much faster it runs, in parts per million; -1,000,000: it stands.
    pub ppm: i64,
    /// Since when it does, in nanoseconds since 1970.
    pub since_ns: i64,
}

impl Setting {
    /// A clock that is off by so much, and from now on runs at another rate.
    pub fn from_now(offset_ns: i64, ppm: i64) -> Self {
        Self { offset_ns, ppm, since_ns: machine_clock() }
    }

    /// The drift in 2^-32.
    fn rate(self) -> i64 {
        ((i128::from(self.ppm) << 32) / 1_000_000) as i64
    }

    /// How far it is ahead when the machine's clock shows `at_ns`.
    pub fn ahead_at(self, at_ns: i64) -> i64 {
        let drift = (i128::from(at_ns - self.since_ns) * i128::from(self.rate())) >> 32;
        self.offset_ns + drift as i64
    }
}

/// A process' clock, as the process itself reads it.
pub struct Reading {
    /// When it was read, by the machine's clock, in nanoseconds since 1970.
    pub at_ns: i64,
    /// Ahead of the machine's, in nanoseconds; negative when behind.
    pub ahead_ns: i64,
    /// How far `ahead_ns` may be off: half the time that the reading took.
    pub within_ns: i64,
    /// The reading in words.
    pub text: String,
}

/// One thread at a time may stop a process and look into it.
static TRACING: Mutex<()> = Mutex::new(());

fn tracing() -> MutexGuard<'static, ()> {
    TRACING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sets the clock of every process of `session`. Patches those that are not patched yet.
fn set(session: &Session, to: Setting) -> io::Result<()> {
    for process in living(session)? {
        set_process(process.pid, to).map_err(|error| about(&process, &error))?;
    }
    Ok(())
}

/// Takes the offset from every process of `session` that has one. The patch
/// stays, harmless.
pub fn restore(session: &Session) -> io::Result<Vec<Reading>> {
    let mut readings = Vec::new();
    for process in session.processes()? {
        match restore_process(&process) {
            Ok(reading) => readings.extend(reading),
            // A process that ended meanwhile has no clock.
            Err(_) if !session.processes()?.contains(&process) => {}
            Err(error) => return Err(about(&process, &error)),
        }
    }
    Ok(readings)
}

/// Reads the clock of every process of `session` from inside.
fn read(session: &Session) -> io::Result<Vec<Reading>> {
    let read = |process: &Process| read_process(process).map_err(|error| about(process, &error));
    living(session)?.iter().map(read).collect()
}

fn living(session: &Session) -> io::Result<Vec<Process>> {
    let processes = session.processes()?;
    if processes.is_empty() {
        let text = format!("the daemon (pid {}) is gone", session.leader);
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    Ok(processes)
}

fn about(process: &Process, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{} (pid {}): {error}", process.name, process.pid))
}

fn set_process(pid: i32, to: Setting) -> io::Result<()> {
    let mut vdso = Vdso::of(pid)?;
    let block = match find(&vdso) {
        Some(block) => block,
        None => {
            let _alone = tracing();
            let mut tracee = Tracee::stop(pid)?;
            patch(&mut vdso, &mut tracee, &PROLOGUES)?
        }
    };
    write(&mut vdso, block, to)
}

/// Sets the clock of a process that has not been patched yet.
fn adopt(pid: i32, to: Setting) -> io::Result<()> {
    if find(&Vdso::of(pid)?).is_some() { Ok(()) } else { set_process(pid, to) }
}

fn restore_process(process: &Process) -> io::Result<Option<Reading>> {
    let mut vdso = Vdso::of(process.pid)?;
    let Some(block) = find(&vdso) else { return Ok(None) };
    write(&mut vdso, block, Setting::default())?;
    let reading = read_process(process)?;
    if reading.ahead_ns.abs() > reading.within_ns {
        return Err(io::Error::other(format!("its clock is still off: {}", reading.text)));
    }
    Ok(Some(reading))
}

/// Where our block lies in a patched vDSO.
fn find(vdso: &Vdso) -> Option<usize> {
    let mut lines = vdso.image.chunks_exact(64);
    lines.position(|line| line.starts_with(&hook::MAGIC)).map(|line| line * 64)
}

/// Fills the slot that nobody reads, then lets the readers go there.
fn write(vdso: &mut Vdso, block: usize, to: Setting) -> io::Result<()> {
    let index = vdso.image[block + hook::INDEX].wrapping_add(1);
    let slot = block + hook::SLOTS + hook::SLOT * usize::from(index & 1);
    vdso.write(slot, &hook::slot(to))?;
    vdso.write(block + hook::INDEX, &[index])
}

/// Lays the block down and turns the three functions to it. The order makes
/// every prefix of it harmless: an agent may die at any point.
fn patch(vdso: &mut Vdso, tracee: &mut Tracee, known: &[&[u8]]) -> io::Result<usize> {
    let missing = |what: &str| io::Error::other(format!("its vDSO {what}; it cannot be patched"));
    let mut block = hook::block().to_vec();
    let start = vdso.slack(block.len()).ok_or_else(|| missing("has no room behind its code"))?;
    let mut jumps = Vec::new();
    for (name, entry) in REPLACED {
        let symbol = vdso.symbol(name).ok_or_else(|| missing(&format!("has no {name}")))?;
        if symbol.size < 5 || symbol.offset + symbol.size > vdso.image.len() {
            return Err(missing(&format!("has too small a {name}")));
        }
        if entry == Entry::ClockGettime {
            let code = &vdso.image[symbol.offset..];
            if let Some(prologue) = known.iter().find(|known| code.starts_with(known)) {
                add_trampoline(&mut block, start, symbol.offset, prologue);
            }
        }
        let position = hook::position(&block, entry).expect("the block is ours");
        jumps.push((symbol.offset, hook::jump(symbol.offset, start + position)));
    }
    for (offset, _) in &jumps {
        step_out(tracee, vdso.base + *offset as u64)?;
    }
    vdso.write(start, &block)?;
    for (offset, jump) in jumps {
        vdso.write(offset, &jump)?;
    }
    Ok(start)
}

/// Lets the block reach the function it displaces. Where the prologue is not
/// known the block goes on to issue the system call, which is slower and as right.
fn add_trampoline(block: &mut [u8], start: usize, function: usize, prologue: &[u8]) {
    let original = hook::position(block, Entry::Original).expect("the block is ours");
    let behind = original + prologue.len();
    let back = hook::jump(start + behind, function + prologue.len());
    block[original..behind].copy_from_slice(prologue);
    block[behind..behind + back.len()].copy_from_slice(&back);
}

/// Steps every thread out of the bytes that the jump at `function` will cover.
fn step_out(tracee: &mut Tracee, function: u64) -> io::Result<()> {
    let inside = function + 1..function + 5;
    for thread in tracee.threads().collect::<Vec<_>>() {
        // Four bytes hold at most four instructions.
        for _ in 0..4 {
            if !inside.contains(&tracee::registers(thread)?.rip) {
                break;
            }
            tracee.step(thread)?;
        }
        if inside.contains(&tracee::registers(thread)?.rip) {
            return Err(io::Error::other("a thread does not leave the code to be patched"));
        }
    }
    Ok(())
}

/// Lets a stopped thread of the process call its own `__vdso_clock_gettime`.
/// It does so on a page mapped for the purpose: its own stack may be a
/// goroutine's, with nothing to spare below.
fn read_process(process: &Process) -> io::Result<Reading> {
    const PAGE: u64 = 4096;
    let vdso = Vdso::of(process.pid)?;
    let block = find(&vdso).ok_or_else(|| io::Error::other("its clock was never patched"))?;
    let place = |entry| {
        let position = hook::position(&vdso.image[block..], entry);
        position.map(|position| vdso.base + (block + position) as u64)
    };
    let (gate, trap) = (place(Entry::Gate), place(Entry::Trap));
    let (Some(gate), Some(trap)) = (gate, trap) else {
        return Err(io::Error::other("the patch in its vDSO is damaged"));
    };
    let function = vdso.symbol("__vdso_clock_gettime").map(|symbol| symbol.offset as u64);
    let function = vdso.base + function.ok_or_else(|| io::Error::other("its vDSO has no clock"))?;

    let _alone = tracing();
    let mut tracee = Tracee::stop(process.pid)?;
    let page = tracee.borrow(trap, |regs| {
        regs.rip = gate;
        regs.rax = libc::SYS_mmap as u64;
        (regs.rdi, regs.rsi) = (0, PAGE);
        regs.rdx = (libc::PROT_READ | libc::PROT_WRITE) as u64;
        regs.r10 = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64;
        (regs.r8, regs.r9) = (u64::MAX, 0);
    })?;
    if page > u64::MAX - 4096 {
        return Err(io::Error::from_raw_os_error(-(page as i64) as i32));
    }
    let read = tightest(|| call_clock(&mut tracee, &vdso, &Call { function, trap, page }));
    let unmapped = tracee.borrow(trap, |regs| {
        regs.rip = gate;
        regs.rax = libc::SYS_munmap as u64;
        (regs.rdi, regs.rsi) = (page, PAGE);
    });
    let (before, seen, after) = read?;
    unmapped?;
    Ok(reading(process, before, seen, after))
}

/// The reading that took the least time: on a busy machine one may be held up in
/// its middle, and says little then.
fn tightest(mut read: impl FnMut() -> io::Result<(i64, i64, i64)>) -> io::Result<(i64, i64, i64)> {
    const GOOD_NS: i64 = 200_000;
    let mut best = read()?;
    for _ in 0..4 {
        if best.2 - best.0 <= GOOD_NS {
            break;
        }
        let again = read()?;
        if again.2 - again.0 < best.2 - best.0 {
            best = again;
        }
    }
    Ok(best)
}

/// Where a borrowed call goes.
struct Call {
    function: u64,
    trap: u64,
    page: u64,
}

/// The machine's clock before, the process' clock, the machine's clock after.
fn call_clock(tracee: &mut Tracee, vdso: &Vdso, call: &Call) -> io::Result<(i64, i64, i64)> {
    // The stack grows down from the upper half; as behind a `call`, it is eight
    // bytes off a boundary of sixteen, and holds the return address.
    let stack = call.page + 4096 - 8;
    vdso.write_elsewhere(stack, &call.trap.to_le_bytes())?;
    let before = machine_clock();
    let result = tracee.borrow(call.trap, |regs| {
        regs.rip = call.function;
        regs.rsp = stack;
        (regs.rdi, regs.rsi) = (libc::CLOCK_REALTIME as u64, call.page);
    })?;
    let after = machine_clock();
    if result as i32 != 0 {
        return Err(io::Error::other(format!("its clock_gettime returned {}", result as i32)));
    }
    let mut timespec = [0; 16];
    vdso.read(&mut timespec, call.page)?;
    let half = |at: usize| i64::from_le_bytes(timespec[at..at + 8].try_into().expect("8 bytes"));
    Ok((before, half(0).saturating_mul(1_000_000_000).saturating_add(half(8)), after))
}

fn machine_clock() -> i64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
}

fn reading(process: &Process, before: i64, seen: i64, after: i64) -> Reading {
    let middle = before.midpoint(after);
    let ahead_ns = seen.saturating_sub(middle);
    let within_ns = (after - before) / 2 + 1;
    let who = format!("{} (pid {})", process.name, process.pid);
    let text = if ahead_ns.abs() <= within_ns {
        format!("{who} reads the machine's clock")
    } else {
        let seconds = ahead_ns as f64 / 1e9;
        match ahead_ns > 0 {
            true => format!("{who} reads its clock {seconds:+.3} s ahead"),
            false => format!("{who} reads its clock {:.3} s behind", -seconds),
        }
    };
    Reading { at_ns: middle, ahead_ns, within_ns, text }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::super::processes;
    use super::*;

    /// A child that was just spawned may still be in the middle of its exec, with
    /// no vDSO yet.
    fn await_sleep(pid: u32) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let call = format!("{} ", libc::SYS_clock_nanosleep);
        while !std::fs::read_to_string(format!("/proc/{pid}/syscall"))
            .is_ok_and(|at| at.starts_with(&call))
        {
            assert!(Instant::now() < deadline, "the child never came to sleep");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Patches a child that stands in a system call, and reads its clock from inside.
    #[test]
    fn with_and_without_a_known_prologue() {
        for known in [&PROLOGUES[..], &[]] {
            let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
            await_sleep(child.id());
            let process = processes::process(child.id() as i32).unwrap();
            let offset_ns = -7_300_000_000;
            let seen = Vdso::of(process.pid).and_then(|mut vdso| {
                let mut tracee = Tracee::stop(process.pid)?;
                let block = patch(&mut vdso, &mut tracee, known)?;
                drop(tracee);
                write(&mut vdso, block, Setting { offset_ns, ..Setting::default() })?;
                let shifted = read_process(&process)?;
                Ok((shifted, restore_process(&process)?))
            });
            child.kill().unwrap();
            child.wait().unwrap();
            match seen {
                Ok((shifted, restored)) => {
                    let off = shifted.ahead_ns.abs_diff(offset_ns);
                    assert!(off <= shifted.within_ns.unsigned_abs(), "{}", shifted.text);
                    assert!(restored.unwrap().text.ends_with("reads the machine's clock"));
                }
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    eprintln!("skipped: this user may not trace: {error}");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}
