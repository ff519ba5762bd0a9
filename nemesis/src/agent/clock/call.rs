//! One system call that a process makes because we want it to: what it would be told if it
//! made it by itself. The process is stopped for it, for about a millisecond.

use std::io;

use super::tracee::Tracee;
use super::tracing;
use super::vdso::Vdso;

/// The instruction `syscall`.
const SYSCALL: [u8; 2] = [0x0f, 0x05];

/// Has `pid` make the call `number`; its result, negative for an error.
pub fn call_in(pid: i32, number: libc::c_long, argument: u64) -> io::Result<i64> {
    let _one = tracing();
    // The vDSO falls back to system calls of its own, so the instruction is in there.
    let vdso = Vdso::of(pid)?;
    let place = vdso.image.windows(SYSCALL.len()).position(|bytes| bytes == SYSCALL);
    let place = place.ok_or_else(|| io::Error::other("its vDSO makes no system call"))?;
    Tracee::stop(pid)?.call(vdso.base + place as u64, number as u64, argument)
}
