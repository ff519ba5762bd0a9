//! `transfer` between accounts and `read` of them all, each account a row.

use serde_json::Map;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, IsolationLevel};
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::errors;

const BALANCE: &str = "SELECT balance FROM accounts WHERE id = $1";
const MOVE: &str = "UPDATE accounts SET balance = balance + $2 WHERE id = $1";

/// Performs one call.
pub async fn perform(postgres: &mut Client, isolation: IsolationLevel, call: &Call) -> Outcome {
    match &*call.f {
        "read" => read(postgres).await,
        "transfer" => transfer(postgres, isolation, call).await,
        _ => Err(errors::unknown(call)),
    }
}

async fn read(postgres: &mut Client) -> Outcome {
    let rows = postgres.query_typed("SELECT id, balance FROM accounts", &[]).await;
    let rows = rows.map_err(errors::before_commit)?;
    let balance = |row: &tokio_postgres::Row| (row.get(0), Value::from(row.get::<_, i64>(1)));
    Ok(Reply::of(rows.iter().map(balance).collect::<Map<String, Value>>()))
}

async fn transfer(postgres: &mut Client, isolation: IsolationLevel, call: &Call) -> Outcome {
    let value = &call.value;
    let (Some(from), Some(to), Some(amount)) =
        (value["from"].as_str(), value["to"].as_str(), value["amount"].as_i64())
    else {
        return Err(errors::unknown(call));
    };
    let begun = postgres.build_transaction().isolation_level(isolation).start().await;
    let transaction = begun.map_err(errors::before_commit)?;
    let has = transaction.query_typed(BALANCE, &[(&from, Type::TEXT)]).await;
    let has: i64 = match has.map_err(errors::before_commit)?.first() {
        Some(row) => row.get(0),
        None => return Err(Failure::fail(format!("there is no account {from}"))),
    };
    if has < amount {
        // Dropped, it is rolled back.
        return Err(Failure::fail(format!("{from} has {has}, not {amount}")));
    }
    for (account, sum) in [(from, -amount), (to, amount)] {
        let row = [(&account as _, Type::TEXT), (&sum as _, Type::INT8)];
        transaction.query_typed(MOVE, &row).await.map_err(errors::before_commit)?;
    }
    transaction.commit().await.map_err(errors::of_commit)?;
    Ok(Reply::of(value.clone()))
}
