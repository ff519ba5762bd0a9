//! Who the leader is, by the word of a node's Patroni (`GET /cluster`). Whatever goes wrong here is a
//! certain failure: no database has heard of the call.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tribunal_client::{Failure, Node};

/// How long Patroni may take to answer.
const ASKED: Duration = Duration::from_secs(1);

/// The leader's address.
pub async fn named(node: &Node) -> Result<(String, u16), Failure> {
    let api = format!("{}:{}", node.ip, node.ports.get("api").unwrap_or(&8008));
    let answer = timeout(ASKED, get(&api)).await;
    let answer = answer.map_err(|_| Failure::fail(format!("Patroni at {api} did not answer")))?;
    let answer = answer.map_err(|error| Failure::fail(format!("Patroni at {api}: {error}")))?;
    leader(&answer).ok_or_else(|| Failure::fail(format!("Patroni at {api} names no leader")))
}

async fn get(api: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(api).await?;
    stream.write_all(b"GET /cluster HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Of an answer with its head.
fn leader(answer: &str) -> Option<(String, u16)> {
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let cluster: Value = serde_json::from_str(body).ok()?;
    let leader = cluster["members"].as_array()?.iter().find(|member| member["role"] == "leader")?;
    let port = u16::try_from(leader["port"].as_u64()?).ok()?;
    Some((leader["host"].as_str()?.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leader_is_found_among_the_members() {
        let answer = r#"{"members": [{"name": "n1", "role": "replica", "host": "10.0.0.1", "port": 5432},
            {"name": "n2", "role": "leader", "host": "10.0.0.2", "port": 5433}]}"#;
        let answer = format!("HTTP/1.0 200 OK\r\nServer: Patroni\r\n\r\n{answer}");
        assert_eq!(leader(&answer), Some(("10.0.0.2".to_owned(), 5433)));
        assert_eq!(leader(&answer.replace("leader", "replica")), None);
        assert_eq!(leader("HTTP/1.0 503 no\r\n\r\n"), None);
    }
}
