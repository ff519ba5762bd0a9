//! The ways for a clock to be wrong, and how wrong it is by default. Amounts are drawn evenly over
//! their magnitudes: systems break at a lease's length, a timeout, a certificate's validity, and
//! nobody knows at which. In whole numbers throughout, so that a seed means the same on every machine.

use tribunal_generator::Rng;

use super::FaultOption;
use super::clock::{Clock, ClockFault, OF, TARGET, about};
use super::given::magnitude;

const SMALLEST_S: f64 = 0.1;
const LARGEST_S: f64 = 60.0;
/// A hundred years; the kernel's own clock reaches not much farther.
const LIMIT_S: f64 = 3.2e9;

/// A wall clock that jumps, and jumps back when it is healed.
pub static JUMP: ClockFault = ClockFault {
    about: about(
        "clock-jump",
        "Moves the wall clock of the database's processes, or of a whole real host, forward or back.",
        &[
            TARGET,
            OF,
            FaultOption::new("max_s", "The farthest jump in seconds, by default 60."),
            FaultOption::new("offset_s", "Just this jump in seconds; negative goes back."),
        ],
    ),
    draw: |given, rng| {
        let farthest = "a number of seconds from 0.1 to a hundred years";
        let fits = |s: f64| (SMALLEST_S..=LIMIT_S).contains(&s);
        let largest = given.number("max_s", farthest, fits)?.unwrap_or(LARGEST_S);
        let wanted = "a number of seconds, and nothing beyond a hundred years";
        let fixed = given.number("offset_s", wanted, |s| s.abs() <= LIMIT_S)?;
        let drawn = jump(largest, rng);
        let offset_ns = fixed.map_or(drawn, |s| (s * 1e9).round() as i64);
        let clock = Clock { offset_ns, ..Clock::default() };
        Ok((clock, format!("{:+.3} s", offset_ns as f64 / 1e9)))
    },
};

/// A wall clock that runs too fast or too slow.
pub static DRIFT: ClockFault = ClockFault {
    about: about(
        "clock-drift",
        "Lets the wall clock of the database's processes, or of a whole real host, run too fast or too slow.",
        &[
            TARGET,
            OF,
            FaultOption::new(
                "ppm",
                "How much faster, in parts per million; negative is slower. By default drawn from 200 \
                 (a bad quartz) to 819200, either way.",
            ),
        ],
    ),
    draw: |given, rng| {
        let drawn = magnitude(200, 819_200, rng) as i64;
        let drawn = if rng.below(2) == 0 { drawn } else { -drawn };
        let wanted = "parts per million, from -1000000 (it stands) to 100000000, and not 0";
        let fits = |ppm: f64| ppm != 0.0 && (-1e6..=1e8).contains(&ppm);
        let ppm = given.number("ppm", wanted, fits)?.map_or(drawn, |ppm| ppm as i64);
        let clock = Clock { ppm, ..Clock::default() };
        Ok((clock, format!("{:+} %", ppm as f64 / 1e4)))
    },
};

/// A wall clock that stands.
pub static FREEZE: ClockFault = ClockFault {
    about: about(
        "clock-freeze",
        "Stops the wall clock of the database's processes.",
        &[TARGET, OF],
    ),
    draw: |_, _| Ok((Clock { ppm: -1_000_000, ..Clock::default() }, "stands".to_owned())),
};

/// A wall clock that goes forth and back.
pub static STROBE: ClockFault = ClockFault {
    about: about(
        "clock-strobe",
        "Puts the wall clock of the database's processes, or of a whole real host, forth and back, again and again.",
        &[
            TARGET,
            OF,
            FaultOption::new(
                "offset_ms",
                "How far, in milliseconds; by default drawn from 4 to 4096.",
            ),
            FaultOption::new("every_ms", "How long it stays; by default drawn from 5 to 640."),
        ],
    ),
    draw: |given, rng| {
        let drawn = magnitude(4, 4096, rng) * 1_000_000;
        let offset_ns = given.milliseconds("offset_ms")?.unwrap_or(drawn);
        let drawn = magnitude(5, 640, rng) * 1_000_000;
        let every_ms = given.milliseconds("every_ms")?.unwrap_or(drawn).div_ceil(1_000_000);
        let clock = Clock { offset_ns: offset_ns as i64, strobe_ms: every_ms, ..Clock::default() };
        let far = offset_ns as f64 / 1e9;
        Ok((clock, format!("{far:+.3} s and back every {every_ms} ms")))
    },
};

/// A jump of chance in nanoseconds, whole milliseconds, either way.
fn jump(largest_s: f64, rng: &mut Rng) -> i64 {
    let smallest_ms = (SMALLEST_S * 1000.0) as u64;
    let largest_ms = (largest_s * 1000.0) as u64;
    let doublings = (largest_ms / smallest_ms).ilog2();
    let low = smallest_ms << rng.below(u64::from(doublings) + 1);
    let magnitude = rng.between(low, (2 * low - 1).min(largest_ms)) as i64 * 1_000_000;
    if rng.below(2) == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tribunal_generator::Seed;

    use super::super::tests::nodes;
    use super::super::{Fault, Options};
    use super::*;

    fn options(given: serde_json::Value) -> Options {
        given.as_object().cloned().unwrap()
    }

    #[test]
    fn jumps_go_both_ways_and_no_farther_than_allowed() {
        let mut rng = Seed(1).stream("t");
        let jumps: Vec<i64> = (0..1000).map(|_| jump(5.0, &mut rng)).collect();
        assert!(jumps.iter().all(|jump| (100_000_000..=5_000_000_000).contains(&jump.abs())));
        let forward = jumps.iter().filter(|jump| **jump > 0).count();
        assert!((400..600).contains(&forward), "{forward} of 1000 forward");
    }

    #[test]
    fn a_plan_says_what_each_clock_does() {
        let mut rng = Seed(1).stream("t");
        let mut plan = |fault: &ClockFault, given| fault.draw(&nodes(1), &options(given), &mut rng);
        let jump = plan(&JUMP, json!({"target": "one", "offset_s": 5})).unwrap();
        assert_eq!(jump.summary, "n1 +5.000 s");
        assert_eq!(jump.data["clocks"]["n1"]["offset_ns"], 5_000_000_000_i64);
        let drift = plan(&DRIFT, json!({"ppm": -500})).unwrap();
        assert_eq!(drift.summary, "n1 -0.05 %");
        let strobe = plan(&STROBE, json!({"offset_ms": 200, "every_ms": 10})).unwrap();
        assert_eq!(strobe.summary, "n1 +0.200 s and back every 10 ms");
        assert_eq!(plan(&FREEZE, json!({})).unwrap().summary, "n1 stands");
        assert_eq!(plan(&JUMP, json!({"of": "host"})).unwrap().data["of"], "host");
        for (fault, bad) in [
            (&JUMP, json!({"offset_s": "far"})),
            (&JUMP, json!({"max_s": 0.01})),
            (&DRIFT, json!({"ppm": 0})),
            (&STROBE, json!({"every_ms": -1})),
            (&FREEZE, json!({"target": "primaries"})),
            (&FREEZE, json!({"of": "host"})),
            (&DRIFT, json!({"of": "host", "ppm": -1_000_000})),
            (&JUMP, json!({"of": "machine"})),
        ] {
            assert!(plan(fault, bad.clone()).is_err(), "{bad}");
        }
    }
}
