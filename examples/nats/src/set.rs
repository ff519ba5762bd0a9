//! A set: each element is a message, and a read is all messages of the subject, up to
//! a mark that is published for it. So a read is as good as one by consensus.

use tokio::time::timeout;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::connection::ANSWER;
use crate::errors;
use crate::reader::Reader;
use crate::stream::{Stream, subject};

/// Nothing is kept between calls.
pub struct Set;

impl Set {
    /// One call.
    pub async fn call(&mut self, stream: &Stream, call: &Call) -> Outcome {
        match (&*call.f, &call.value) {
            ("add", value) => {
                let sequence = stream.publish(&subject(call), value).await?;
                Ok(Reply::of(value.clone()).with("sequence", sequence))
            }
            ("read", _) => {
                let found = timeout(ANSWER, read(stream, subject(call))).await;
                let late = || Failure::fail("the read did not come to its mark in time");
                let found = found.map_err(|_| late())?.map_err(errors::reading)?;
                Ok(Reply::of(found))
            }
            (f, value) => Err(Failure::fail(format!("there is no `{f}` of {value}"))),
        }
    }
}

async fn read(stream: &Stream, subject: String) -> Result<Vec<Value>, Failure> {
    let mark = stream.mark(&subject).await?;
    let entries = Reader::new(subject).until(stream, mark).await?;
    Ok(entries.into_iter().map(|(_, value)| value).collect())
}
