//! The one stream, and a subject of it for each key.

use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::context::{CreateStreamError, CreateStreamErrorKind, PublishErrorKind};
use async_nats::jetstream::stream::{ConsumerError, ConsumerErrorKind, RetentionPolicy};
use async_nats::jetstream::{Context, ErrorCode, stream};
use tribunal_client::{Call, Failure, Value};

use crate::errors;

const NAME: &str = "tribunal";

/// What kind of stream it is.
#[derive(Clone, Copy)]
pub struct Kind {
    /// How many servers keep it.
    pub replicas: usize,
    /// When a message is gone.
    pub retention: RetentionPolicy,
}

/// The stream, as one server shows it.
pub struct Stream {
    jetstream: Context,
    kind: Kind,
}

impl Stream {
    /// The stream behind `jetstream`; nothing is asked yet.
    pub fn new(jetstream: Context, kind: Kind) -> Self {
        Self { jetstream, kind }
    }

    /// Makes it where it is not there. The servers agree on that as they agree on
    /// everything: a stream that is there already, and is only not found by one of
    /// them, stays what it is.
    pub async fn create(&self) -> Result<(), Failure> {
        let config = stream::Config {
            name: NAME.to_owned(),
            subjects: vec![format!("{NAME}.*")],
            retention: self.kind.retention,
            num_replicas: self.kind.replicas,
            ..stream::Config::default()
        };
        match self.jetstream.create_stream(config).await {
            Ok(_) => Ok(()),
            Err(error) if is_there(&error) => Ok(()),
            Err(error) => Err(Failure::fail(format!("the stream is not made: {error}"))),
        }
    }

    /// Publishes a value as a message of its own, and answers the message's number in the stream.
    pub async fn publish(&self, subject: &str, value: &Value) -> Result<u64, Failure> {
        let sent = self.jetstream.publish(subject.to_owned(), value.to_string().into()).await;
        let acknowledged = match sent {
            Ok(sent) => sent.await,
            Err(error) => Err(error),
        };
        acknowledged.map(|it| it.sequence).map_err(errors::publishing)
    }

    /// Publishes a mark, which is no value: whoever has read up to its number has
    /// read all that was acknowledged before it. A read that has not come to it
    /// knows nothing of what is missing. A stream that is gone is made anew first,
    /// empty, as an application's own start would do it.
    pub async fn mark(&self, subject: &str) -> Result<u64, Failure> {
        let mark = || self.jetstream.publish(subject.to_owned(), Value::Null.to_string().into());
        match mark().await?.await {
            Ok(marked) => Ok(marked.sequence),
            Err(error) if error.kind() == PublishErrorKind::StreamNotFound => {
                self.create().await?;
                Ok(mark().await?.await?.sequence)
            }
            Err(error) => Err(Failure::info(format!("no mark: {error}"))),
        }
    }

    /// A consumer, made where it is not there.
    pub async fn consumer(&self, config: pull::Config) -> Result<PullConsumer, Failure> {
        let made = self.jetstream.create_consumer_on_stream(config, NAME).await;
        if made.as_ref().is_err_and(is_gone) {
            self.create().await?;
        }
        made.map_err(|error| Failure::fail(format!("no consumer: {error}")))
    }
}

/// The subject of a call's key.
pub fn subject(call: &Call) -> String {
    let key = match &call.key {
        Some(Value::String(key)) => key.clone(),
        Some(key) => key.to_string(),
        None => "all".to_owned(),
    };
    format!("{NAME}.{key}")
}

/// The value of a message; `None` of a mark.
pub fn value(payload: &[u8]) -> Result<Option<Value>, Failure> {
    let value: Value = serde_json::from_slice(payload).map_err(|error| {
        let text = String::from_utf8_lossy(payload);
        Failure::fail(format!("the stream holds `{text}`, which no call published: {error}"))
    })?;
    Ok((!value.is_null()).then_some(value))
}

fn is_there(error: &CreateStreamError) -> bool {
    matches!(error.kind(), CreateStreamErrorKind::JetStream(error)
        if error.error_code() == ErrorCode::STREAM_NAME_EXIST)
}

fn is_gone(error: &ConsumerError) -> bool {
    matches!(error.kind(), ConsumerErrorKind::JetStream(error)
        if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}
