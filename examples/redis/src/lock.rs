//! `acquire` and `release` of a lock, as SET with NX of a word that only its holder knows, and a
//! script that deletes the key if it holds that word. The lock has no time to live: it is no lease,
//! and what was acquired is held until it is released.

use std::collections::HashMap;
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use redis::aio::MultiplexedConnection;
use redis::{ExistenceCheck, SetOptions};
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::errors;

/// Says 1 if it was the holder's, 0 if not.
const RELEASE: &str = "if redis.call('get', KEYS[1]) == ARGV[1] then \
                       return redis.call('del', KEYS[1]) else return 0 end";

/// What one client holds: by key, the word under which it does.
#[derive(Default)]
pub struct Locks {
    held: HashMap<String, String>,
    words: u64,
}

impl Locks {
    /// Performs one call.
    pub async fn perform(&mut self, redis: &mut MultiplexedConnection, call: &Call) -> Outcome {
        let key = format!("lock:{}", call.key.as_ref().unwrap_or(&Value::Null));
        match &*call.f {
            "acquire" => self.acquire(redis, key).await,
            "release" => self.release(redis, key).await,
            _ => Err(errors::unknown(call)),
        }
    }

    async fn acquire(&mut self, redis: &mut MultiplexedConnection, key: String) -> Outcome {
        let word = self.word();
        let unless_held = SetOptions::default().conditional_set(ExistenceCheck::NX);
        let mut set = redis::cmd("SET");
        set.arg(&key).arg(&word).arg(unless_held);
        let done: Option<String> = set.query_async(redis).await.map_err(errors::of_write)?;
        if done.is_none() {
            return Ok(Reply::of(false));
        }
        self.held.insert(key, word);
        Ok(Reply::default())
    }

    /// A holder whose lock is not there any more, or another's, has released nothing.
    async fn release(&mut self, redis: &mut MultiplexedConnection, key: String) -> Outcome {
        let word = self.held.remove(&key).ok_or_else(|| Failure::fail("it is not held"))?;
        let mut script = redis::cmd("EVAL");
        script.arg(RELEASE).arg(1).arg(&key).arg(&word);
        match script.query_async(redis).await.map_err(errors::of_write)? {
            1 => Ok(Reply::default()),
            0 => Err(Failure::fail("the lock is not its holder's any more")),
            other => Err(Failure::info(format!("{other} locks were deleted"))),
        }
    }

    /// One that nobody has used before.
    fn word(&mut self) -> String {
        self.words += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        format!("{}-{now}-{}", process::id(), self.words)
    }
}
