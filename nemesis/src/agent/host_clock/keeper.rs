//! A host's clock that is set again and again: one that runs at another rate, in small steps, and
//! one that goes forth and back. The steps are relative to the monotonic clock, so none is lost
//! or adds up when the host is busy.

use std::time::Duration;

use super::super::keeper::Keeper;
use super::{Setting, Was, set};

/// Between two steps of a drift.
pub const STEP: Duration = Duration::from_millis(5);

/// Begins. The clock was set to the beginning of `to` at `since`, by the monotonic one.
pub fn begin(was: Was, to: Setting, since: i64) -> Keeper {
    let mut flips = 0;
    Keeper::begin(STEP.min(to.strobe.unwrap_or(STEP)), move || {
        let (ahead, turn) = ahead(to, set::monotonic() - since);
        if to.ppm != 0 || turn != flips {
            // Where it fails the look tells: the clock is not where it is to be.
            let _ = set::set_base(&was.controller, was.base_ns.saturating_add(ahead));
            flips = turn;
        }
        flips
    })
}

/// How far ahead the clock is to be so long after the beginning, and how often it has turned.
fn ahead(to: Setting, passed: i64) -> (i64, u32) {
    let turn = match to.strobe {
        Some(strobe) => passed / (strobe.as_nanos() as i64).max(1),
        None => 0,
    };
    let ahead = if turn % 2 == 0 { to.ahead_after(passed) } else { 0 };
    (ahead, u32::try_from(turn).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strobe_is_forth_first_and_right_every_other_time() {
        let strobe = Some(Duration::from_nanos(10));
        let to = Setting { offset_ns: 77, ppm: 0, strobe };
        let at = |passed| ahead(to, passed);
        assert_eq!(
            [at(0), at(9), at(10), at(19), at(20)],
            [(77, 0), (77, 0), (0, 1), (0, 1), (77, 2)]
        );
        let drift = Setting { ppm: 100_000, ..Setting::default() };
        assert_eq!(ahead(drift, 1_000_000), (100_000, 0));
    }
}
