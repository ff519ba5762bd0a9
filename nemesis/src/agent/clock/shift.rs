//! Another clock for a daemon's processes, as an act: set, kept so, and seen.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use tribunal_history::Effect;

use super::super::act::Act;
use super::super::journal::Undo;
use super::super::keeper::Keeper;
use super::super::processes::Session;
use super::{Reading, Setting, keeper, read, set};

/// How long a clock that drifts or strobes gets to be seen off.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(7);

/// A clock that is moved.
pub struct Shift {
    session: Session,
    offset_ns: i64,
    ppm: i64,
    /// How long it stays so before it goes back; `None` for good.
    strobe: Option<Duration>,
    /// What it was set to, and who keeps it so.
    kept: Option<(Setting, Keeper)>,
}

impl Shift {
    /// For the processes of the daemon `pid`; the rest is as in [`Harm::Clock`].
    ///
    /// [`Harm::Clock`]: super::super::protocol::Harm::Clock
    pub fn of(pid: u32, offset_ns: i64, ppm: i64, strobe_ms: u64) -> io::Result<Self> {
        let strobe = (strobe_ms > 0).then(|| Duration::from_millis(strobe_ms));
        Ok(Self { session: Session::led_by(pid)?, offset_ns, ppm, strobe, kept: None })
    }
}

impl Act for Shift {
    fn undo(&self) -> Undo {
        Undo::Restore(self.session.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        let to = Setting::from_now(self.offset_ns, self.ppm);
        set(&self.session, to)?;
        self.kept = Some((to, keeper::begin(&self.session, to, self.strobe)));
        Ok(())
    }

    /// Reads every process' clock until all are off as they are to be. A drift takes its time to
    /// be told from none, and a clock that strobes is right half of the time.
    fn look(&mut self) -> io::Result<Effect> {
        let Some((to, keeper)) = &self.kept else { return Ok(Effect::default()) };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let readings = read(&self.session)?;
            let observed = readings.iter().all(|reading| has_moved(reading, *to));
            if observed || Instant::now() > deadline {
                let mut evidence: Vec<String> =
                    readings.into_iter().map(|reading| reading.text).collect();
                if keeper.flips() > 0 {
                    evidence.push(format!("put forth and back {} times", keeper.flips()));
                }
                return Ok(Effect { observed, evidence });
            }
            thread::sleep(LOOK);
        }
    }
}

/// Whether a clock is off by so much, and certainly off.
fn has_moved(reading: &Reading, to: Setting) -> bool {
    let (within, ahead) = (reading.within_ns.unsigned_abs(), to.ahead_at(reading.at_ns));
    reading.ahead_ns.abs_diff(ahead) <= within && reading.ahead_ns.unsigned_abs() > within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_too_small_to_be_told_from_none_was_not_seen() {
        let reading = |ahead_ns| Reading {
            at_ns: 3_000_000_000,
            ahead_ns,
            within_ns: 50_000,
            text: String::new(),
        };
        let has_moved = |reading: &Reading, offset_ns| {
            super::has_moved(reading, Setting { offset_ns, ..Setting::default() })
        };
        assert!(has_moved(&reading(5_000_040_000), 5_000_000_000));
        assert!(has_moved(&reading(-200_000), -210_000));
        assert!(!has_moved(&reading(0), 5_000_000_000));
        assert!(!has_moved(&reading(20_000), 40_000));
        assert!(!has_moved(&reading(0), 0));
        let fast = Setting { ppm: 100_000, since_ns: 1_000_000_000, ..Setting::default() };
        assert!(super::has_moved(&reading(200_000_000), fast), "a tenth of two seconds");
        assert!(!super::has_moved(&reading(200_100_000), fast));
    }
}
