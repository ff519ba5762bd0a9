//! `add` to and `read` of a set, a row an element, each a statement that is a transaction of its own.

use tokio_postgres::Client;
use tokio_postgres::types::Type;
use tribunal_client::{Call, Outcome, Reply, Value};

use crate::errors;

/// Performs one call.
pub async fn perform(postgres: &mut Client, call: &Call) -> Outcome {
    let key = call.key.as_ref().unwrap_or(&Value::Null).to_string();
    match (&*call.f, call.value.as_i64()) {
        ("add", Some(element)) => {
            let insert = "INSERT INTO elements VALUES ($1, $2)";
            let row = [(&key as _, Type::TEXT), (&element as _, Type::INT8)];
            let done = postgres.query_typed(insert, &row).await;
            done.map(|_| Reply::of(element)).map_err(errors::of_commit)
        }
        ("read", _) => {
            let select = "SELECT element FROM elements WHERE key = $1";
            let rows = postgres.query_typed(select, &[(&key, Type::TEXT)]).await;
            let rows = rows.map_err(errors::before_commit)?;
            Ok(Reply::of(rows.iter().map(|row| row.get::<_, i64>(0)).collect::<Vec<_>>()))
        }
        _ => Err(errors::unknown(call)),
    }
}
