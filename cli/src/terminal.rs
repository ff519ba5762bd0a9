//! What is known of the terminal that results are printed on.

use console::Term;

/// Columns for what is no terminal: a file, a pipe, an issue.
const ELSEWHERE: usize = 100;

/// How many columns standard output has.
pub fn columns() -> usize {
    Term::stdout().size_checked().map_or(ELSEWHERE, |(_, columns)| columns.into())
}
