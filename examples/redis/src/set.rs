//! `add` to and `read` of a set, as SADD and SMEMBERS, of the workloads `set` and `set-full`.

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tribunal_client::{Call, Outcome, Reply, Value};

use crate::errors;
use crate::register::parse;

/// Performs one call.
pub async fn perform(redis: &mut MultiplexedConnection, call: &Call) -> Outcome {
    let key = format!("set:{}", call.key.as_ref().unwrap_or(&Value::Null));
    match (&*call.f, &call.value) {
        ("add", value) => {
            // How many are new is no matter: it is in the set.
            let done = redis.sadd(key, value.to_string()).await;
            done.map(|_: u64| Reply::of(value.clone())).map_err(errors::of_write)
        }
        ("read", _) => {
            let held: Vec<String> = redis.smembers(key).await.map_err(errors::of_read)?;
            held.iter().map(|held| parse(held)).collect::<Result<Value, _>>().map(Reply::of)
        }
        _ => Err(errors::unknown(call)),
    }
}
