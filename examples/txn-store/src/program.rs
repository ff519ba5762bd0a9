//! What clients have done in a transaction, read by read and write by write.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::attempt::{Attempt, Stop};

/// A transaction, as a client asks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Program {
    /// These, one after the other.
    Operations(Vec<MicroOp>),
    /// So much from one account to the other, if there is as much.
    Transfer { from: String, to: String, amount: i64 },
    /// This value for the first of these keys, if none of them has any.
    Insert { keys: Vec<String>, value: Value },
}

/// A read or a write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MicroOp {
    /// The value of a key.
    Read { key: String },
    /// A new value for a key.
    Write { key: String, value: Value },
    /// A new last element for a key's list.
    Append { key: String, value: Value },
}

impl Program {
    /// Whether it certainly writes nothing.
    pub fn reads_only(&self) -> bool {
        let reads = |micro: &MicroOp| matches!(micro, MicroOp::Read { .. });
        matches!(self, Program::Operations(micros) if micros.iter().all(reads))
    }

    /// What its reads find, in their order.
    pub async fn run(&self, attempt: &mut Attempt<'_>) -> Result<Vec<Value>, Stop> {
        match self {
            Program::Operations(micros) => operations(attempt, micros).await,
            Program::Transfer { from, to, amount } => transfer(attempt, from, to, *amount).await,
            Program::Insert { keys, value } => insert(attempt, keys, value).await,
        }
    }
}

async fn operations(attempt: &mut Attempt<'_>, micros: &[MicroOp]) -> Result<Vec<Value>, Stop> {
    let mut found = Vec::new();
    for micro in micros {
        match micro.clone() {
            MicroOp::Read { key } => found.push(attempt.read(key).await?),
            MicroOp::Write { key, value } => attempt.write(key, value).await?,
            MicroOp::Append { key, value } => attempt.append(key, value).await?,
        }
    }
    Ok(found)
}

async fn transfer(
    attempt: &mut Attempt<'_>,
    from: &str,
    to: &str,
    amount: i64,
) -> Result<Vec<Value>, Stop> {
    let balance = |value: Value| value.as_i64().unwrap_or_default();
    let left = balance(attempt.read(from.to_owned()).await?) - amount;
    let grown = balance(attempt.read(to.to_owned()).await?) + amount;
    if left < 0 {
        return Err(Stop::Refused(format!("{from} has not {amount}")));
    }
    attempt.write(from.to_owned(), left.into()).await?;
    attempt.write(to.to_owned(), grown.into()).await?;
    Ok(Vec::new())
}

async fn insert(
    attempt: &mut Attempt<'_>,
    keys: &[String],
    value: &Value,
) -> Result<Vec<Value>, Stop> {
    for key in keys {
        if !attempt.read(key.clone()).await?.is_null() {
            return Err(Stop::Refused("there is a row already".to_owned()));
        }
    }
    if let Some(first) = keys.first() {
        attempt.write(first.clone(), value.clone()).await?;
    }
    Ok(Vec::new())
}
