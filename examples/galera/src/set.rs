//! `add` and `read` of sets: a row for each element.

use async_trait::async_trait;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::session::{Calls, Session, column, unknown};

/// Sets.
pub struct Set;

#[async_trait]
impl Calls for Set {
    fn tables(&self) -> Vec<String> {
        let key = "k VARCHAR(64), v BIGINT, PRIMARY KEY (k, v)";
        vec![format!("CREATE TABLE IF NOT EXISTS tribunal.elements ({key})")]
    }

    async fn perform(&mut self, session: &mut Session, call: &Call) -> Outcome {
        let key = call.key.as_ref().map(Value::to_string).unwrap_or_default();
        match (&*call.f, call.value.as_i64()) {
            ("add", Some(element)) => {
                session.run("INSERT INTO tribunal.elements VALUES (?, ?)", (key, element)).await?;
                Ok(Reply::of(element))
            }
            ("read", _) => {
                let query = "SELECT v FROM tribunal.elements WHERE k = ?";
                let rows = session.rows(query, (key,)).await?;
                let element = |mut row| column::<i64>(&mut row, 0).map(Value::from);
                let elements: Result<Vec<Value>, Failure> = rows.into_iter().map(element).collect();
                Ok(Reply::of(elements?))
            }
            _ => Err(unknown(call)),
        }
    }
}
