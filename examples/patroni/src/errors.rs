//! The table of errors: which say that a call certainly did not happen. All others are `info`.
//!
//! | what came back | |
//! |---|---|
//! | no connection; no leader by the word of Patroni | `fail`: nothing was sent (`session.rs`, `leader.rs`) |
//! | anything, of a transaction whose COMMIT was not sent yet | `fail`: the server rolls it back |
//! | an error of [`ROLLED_BACK`], of a COMMIT or of a statement that is a transaction of its own | `fail` |
//! | any other error of these, a connection that broke, no answer in time | `info` |
//! | any of these, of a call that only reads | `fail`: it has changed nothing |
//!
//! `57P01` (the server ends the connection) is not among them, for a commit that waits for a synchronous
//! replica has happened on the primary when it comes.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;
use tribunal_client::Failure;

/// Errors with which PostgreSQL has rolled back, or never began.
const ROLLED_BACK: [SqlState; 4] = [
    SqlState::T_R_SERIALIZATION_FAILURE,
    SqlState::T_R_DEADLOCK_DETECTED,
    SqlState::T_R_INTEGRITY_CONSTRAINT_VIOLATION,
    SqlState::READ_ONLY_SQL_TRANSACTION,
];

/// Of a COMMIT, or of a statement that commits itself.
pub fn of_commit(error: Error) -> Failure {
    let rolled_back = error.code().is_some_and(|code| ROLLED_BACK.contains(code));
    if rolled_back { Failure::fail(told(&error)) } else { Failure::info(told(&error)) }
}

/// Of a statement in a transaction that was not committed yet, or that only reads.
pub fn before_commit(error: Error) -> Failure {
    Failure::fail(told(&error))
}

/// There is no such call.
pub fn unknown(call: &tribunal_client::Call) -> Failure {
    Failure::fail(format!("there is no `{}` of {}", call.f, call.value))
}

/// The error and what is behind it: `db error` alone says nothing.
pub fn told(error: &Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
