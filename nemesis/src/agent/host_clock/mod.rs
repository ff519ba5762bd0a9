//! Another wall clock for a whole host: for a real one alone, whose kernel is not the controller's.
//!
//! The clock is set, once or again and again ([`keeper`]), relative to the monotonic clock, which
//! stays as it is. What keeps the host's time right (NTP) is stopped first. How far the wall clock
//! was ahead of the monotonic one before any harm is in the journal: with that, and the same boot
//! of the kernel, whoever undoes it puts the clock to what it would show by now. A host that was
//! booted since has its time from its hardware, which nobody set, and there is nothing to undo.

mod keeper;
mod ntp;
mod set;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tribunal_history::Effect;

use self::keeper::STEP;
use super::act::Act;
use super::journal::Undo;
use super::keeper::Keeper;
use super::kernel;

/// How long a clock that drifts or strobes gets to be seen off.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(7);
/// The capability to set clocks (capabilities(7)).
const CAP_SYS_TIME: u32 = 25;

/// How a host's clock was before it was harmed: all that it takes to put it right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Was {
    /// The controller's boot id: the clock of its kernel is never set.
    pub controller: String,
    /// This kernel's boot id: the monotonic clock begins anew with each boot.
    pub boot_id: String,
    /// How far the wall clock was ahead of the monotonic one, in nanoseconds.
    pub base_ns: i64,
    /// What kept the time right.
    pub services: Vec<String>,
}

/// What a host's clock is set to, relative to what it would show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// Ahead, in nanoseconds; negative: behind.
    pub offset_ns: i64,
    /// How much faster it runs, in parts per million.
    pub ppm: i64,
    /// How long it stays so before it goes back, and so forth; `None` for good.
    pub strobe: Option<Duration>,
}

impl Setting {
    /// How far it is ahead so long after it was set. A strobe's: while it is forth.
    fn ahead_after(self, nanos: i64) -> i64 {
        let drift = i128::from(nanos) * i128::from(self.ppm) / 1_000_000;
        self.offset_ns.saturating_add(drift as i64)
    }
}

/// A host's clock that is moved.
pub struct HostClock {
    was: Was,
    to: Setting,
    /// Since when, by the monotonic clock, and who sets it again and again.
    kept: Option<(i64, Option<Keeper>)>,
}

impl HostClock {
    /// For this host, on behalf of a controller with that boot id.
    pub fn of(controller: String, to: Setting) -> io::Result<Self> {
        kernel::must_be_another(&controller)?;
        if !may_set_clocks(&std::fs::read_to_string("/proc/self/status")?) {
            let why = "this agent may not set the host's clock: it must be root, \
                       and not in a container";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        let services = ntp::running()?;
        let (boot_id, base_ns) = (kernel::boot_id()?, set::base().0);
        let was = Was { controller, boot_id, base_ns, services };
        Ok(Self { was, to, kept: None })
    }
}

impl Act for HostClock {
    fn undo(&self) -> Undo {
        Undo::SetClock(self.was.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        ntp::stop(&self.was.services)?;
        let since = set::monotonic();
        set::set_base(&self.was.controller, self.was.base_ns.saturating_add(self.to.offset_ns))?;
        let moves = self.to.ppm != 0 || self.to.strobe.is_some();
        let keeper = moves.then(|| keeper::begin(self.was.clone(), self.to, since));
        self.kept = Some((since, keeper));
        Ok(())
    }

    fn look(&mut self) -> io::Result<Effect> {
        let Some((since, keeper)) = &self.kept else { return Ok(Effect::default()) };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (base, exact) = set::base();
            let ahead = base - self.was.base_ns;
            let expected = self.to.ahead_after(set::monotonic() - since);
            // A drift is made of steps, and a busy host takes them late.
            let step = 4 * STEP.as_nanos() as i64;
            let late = self.to.ahead_after(step).saturating_sub(self.to.offset_ns).abs();
            // It was read when it was set, too.
            let within = 2 * exact + 4 * set::EXACT_NS + late;
            let observed = ahead.abs_diff(expected) <= within.unsigned_abs()
                && ahead.unsigned_abs() > within.unsigned_abs();
            if observed || Instant::now() > deadline {
                let mut evidence = vec![in_words(ahead, within)];
                if let Some(keeper) = keeper.as_ref().filter(|keeper| keeper.flips() > 0) {
                    evidence.push(format!("put forth and back {} times", keeper.flips()));
                }
                if !self.was.services.is_empty() {
                    evidence.push(format!("{} stopped", self.was.services.join(" ")));
                }
                return Ok(Effect { observed, evidence });
            }
            thread::sleep(LOOK);
        }
    }
}

/// Puts the clock right, and has it kept so: what was seen.
pub fn restore(was: &Was) -> io::Result<Vec<String>> {
    if kernel::boot_id()? != was.boot_id {
        return Ok(vec!["the host was booted since, which set its clock".to_owned()]);
    }
    // Once may leave it a little off, on a host that is slow to set it.
    for _ in 0..3 {
        set::set_base(&was.controller, was.base_ns)?;
    }
    let (base, exact) = set::base();
    let ahead = base - was.base_ns;
    let within = exact + 20 * set::EXACT_NS;
    if ahead.abs() > within {
        return Err(io::Error::other(format!("still off: {}", in_words(ahead, within))));
    }
    ntp::start(&was.services)?;
    let mut seen = vec![in_words(ahead, within)];
    if !was.services.is_empty() {
        seen.push(format!("{} started", was.services.join(" ")));
    }
    Ok(seen)
}

fn in_words(ahead: i64, within: i64) -> String {
    let seconds = set::seconds(ahead);
    match ahead {
        _ if ahead.abs() <= within => "the host's clock is right".to_owned(),
        1.. => format!("the host's clock is {seconds:+.3} s ahead"),
        _ => format!("the host's clock is {:.3} s behind", -seconds),
    }
}

/// Whether a process with this `/proc/PID/status` has the capability.
fn may_set_clocks(status: &str) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    set.is_some_and(|set| set & (1 << CAP_SYS_TIME) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_tells_where_the_clock_is() {
        let jump = Setting { offset_ns: -7, ..Setting::default() };
        assert_eq!(jump.ahead_after(1_000_000_000), -7);
        let fast = Setting { ppm: 500, ..Setting::default() };
        assert_eq!(fast.ahead_after(2_000_000_000), 1_000_000);
        let century = 3_200_000_000_000_000_000;
        assert_eq!(Setting { ppm: -500_000, ..jump }.ahead_after(century), -7 - century / 2);
    }

    #[test]
    fn the_capability_is_looked_for() {
        assert!(may_set_clocks("Name:\tx\nCapEff:\t000001ffffffffff\n"));
        assert!(!may_set_clocks("CapEff:\t000001fffdffffff\n"));
        assert!(!may_set_clocks(""));
    }

    #[test]
    fn a_host_that_was_booted_since_is_left_alone() {
        let was = Was {
            controller: String::new(),
            boot_id: "another".to_owned(),
            base_ns: 0,
            services: vec!["chronyd".to_owned()],
        };
        assert_eq!(restore(&was).unwrap(), ["the host was booted since, which set its clock"]);
    }

    #[test]
    fn a_node_with_the_controllers_kernel_is_refused() {
        let own = kernel::boot_id().unwrap();
        let error = HostClock::of(own, Setting::default()).err().expect("it must be refused");
        assert!(error.to_string().contains("shares the controller's kernel"), "{error}");
    }
}
