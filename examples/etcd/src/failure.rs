//! Which of etcd's errors are definite: the table of the README, in code.
//!
//! A read changes nothing, so all its errors are: its callers say `fail` themselves. Of a
//! change only those are by which etcd, or the driver, turned it away before it was proposed
//! to Raft, or applied it to nothing. Everything else is unknown, also what sounds like a
//! refusal: "no leader", "leader changed" and "timed out" are said of proposals that were
//! sent on to another node, and "database space exceeded" of puts that were applied.

use etcd_client::{Error, KeyValue, ResponseHeader};
use tribunal_client::{Failure, Reply, Value};

/// The words of etcd by which it says that a change was not proposed, or that it was applied to nothing.
const REFUSALS: &[&str] = &[
    "etcdserver: too many requests",
    "etcdserver: key is not provided",
    "etcdserver: value is provided",
    "etcdserver: duplicate key given in txn request",
    "etcdserver: too many operations in txn request",
    "etcdserver: request is too large",
    LEASE_NOT_FOUND,
];

const LEASE_NOT_FOUND: &str = "etcdserver: requested lease not found";

/// What an error says of a change.
pub fn of_change(error: Error) -> Failure {
    if is_definite(&error) { Failure::fail(error) } else { Failure::info(error) }
}

/// Whether a change that ended with this error certainly does not happen.
fn is_definite(error: &Error) -> bool {
    match error {
        Error::GRpcStatus(status) => REFUSALS.contains(&status.message()),
        // The driver's own, before it sends anything.
        Error::InvalidArgs(_) | Error::InvalidUri(_) => true,
        _ => false,
    }
}

/// Whether the lease, with all that hung on it, is gone.
pub fn lease_is_gone(error: &Error) -> bool {
    matches!(error, Error::GRpcStatus(status) if status.message() == LEASE_NOT_FOUND)
}

/// What a key holds, as it was written.
pub fn parse(pair: &KeyValue) -> Result<Value, Failure> {
    serde_json::from_slice(pair.value()).map_err(|error| {
        let text = String::from_utf8_lossy(pair.value());
        Failure::info(format!("etcd holds `{text}`, which no call wrote: {error}"))
    })
}

/// The reply, with the revision of the answer.
pub fn revised(reply: Reply, header: Option<&ResponseHeader>) -> Reply {
    match header {
        Some(header) => reply.with("revision", header.revision()),
        None => reply,
    }
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    fn said(words: &str) -> Error {
        Error::GRpcStatus(Status::unavailable(words))
    }

    #[test]
    fn what_was_turned_away_at_the_door_is_definite() {
        for words in REFUSALS {
            assert!(is_definite(&said(words)), "{words}");
        }
        assert!(is_definite(&Error::InvalidArgs("empty endpoints".into())));
    }

    #[test]
    fn what_may_have_been_proposed_is_unknown() {
        let unknown = [
            "etcdserver: no leader",
            "etcdserver: leader changed",
            "etcdserver: request timed out",
            "etcdserver: request timed out, possibly due to previous leader failure",
            "etcdserver: mvcc: database space exceeded",
            "etcdserver: server stopped",
            "raft proposal dropped",
            "error reading a body from connection",
            "etcdserver: too many requests for the likes of you",
        ];
        for words in unknown {
            assert!(!is_definite(&said(words)), "{words}");
        }
        assert!(!is_definite(&Error::IoError(std::io::ErrorKind::ConnectionReset.into())));
        assert!(!is_definite(&Error::LeaseKeepAliveError("lease not found".into())));
    }

    #[test]
    fn a_lease_is_gone_only_by_etcds_own_word() {
        assert!(lease_is_gone(&said(LEASE_NOT_FOUND)));
        assert!(!lease_is_gone(&said("etcdserver: request timed out")));
        assert!(!lease_is_gone(&Error::LeaseKeepAliveError("lease not found".into())));
    }
}
