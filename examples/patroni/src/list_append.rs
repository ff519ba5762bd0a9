//! `txn` of reads of and appends to lists, each list a row.

use serde_json::json;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, IsolationLevel, Transaction};
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::errors;

/// A row that another transaction made meanwhile is appended to, or the isolation level forbids it.
const APPEND: &str = "INSERT INTO lists VALUES ($1, ARRAY[$2]) \
                      ON CONFLICT (key) DO UPDATE SET held = lists.held || EXCLUDED.held";
const READ: &str = "SELECT held FROM lists WHERE key = $1";

/// Performs one call.
pub async fn perform(postgres: &mut Client, isolation: IsolationLevel, call: &Call) -> Outcome {
    let steps = call.value.as_array().ok_or_else(|| errors::unknown(call))?;
    let begun = postgres.build_transaction().isolation_level(isolation).start().await;
    let transaction = begun.map_err(errors::before_commit)?;
    let mut done = Vec::with_capacity(steps.len());
    for each in steps {
        done.push(step(&transaction, each).await?);
    }
    transaction.commit().await.map_err(errors::of_commit)?;
    Ok(Reply::of(done))
}

/// One read or append, as it was done.
async fn step(transaction: &Transaction<'_>, step: &Value) -> Result<Value, Failure> {
    let unknown = || Failure::fail(format!("there is no step {step}"));
    let key = step[1].as_str().ok_or_else(unknown)?;
    match (step[0].as_str(), step[2].as_i64()) {
        (Some("append"), Some(value)) => {
            let row = [(&key as _, Type::TEXT), (&value as _, Type::INT8)];
            let done = transaction.query_typed(APPEND, &row).await;
            done.map_err(errors::before_commit)?;
            Ok(step.clone())
        }
        (Some("r"), _) => {
            let rows = transaction.query_typed(READ, &[(&key, Type::TEXT)]).await;
            let rows = rows.map_err(errors::before_commit)?;
            Ok(json!(["r", key, rows.first().map(|row| row.get::<_, Vec<i64>>(0))]))
        }
        _ => Err(unknown()),
    }
}
