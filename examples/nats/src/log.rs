//! Logs: a value's offset is its number in the stream, and each client is a consumer
//! that polls what its server has for it. Only "nothing more" is certain: a mark was
//! published, and reached.

use std::collections::BTreeMap;

use tokio::time::timeout;
use tribunal_client::{Call, Failure, Outcome, Reply};

use crate::connection::ANSWER;
use crate::errors;
use crate::reader::{Entry, Reader};
use crate::stream::{Stream, subject};

/// Where the client is in each log.
#[derive(Default)]
pub struct Log {
    readers: BTreeMap<String, Reader>,
}

impl Log {
    /// One call.
    pub async fn call(&mut self, stream: &Stream, call: &Call) -> Outcome {
        let subject = subject(call);
        match (&*call.f, &call.value) {
            ("append", value) => Ok(Reply::of(stream.publish(&subject, value).await?)),
            ("poll", _) => {
                let new = || Reader::new(subject.clone());
                let reader = self.readers.entry(subject.clone()).or_insert_with(new);
                let polled = timeout(ANSWER, poll(reader, stream, &subject)).await;
                let late = || Failure::fail("nothing certain came in time");
                let entries = polled.map_err(|_| late())?.map_err(errors::reading)?;
                Ok(Reply::of(serde_json::json!(entries)))
            }
            (f, value) => Err(Failure::fail(format!("there is no `{f}` of {value}"))),
        }
    }
}

async fn poll(reader: &mut Reader, stream: &Stream, subject: &str) -> Result<Vec<Entry>, Failure> {
    let next = reader.next(stream).await?;
    if !next.is_empty() {
        return Ok(next);
    }
    let mark = stream.mark(subject).await?;
    reader.until(stream, mark).await
}
