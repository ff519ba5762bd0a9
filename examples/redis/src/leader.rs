//! `probe` of the client's own node, by INFO, and `write` to it, by SET; its sentinel is not asked.
//!
//! A server that is made primary gives itself a new replication id, at random, so the id together with
//! the role names one stretch of time as primary: it stands for the term. It has no order, and is told
//! of probes alone: who is the newer of two primaries it does not say.

use redis::aio::MultiplexedConnection;
use serde_json::json;
use tribunal_client::{Call, Failure, Outcome, Reply};

use crate::errors;

/// Performs one call on the node of this name.
pub async fn perform(redis: &mut MultiplexedConnection, node: &str, call: &Call) -> Outcome {
    match &*call.f {
        "probe" => {
            let info = redis::cmd("INFO").arg("replication").query_async::<String>(redis).await;
            let info = info.map_err(errors::of_read)?;
            claim(node, &info).ok_or_else(|| Failure::fail(format!("who is this? {info}")))
        }
        "write" => {
            let value = call.value.to_string();
            let done = redis::cmd("SET").arg("leader").arg(value).query_async(redis).await;
            done.map(|()| Reply::of(call.value.clone())).map_err(errors::of_write)
        }
        _ => Err(errors::unknown(call)),
    }
}

/// What a server says of itself.
fn claim(node: &str, info: &str) -> Option<Reply> {
    let field =
        |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let role = match field("role")?.trim() {
        "master" => "leader",
        "slave" => "follower",
        _ => return None,
    };
    // Of forty hexadecimal digits twelve: a whole number that every reader of JSON can hold.
    let term = i64::from_str_radix(field("master_replid")?.get(..12)?, 16).ok()?;
    Some(Reply::of(json!({"node": node, "role": role, "term": term})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_is_a_leader_in_the_term_of_its_replication_id() {
        let info = "# Replication\r\nrole:master\r\nconnected_slaves:2\r\nmaster_failover_state:\
                    no-failover\r\nmaster_replid:00000000000a37a0d5e2d1d2a8e5a2b3a6a5a4a3\r\n";
        let reply = claim("n1", info).expect("it says who it is");
        assert_eq!(reply.value, json!({"node": "n1", "role": "leader", "term": 10}));
        let replica = claim("n2", &info.replace("master\r", "slave\r")).expect("it says who it is");
        assert_eq!(replica.value["role"], "follower");
    }

    #[test]
    fn a_server_that_does_not_say_who_it_is_is_nothing() {
        assert_eq!(claim("n1", "role:master\r\n"), None);
        assert_eq!(claim("n1", "role:sentinel\r\nmaster_replid:0123456789abcdef\r\n"), None);
    }
}
