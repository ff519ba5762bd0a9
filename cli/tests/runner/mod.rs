//! Runs the tests of a binary. One that finds that this machine lacks what it
//! needs says so with [`skip`], and counts as ignored, never as passed: libtest
//! must know that beforehand, so these tests run under libtest-mimic.

use std::cell::RefCell;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};

/// A test and its name.
pub type Test = (&'static str, fn());

thread_local! {
    /// Why the test that runs on this thread is skipped, if it is.
    static SKIPPED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Says that the running test cannot be done here, and why. The test returns at once.
pub fn skip(why: impl Into<String>) {
    SKIPPED.set(Some(why.into()));
}

/// Runs those of `tests` that the command line asks for, one a core at a time.
#[allow(dead_code, reason = "not every binary leaves it at that")]
pub fn run(tests: &[Test]) -> ExitCode {
    judge(&Arguments::from_args(), tests)
}

/// The same of tests that wait for most of their time: so many at a time, unless the command line says otherwise.
#[allow(dead_code, reason = "not every binary waits")]
pub fn run_at_once(threads: usize, tests: &[Test]) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(threads);
    judge(&arguments, tests)
}

fn judge(arguments: &Arguments, tests: &[Test]) -> ExitCode {
    let trial = |&(name, test): &Test| {
        Trial::ignorable_test(name, move || {
            SKIPPED.take();
            test();
            let skipped = SKIPPED.take();
            Ok(skipped.map_or(Completion::Completed, Completion::ignored_with))
        })
    };
    libtest_mimic::run(arguments, tests.iter().map(trial).collect()).exit_code()
}

/// Runs an async test to its end.
#[allow(dead_code, reason = "not every binary has async tests")]
pub fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(test);
}
