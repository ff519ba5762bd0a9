//! Tribunal's calls as requests, and answers as outcomes.

use raft_floor::Request;
use serde_json::json;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::state::{Answer, Change, Question};

/// How long a lease is, in milliseconds.
const LEASE_MS: u64 = 500;

/// How many may hold a semaphore at once: as many as the workload counts with.
const PERMITS: u64 = 2;

/// On what terms a client acquires.
#[derive(Clone, Copy)]
pub enum Terms {
    /// Alone, until it releases.
    Lock,
    /// Alone, for so many milliseconds.
    Lease(u64),
    /// With others, until it releases.
    Permit,
}

impl Terms {
    /// The terms of a workload.
    pub fn of(workload: &str) -> Self {
        match workload {
            "lease" | "fenced-store" => Self::Lease(LEASE_MS),
            "semaphore" => Self::Permit,
            _ => Self::Lock,
        }
    }

    fn acquire(self, key: String) -> Change {
        match self {
            Self::Lock => Change::Acquire { key, ttl_ms: None },
            Self::Lease(ms) => Change::Acquire { key, ttl_ms: Some(ms) },
            Self::Permit => Change::Enter { key, permits: PERMITS },
        }
    }

    fn release(self, key: String, token: Option<u64>) -> Change {
        match self {
            Self::Lock | Self::Lease(_) => Change::Release { key, token },
            Self::Permit => Change::Leave { key },
        }
    }
}

/// The request that a call is.
pub fn request(terms: Terms, call: &Call) -> Result<Request<Change, Question>, Failure> {
    let key = call.key.as_ref().map(ToString::to_string).unwrap_or_default();
    let token = call.value.get("token").and_then(Value::as_u64);
    let change = match (&*call.f, token) {
        ("read", _) => return Ok(Request::Ask(Question::Read { key })),
        ("acquire", _) => terms.acquire(key),
        ("renew", Some(token)) => Change::Renew { key, token },
        ("release", token) => terms.release(key, token),
        ("write", Some(token)) => {
            let value = call.value.get("value").cloned().unwrap_or_default();
            Change::Write { key, token, value }
        }
        (f, _) => {
            return Err(Failure::fail(format!("lock-service has no `{f}` of {}", call.value)));
        }
    };
    Ok(Request::Change(change))
}

/// How the call ended.
pub fn conclude(call: &Call, answer: Answer) -> Outcome {
    Ok(Reply::of(match answer {
        Answer::Granted { token, ttl_ms: Some(ttl) } => json!({"token": token, "ttl_ms": ttl}),
        Answer::Granted { token, ttl_ms: None } => json!({"token": token}),
        Answer::Done => call.value.clone(),
        Answer::Denied => json!(false),
        Answer::Value(value) => value,
    }))
}
