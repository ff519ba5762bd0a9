//! `read` and `write` of one key each, as GET and SET, of the workloads `register` and `lww`.

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::errors;

/// Performs one call.
pub async fn perform(redis: &mut MultiplexedConnection, call: &Call) -> Outcome {
    let key = format!("register:{}", call.key.as_ref().unwrap_or(&Value::Null));
    match (&*call.f, &call.value) {
        ("read", _) => {
            let held: Option<String> = redis.get(key).await.map_err(errors::of_read)?;
            held.map_or(Ok(Value::Null), |held| parse(&held)).map(Reply::of)
        }
        ("write", value) => {
            let done = redis.set(key, value.to_string()).await;
            done.map(|()| Reply::of(value.clone())).map_err(errors::of_write)
        }
        _ => Err(errors::unknown(call)),
    }
}

/// What is held, as it was written.
pub fn parse(held: &str) -> Result<Value, Failure> {
    serde_json::from_str(held).map_err(|error| {
        Failure::info(format!("Redis holds `{held}`, which no call wrote: {error}"))
    })
}
