//! `read` and `write` of one register, and `txn` of several: rows of numbers.

use async_trait::async_trait;
use serde_json::json;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::session::{Calls, Session, column, unknown};

/// Registers.
pub struct Registers;

#[async_trait]
impl Calls for Registers {
    fn tables(&self) -> Vec<String> {
        vec![
            "CREATE TABLE IF NOT EXISTS tribunal.registers (k VARCHAR(64) PRIMARY KEY, v BIGINT)"
                .into(),
        ]
    }

    async fn perform(&mut self, session: &mut Session, call: &Call) -> Outcome {
        let key = call.key.as_ref().map(Value::to_string).unwrap_or_default();
        match (&*call.f, &call.value) {
            ("read", _) => Ok(Reply::of(read(session, &key).await?)),
            ("write", value) => {
                write(session, &key, value.as_i64().ok_or_else(|| unknown(call))?).await?;
                Ok(Reply::of(value.clone()))
            }
            ("txn", Value::Array(steps)) => {
                let mut done = Vec::new();
                for step in steps {
                    done.push(perform(session, step).await?);
                }
                Ok(Reply::of(done))
            }
            _ => Err(unknown(call)),
        }
    }
}

async fn perform(session: &mut Session, step: &Value) -> Result<Value, Failure> {
    match (step[0].as_str(), step[1].as_str(), &step[2]) {
        (Some("r"), Some(key), _) => Ok(json!(["r", key, read(session, key).await?])),
        (Some("w"), Some(key), Value::Number(value)) => {
            let value = value.as_i64().ok_or_else(|| Failure::fail("no such number"))?;
            write(session, key, value).await?;
            Ok(step.clone())
        }
        _ => Err(Failure::fail(format!("there is no {step}"))),
    }
}

async fn read(session: &mut Session, key: &str) -> Result<Value, Failure> {
    let rows = session.rows("SELECT v FROM tribunal.registers WHERE k = ?", (key,)).await?;
    match rows.into_iter().next() {
        Some(mut row) => Ok(column::<i64>(&mut row, 0)?.into()),
        None => Ok(Value::Null),
    }
}

async fn write(session: &mut Session, key: &str, value: i64) -> Result<(), Failure> {
    let put = "INSERT INTO tribunal.registers VALUES (?, ?) ON DUPLICATE KEY UPDATE v = VALUES(v)";
    session.run(put, (key, value)).await
}
