//! Reading a subject from a place on, through a consumer of its own that is made
//! when it is needed and made again at the place where it was lost.
//!
//! Deliveries to a consumer are numbered without gaps. A gap in those numbers is a
//! message that got lost on its way here, which is no fault of the stream; a gap in
//! the stream's own numbers is none either, for other subjects have numbers, too.

use std::mem::take;
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::{Batch, Config};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer};
use futures_util::StreamExt;
use tribunal_client::{Failure, Value};

use crate::stream::{Stream, value};

/// The most messages that are asked for at a time.
const BATCH: usize = 500;
/// How long the server lets a consumer live that nobody asks.
const IDLE: Duration = Duration::from_secs(10);
/// How long a message may be waited for, before it is asked for again.
const EXPIRES: Duration = Duration::from_millis(500);

/// A value and its number in the stream.
pub type Entry = (u64, Value);

/// A place in a subject.
pub struct Reader {
    subject: String,
    /// The number of the stream from which it goes on.
    place: u64,
    consumer: Option<Deliveries>,
    /// What was read and not handed out yet.
    held: Vec<Entry>,
}

/// A consumer, and how many messages it has delivered.
struct Deliveries {
    consumer: PullConsumer,
    count: u64,
}

impl Reader {
    /// At the beginning.
    pub fn new(subject: String) -> Self {
        Self { subject, place: 1, consumer: None, held: Vec::new() }
    }

    /// What comes next and is there.
    pub async fn next(&mut self, stream: &Stream) -> Result<Vec<Entry>, Failure> {
        self.read(stream, None).await
    }

    /// All from its place to the message of this number, waiting for it.
    pub async fn until(&mut self, stream: &Stream, mark: u64) -> Result<Vec<Entry>, Failure> {
        if mark < self.place {
            // The log has become shorter than it was when this reader was here.
            (self.place, self.consumer) = (mark + 1, None);
        }
        self.read(stream, Some(mark)).await
    }

    async fn read(&mut self, stream: &Stream, mark: Option<u64>) -> Result<Vec<Entry>, Failure> {
        // Given back only by a read that ended well: a half-read batch leaves a gap.
        let mut deliveries = match self.consumer.take() {
            Some(deliveries) => deliveries,
            None => self.consume(stream).await?,
        };
        let there = fetch(&deliveries.consumer).await?;
        self.take_all(&mut deliveries, there).await?;
        while mark.is_some_and(|mark| self.place <= mark) {
            let one = wait(&deliveries.consumer).await?;
            self.take_all(&mut deliveries, one).await?;
            let there = fetch(&deliveries.consumer).await?;
            self.take_all(&mut deliveries, there).await?;
        }
        self.consumer = Some(deliveries);
        Ok(take(&mut self.held))
    }

    async fn consume(&self, stream: &Stream) -> Result<Deliveries, Failure> {
        let config = Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.place },
            ack_policy: AckPolicy::None,
            filter_subject: self.subject.clone(),
            inactive_threshold: IDLE,
            ..Config::default()
        };
        Ok(Deliveries { consumer: stream.consumer(config).await?, count: 0 })
    }

    async fn take_all(&mut self, from: &mut Deliveries, mut batch: Batch) -> Result<(), Failure> {
        while let Some(message) = batch.next().await {
            self.take(from, &message.map_err(Failure::fail)?)?;
        }
        Ok(())
    }

    fn take(&mut self, from: &mut Deliveries, message: &Message) -> Result<(), Failure> {
        let info = message.info().map_err(Failure::fail)?;
        from.count += 1;
        if info.consumer_sequence != from.count {
            let (expected, found) = (from.count, info.consumer_sequence);
            let why = format!("delivery {found} came when {expected} was next");
            return Err(Failure::fail(why));
        }
        let value = value(&message.payload)?;
        self.place = info.stream_sequence + 1;
        self.held.extend(value.map(|value| (info.stream_sequence, value)));
        Ok(())
    }
}

/// What is there.
async fn fetch(consumer: &PullConsumer) -> Result<Batch, Failure> {
    consumer.fetch().max_messages(BATCH).messages().await.map_err(Failure::fail)
}

/// One message, when it comes.
async fn wait(consumer: &PullConsumer) -> Result<Batch, Failure> {
    consumer.batch().max_messages(1).expires(EXPIRES).messages().await.map_err(Failure::fail)
}
