//! How fast a run calls, how long it waits, and what it does again: `[run] ramp`, `bursts` and
//! `retries`, `[client] adaptive`.

use anyhow::bail;
use tribunal_generator::{Pace, Policy};
use tribunal_harness::deadline::{Adaptive, Deadline};
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

/// Which calls are made again.
pub(super) fn retries(test: &TestFile) -> anyhow::Result<Option<Policy>> {
    let Some(table) = test.run.retries else { return Ok(None) };
    if !(0.0..=1.0).contains(&table.jitter) {
        bail!("[run] retries: `jitter` is {}, but must be from 0 to 1", table.jitter);
    }
    if table.times == 0 || table.times > 100 {
        bail!("[run] retries: `times` is {}, but must be from 1 to 100", table.times);
    }
    Ok(Some(Policy { times: table.times, backoff: table.backoff, jitter: table.jitter }))
}

/// How long a call may take.
pub(super) fn deadline(test: &TestFile) -> anyhow::Result<Deadline> {
    let most = test.client.timeout;
    let Some(table) = test.client.adaptive else { return Ok(Deadline::new(most, None)) };
    if !(1.0..=1000.0).contains(&table.times) {
        bail!("[client] adaptive: `times` is {}, but must be from 1 to 1000", table.times);
    }
    if table.least > most {
        bail!(
            "[client] adaptive: `least` is more than `timeout`, which is the most a call may take"
        );
    }
    Ok(Deadline::new(most, Some(Adaptive { times: table.times, least: table.least })))
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

    fn told(client: &str, run: &str) -> String {
        let file = format!(
            "[db]\nstart = 'x'\nready = 'x'\n[client]\ncommand = ['x']\n{client}\n[run]\n{run}\n"
        );
        let test: TestFile =
            toml::from_str(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let found = retries(&test).and_then(|_| deadline(&test));
        found.err().map_or(String::new(), |error| error.to_string())
    }

    #[test]
    fn retries_and_deadlines_are_checked() {
        assert_eq!(told("adaptive = {}", "retries = { times = 2, backoff = '1s' }"), "");
        assert!(told("", "retries = { times = 0, backoff = '1s' }").contains("from 1 to 100"));
        assert!(
            told("", "retries = { times = 1, backoff = '1s', jitter = 2.0 }").contains("0 to 1")
        );
        assert!(told("adaptive = { times = 0.5 }", "").contains("from 1 to 1000"));
        assert!(
            told("timeout = '1s'\nadaptive = { least = '2s' }", "").contains("more than `timeout`")
        );
    }
}
