//! Reading and setting the clock of a whole host. Nothing else in Tribunal sets a clock.
//!
//! A clock's state is one number: how far the wall clock is ahead of the monotonic one, which
//! nobody can set. Where that number is known, the clock can be put right at any later time, by
//! whoever comes.

use std::io;

use super::super::kernel;

/// How often a clock is read to find the tightest reading.
const READINGS: usize = 5;
/// A clock that is off by less than this is right: reading it is not more exact.
pub const EXACT_NS: i64 = 5_000;

/// How far the wall clock is ahead of the monotonic one, in nanoseconds, and how far that may be off.
pub fn base() -> (i64, i64) {
    let read = |_| {
        let before = now(libc::CLOCK_MONOTONIC);
        let wall = now(libc::CLOCK_REALTIME);
        let after = now(libc::CLOCK_MONOTONIC);
        (wall - before.midpoint(after), (after - before) / 2 + 1)
    };
    (0..READINGS).map(read).min_by_key(|(_, within)| *within).expect("there are readings")
}

/// The monotonic clock, in nanoseconds.
pub fn monotonic() -> i64 {
    now(libc::CLOCK_MONOTONIC)
}

/// Puts the wall clock so far ahead of the monotonic one. On a host that shares its kernel with
/// the controller, whose boot id is given, it is an error.
pub fn set_base(controller: &str, wanted_ns: i64) -> io::Result<()> {
    let delta = wanted_ns.saturating_sub(base().0);
    if delta.abs() <= EXACT_NS { Ok(()) } else { shift(controller, delta) }
}

/// Moves the wall clock of the whole host. **The only function of this program that does.**
fn shift(controller: &str, delta_ns: i64) -> io::Result<()> {
    kernel::must_be_another(controller)?;
    let mut change = change(delta_ns);
    // SAFETY: the structure is ours for the call, and filled as clock_adjtime(2) asks.
    if unsafe { libc::clock_adjtime(libc::CLOCK_REALTIME, &raw mut change) } >= 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    let why = match error.raw_os_error() {
        Some(libc::EPERM) => "this agent may not set the clock: it must be root".to_owned(),
        Some(libc::EINVAL) => format!("the kernel has no such time: {:+.3} s", seconds(delta_ns)),
        _ => error.to_string(),
    };
    Err(io::Error::new(error.kind(), why))
}

/// What clock_adjtime(2) is asked for, to add so much: the nanoseconds are never negative.
fn change(delta_ns: i64) -> libc::timex {
    // SAFETY: the structure is plain data, for which zero is a value.
    let mut change: libc::timex = unsafe { std::mem::zeroed() };
    change.modes = libc::ADJ_SETOFFSET | libc::ADJ_NANO;
    change.time.tv_sec = delta_ns.div_euclid(1_000_000_000);
    change.time.tv_usec = delta_ns.rem_euclid(1_000_000_000);
    change
}

/// For people.
pub fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

fn now(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is ours for the call; these clocks are always there.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    // No test here sets a clock, not even to the time it shows: a virtual machine does it
    // (`make real-hosts`).

    #[test]
    fn what_is_added_has_no_negative_nanoseconds() {
        let parts = |delta: i64| {
            let change = change(delta);
            assert_eq!(change.modes, libc::ADJ_SETOFFSET | libc::ADJ_NANO);
            (change.time.tv_sec, change.time.tv_usec)
        };
        assert_eq!(parts(5_000_000_001), (5, 1));
        assert_eq!(parts(-1), (-1, 999_999_999));
        assert_eq!(parts(-5_000_000_000), (-5, 0));
    }

    #[test]
    fn the_machine_the_tests_run_on_is_refused() {
        let own = kernel::boot_id().unwrap();
        assert!(kernel::must_be_another(&own).is_err());
        let (base, within) = base();
        assert!(base > 0 && within < 100_000_000, "{base} {within}");
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn nothing_else_sets_a_clock() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut files = Vec::new();
        for floor in ["history", "generator", "client", "checkers", "harness", "nemesis", "cli"] {
            sources(&root.join(floor), &mut files);
        }
        let calls = ["adjtime", "clock_settime", "settimeofday", "adjtimex", "stime"];
        let sets = |path: &&PathBuf| {
            let text = fs::read_to_string(path).unwrap();
            let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            code.any(|line| calls.iter().any(|call| line.contains(&format!("{call}("))))
        };
        let found: Vec<&PathBuf> = files.iter().filter(sets).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with("agent/host_clock/set.rs"), "{found:?}");
    }
}
