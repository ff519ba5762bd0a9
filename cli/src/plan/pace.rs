//! How the rate of a run changes over its time: `[run] ramp` and `[run] bursts`.

use anyhow::bail;
use tribunal_generator::Pace;
use tribunal_harness::test_file::{BurstsTable, TestFile};

/// What the test file says of it.
pub(super) fn pace(test: &TestFile) -> anyhow::Result<Pace> {
    match (test.run.ramp, test.run.bursts) {
        (Some(_), Some(_)) => bail!("[run] ramp and [run] bursts contradict each other: drop one"),
        (Some(over), None) => Ok(Pace::Ramp { over }),
        (None, Some(BurstsTable { every, length, between })) => {
            if length >= every {
                bail!("[run] bursts: `length` must be less than `every`, or there is no burst");
            }
            if !(0.001..=1.0).contains(&between) {
                bail!("[run] bursts: `between` is {between}, but must be from 0.001 to 1");
            }
            Ok(Pace::Bursts { every, length, between })
        }
        (None, None) => Ok(Pace::Steady),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(run: &str) -> String {
        let file =
            format!("[db]\nstart = 'x'\nready = 'x'\n[client]\ncommand = ['x']\n[run]\n{run}\n");
        let test: TestFile =
            toml::from_str(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        match pace(&test) {
            Ok(pace) => format!("{pace:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn ramps_and_bursts_are_read_and_checked() {
        assert_eq!(of(""), "Steady");
        assert_eq!(of("ramp = '10s'"), "Ramp { over: 10s }");
        assert_eq!(
            of("bursts = { every = '5s', length = '1s' }"),
            "Bursts { every: 5s, length: 1s, between: 0.1 }"
        );
        assert!(of("bursts = { every = '1s', length = '1s' }").contains("less than `every`"));
        assert!(
            of("bursts = { every = '2s', length = '1s', between = 2.0 }").contains("0.001 to 1")
        );
        assert!(of("ramp = '1s'\nbursts = { every = '2s', length = '1s' }").contains("contradict"));
    }
}
