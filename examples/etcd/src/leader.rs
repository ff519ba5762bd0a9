//! `probe`: whom the node's own Raft takes for the leader, and in which term; and `write`, to keep it busy.
//!
//! Asked of `/debug/vars`, where etcd shows the state of its Raft at one instant. The
//! Status call of gRPC would not do: its term is that of the last entry the node has
//! applied, so a new leader is seen to lead in its predecessor's term.
//!
//! A write goes through any node to the leader, and its answer does not tell who that was.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::bound::{Calls, Link, unknown};
use crate::failure::of_change;

/// How long a probe may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// What no answer is longer than, in bytes.
const LONGEST: u64 = 1 << 20;

/// Who leads.
pub struct Leader;

#[async_trait]
impl Calls for Leader {
    async fn perform(&mut self, link: &mut Link, call: &Call) -> Outcome {
        match &*call.f {
            "probe" => probe(link).await,
            "write" => {
                let value = call.value.to_string();
                link.etcd.put("tribunal/leader", value, None).await.map_err(of_change)?;
                Ok(Reply::of(call.value.clone()))
            }
            _ => Err(unknown(call)),
        }
    }
}

async fn probe(link: &Link) -> Outcome {
    // A question changes nothing.
    let vars = match timeout(PATIENCE, vars(&link.address)).await {
        Ok(vars) => vars.map_err(Failure::fail)?,
        Err(_) => return Err(Failure::fail(format!("no answer within {PATIENCE:?}"))),
    };
    let raft = &vars["raft.status"];
    let (Some(state), Some(term)) = (raft["raftState"].as_str(), raft["term"].as_u64()) else {
        return Err(Failure::fail(format!("no state and term in {raft}")));
    };
    let role = if state == "StateLeader" { "leader" } else { "follower" };
    Ok(Reply::of(json!({ "node": link.node, "role": role, "term": term })))
}

/// What etcd tells of itself over HTTP.
async fn vars(address: &str) -> std::io::Result<Value> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /debug/vars HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await?;
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let body = head.map_or(&[][..], |end| &answer[end + 4..]);
    Ok(serde_json::from_slice(body)?)
}
