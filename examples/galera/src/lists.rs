//! `txn`: reads of lists and appends to them. A list is a row, a JSON array.
//!
//! An append reads the list and writes the longer one, as an application would do that takes its
//! transaction for a snapshot: what another transaction appended meanwhile is lost if the database lets it be.

use async_trait::async_trait;
use serde_json::json;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::session::{Calls, Session, column, unknown};

/// Lists.
pub struct Lists;

#[async_trait]
impl Calls for Lists {
    fn tables(&self) -> Vec<String> {
        vec!["CREATE TABLE IF NOT EXISTS tribunal.lists (k VARCHAR(64) PRIMARY KEY, v TEXT NOT NULL)".into()]
    }

    async fn perform(&mut self, session: &mut Session, call: &Call) -> Outcome {
        let steps = call.value.as_array().filter(|_| &*call.f == "txn");
        let mut done = Vec::new();
        for step in steps.ok_or_else(|| unknown(call))? {
            done.push(perform(session, step).await?);
        }
        Ok(Reply::of(done))
    }
}

async fn perform(session: &mut Session, step: &Value) -> Result<Value, Failure> {
    match (step[0].as_str(), step[1].as_str()) {
        (Some("r"), Some(key)) => Ok(json!(["r", key, read(session, key).await?])),
        (Some("append"), Some(key)) => {
            append(session, key, &step[2]).await?;
            Ok(step.clone())
        }
        _ => Err(Failure::fail(format!("there is no {step}"))),
    }
}

async fn read(session: &mut Session, key: &str) -> Result<Option<Vec<Value>>, Failure> {
    let rows = session.rows("SELECT v FROM tribunal.lists WHERE k = ?", (key,)).await?;
    let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
    let text: String = column(&mut row, 0)?;
    let list = serde_json::from_str(&text);
    list.map(Some).map_err(|error| Failure::info(format!("{text} is no list: {error}")))
}

async fn append(session: &mut Session, key: &str, value: &Value) -> Result<(), Failure> {
    let found = read(session, key).await?;
    let change = match found {
        // Of two that both find no list one fails.
        None => "INSERT INTO tribunal.lists (v, k) VALUES (?, ?)",
        Some(_) => "UPDATE tribunal.lists SET v = ? WHERE k = ?",
    };
    let mut list = found.unwrap_or_default();
    list.push(value.clone());
    session.run(change, (Value::from(list).to_string(), key)).await
}
