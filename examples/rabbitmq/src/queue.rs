//! The calls on a queue. RabbitMQ delivers at least once: a value comes out when a client
//! has it in hand, and is acknowledged then; if that gets lost it comes out again.
//!
//! "Empty" is what a server says that has no message *ready*; of those that somebody has in
//! hand a client is not told. They come back when that hand is dead, and so a queue is
//! empty when nothing came for longer than a server takes to find that out.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::connection::{HEARTBEAT, Link};
use crate::errors::harmless;

/// For how long nothing comes from a queue that is empty: longer than two heartbeats.
const EMPTY: Duration = Duration::from_millis(2000 * HEARTBEAT as u64 + 1000);
/// Between two tries of the same.
pub const PAUSE: Duration = Duration::from_millis(50);

/// The queue of a key.
pub fn name(key: Option<&Value>) -> String {
    match key {
        Some(Value::String(key)) => format!("tribunal.{key}"),
        Some(key) => format!("tribunal.{key}"),
        None => "tribunal.0".to_owned(),
    }
}

/// One call on a queue that is there.
pub async fn call(link: &mut Link, queue: &str, call: &Call) -> Outcome {
    match (&*call.f, &call.value) {
        ("enqueue", value) => {
            link.publish(queue, value.to_string().into_bytes()).await?;
            Ok(Reply::of(value.clone()))
        }
        ("dequeue", _) => dequeue(link, queue).await,
        (f, value) => Err(Failure::fail(format!("there is no `{f}` of {value}"))),
    }
}

async fn dequeue(link: &mut Link, queue: &str) -> Outcome {
    let begun = Instant::now();
    loop {
        match link.get(queue).await? {
            Some(message) => {
                let value: Value = serde_json::from_slice(&message.body)
                    .map_err(|error| harmless("a message that no call published", error))?;
                // Whether the server hears it or not: it came out.
                let _ = link.acknowledge(&message).await;
                return Ok(Reply::of(value).with("redelivered", message.redelivered));
            }
            None if begun.elapsed() >= EMPTY => return Ok(Reply::of(Value::Null)),
            None => sleep(PAUSE).await,
        }
    }
}
