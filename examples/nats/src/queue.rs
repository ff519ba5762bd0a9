//! Queues: a work-queue stream, from which a message is gone when the one consumer of
//! its subject has acknowledged it. JetStream delivers at least once: a value whose
//! acknowledgement got lost comes out again.
//!
//! "Empty" is certain: a mark was put into the queue, and all up to it is acknowledged.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer};
use futures_util::StreamExt;
use tokio::time::timeout;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::connection::ANSWER;
use crate::errors;
use crate::stream::{Stream, subject, value};

/// When a message that nobody acknowledged comes out again.
const REDELIVERED: Duration = Duration::from_secs(2);
/// How long a message is waited for at a time.
const EXPIRES: Duration = Duration::from_millis(200);

/// Nothing is kept between calls.
pub struct Queue;

impl Queue {
    /// One call.
    pub async fn call(&mut self, stream: &Stream, call: &Call) -> Outcome {
        let subject = subject(call);
        match (&*call.f, &call.value) {
            ("enqueue", value) => {
                let sequence = stream.publish(&subject, value).await?;
                Ok(Reply::of(value.clone()).with("sequence", sequence))
            }
            ("dequeue", _) => dequeue(stream, &subject).await,
            (f, value) => Err(Failure::fail(format!("there is no `{f}` of {value}"))),
        }
    }
}

/// A value, or null when the queue is certainly empty. Until a message is in hand
/// nothing has happened, whatever went wrong.
async fn dequeue(stream: &Stream, subject: &str) -> Outcome {
    let taken = timeout(ANSWER, take(stream, subject)).await;
    let late = || Failure::fail("nothing certain came in time");
    match taken.map_err(|_| late())?.map_err(errors::reading)? {
        None => Ok(Reply::of(Value::Null)),
        Some((value, message)) => {
            let acknowledged = message.double_ack().await.is_ok();
            let reply = Reply::of(value);
            Ok(if acknowledged { reply } else { reply.with("acknowledged", false) })
        }
    }
}

async fn take(stream: &Stream, subject: &str) -> Result<Option<(Value, Message)>, Failure> {
    let consumer = stream.consumer(config(subject)).await?;
    let mut mark = None;
    loop {
        while let Some(message) = next(&consumer, mark.is_some()).await? {
            match value(&message.payload)? {
                Some(value) => return Ok(Some((value, message))),
                // A mark has done its work, whosever it is.
                None => message.double_ack().await.map_err(Failure::fail)?,
            }
        }
        let put = match mark {
            Some(put) => put,
            None => stream.mark(subject).await?,
        };
        mark = Some(put);
        if is_empty(&consumer, put).await? {
            return Ok(None);
        }
    }
}

fn config(subject: &str) -> Config {
    Config {
        durable_name: Some(subject.replace('.', "-")),
        ack_policy: AckPolicy::Explicit,
        ack_wait: REDELIVERED,
        filter_subject: subject.to_owned(),
        ..Config::default()
    }
}

/// The message that is next, if there is one; when `patient`, also if it comes soon.
async fn next(consumer: &PullConsumer, patient: bool) -> Result<Option<Message>, Failure> {
    let batch = match patient {
        true => consumer.batch().max_messages(1).expires(EXPIRES).messages().await,
        false => consumer.fetch().max_messages(1).messages().await,
    };
    let message = batch.map_err(Failure::fail)?.next().await;
    message.transpose().map_err(Failure::fail)
}

/// Whether all up to the mark was taken out and acknowledged.
async fn is_empty(consumer: &PullConsumer, mark: u64) -> Result<bool, Failure> {
    let info = consumer.get_info().await?;
    let nothing_left = info.num_pending == 0 && info.num_ack_pending == 0;
    Ok(nothing_left && info.ack_floor.stream_sequence >= mark)
}
