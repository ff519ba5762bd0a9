//! What is known of the terminal that results are printed on, and how its tables say things.

use std::time::Duration;

use console::Term;

/// Columns for what is no terminal: a file, a pipe, an issue.
const ELSEWHERE: usize = 100;

/// How many columns standard output has.
pub fn columns() -> usize {
    Term::stdout().size_checked().map_or(ELSEWHERE, |(_, columns)| columns.into())
}

/// How old something is, in one unit.
pub fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}
