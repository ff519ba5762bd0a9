//! The table of errors: which say that a call certainly did not happen. All others are `info`.
//!
//! | what came back | |
//! |---|---|
//! | no connection; no answer of the sentinel | `fail`: nothing was sent (`link.rs`, `route.rs`) |
//! | an error of the server that it gives before it executes a command ([`REFUSALS`]) | `fail` |
//! | any other error of the server, an answer of the wrong type | `info` |
//! | a connection that broke, whenever it did; no answer in time | `info`: it may have been sent |
//! | any of these, of a call that only reads | `fail`: it has changed nothing |

use redis::RedisError;
use tribunal_client::Failure;

/// Errors that Redis 7 answers in place of executing a command (`processCommand` in `server.c`).
const REFUSALS: [&str; 9] = [
    "READONLY",   // it is a replica
    "LOADING",    // it reads its data after a start
    "MASTERDOWN", // a replica without its primary, told not to serve old data
    "NOREPLICAS", // fewer replicas than `min-replicas-to-write`
    "MISCONF",    // it cannot write to its disk
    "OOM",        // above `maxmemory`
    "BUSY",       // a script runs
    "NOAUTH",     // a password is missing
    "NOPERM",     // the user may not
];

/// Of a call that changes something.
pub fn of_write(error: RedisError) -> Failure {
    let refused = error.code().is_some_and(|code| REFUSALS.contains(&code));
    if refused { Failure::fail(error) } else { Failure::info(error) }
}

/// Of a call that only reads.
pub fn of_read(error: RedisError) -> Failure {
    Failure::fail(error)
}

/// There is no such call.
pub fn unknown(call: &tribunal_client::Call) -> Failure {
    Failure::fail(format!("there is no `{}` of {}", call.f, call.value))
}

#[cfg(test)]
mod tests {
    use redis::make_extension_error;

    use super::*;

    fn answered(code: &str) -> Failure {
        of_write(make_extension_error(code.to_owned(), None))
    }

    #[test]
    fn what_is_refused_did_not_happen_and_of_all_else_nobody_knows() {
        for code in REFUSALS {
            assert!(matches!(answered(code), Failure::Fail(_)), "{code}");
        }
        for code in ["ERR", "EXECABORT", "UNBLOCKED", "NOSCRIPT", "OF_TOMORROW"] {
            assert!(matches!(answered(code), Failure::Info(_)), "{code}");
        }
        let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(matches!(of_write(broken.into()), Failure::Info(_)));
    }
}
