//! Tribunal's calls as requests, and answers as outcomes.

use raft_floor::Request;
use serde_json::json;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::state::{Answer, Change, Question};

/// How long a lease is, in milliseconds.
const LEASE_MS: u64 = 500;

/// On what terms a client acquires.
#[derive(Clone, Copy)]
pub struct Terms {
    /// For how long, where it is not until the release.
    ttl_ms: Option<u64>,
}

impl Terms {
    /// The terms of a workload: locks are held until they are released, the others are leases.
    pub fn of(workload: &str) -> Self {
        let leases = matches!(workload, "lease" | "fenced-store");
        Self { ttl_ms: leases.then_some(LEASE_MS) }
    }
}

/// The request that a call is.
pub fn request(terms: Terms, call: &Call) -> Result<Request<Change, Question>, Failure> {
    let key = call.key.as_ref().map(ToString::to_string).unwrap_or_default();
    let token = call.value.get("token").and_then(Value::as_u64);
    let change = match (&*call.f, token) {
        ("read", _) => return Ok(Request::Ask(Question::Read { key })),
        ("acquire", _) => Change::Acquire { key, ttl_ms: terms.ttl_ms },
        ("renew", Some(token)) => Change::Renew { key, token },
        ("release", token) => Change::Release { key, token },
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
