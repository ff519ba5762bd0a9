//! A connection to one server with one channel on it. The driver makes no other when it is
//! lost, and repeats nothing. What the calls of the workload are is not here.

use std::time::Duration;

use amqprs::channel::{
    BasicAckArguments, BasicGetArguments, BasicPublishArguments, Channel, ConfirmSelectArguments,
    QueueDeclareArguments,
};
use amqprs::connection::{Connection, OpenConnectionArguments};
use amqprs::error::Error;
use amqprs::{BasicProperties, DELIVERY_MODE_PERSISTENT, FieldTable, FieldValue};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout, timeout_at};
use tribunal_client::{Failure, Node};

use crate::answers::{Answer, ears};
use crate::errors::{self, harmless};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How long the server has for one request.
const ANSWER: Duration = Duration::from_secs(4);
/// In seconds: a side that hears nothing for two of them holds the other for dead.
pub const HEARTBEAT: u16 = 2;

/// How a queue is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// On one node, and on the mirrors that a policy asks for.
    Classic,
    /// On a majority, by Raft.
    Quorum,
}

/// A message that is in hand, and not acknowledged yet.
pub struct Message {
    /// Its number on this channel.
    pub tag: u64,
    /// Whether it was in somebody's hand before.
    pub redelivered: bool,
    /// What was published.
    pub body: Vec<u8>,
}

/// A channel in confirm mode, and its connection. Dropping it closes both, and what was in
/// hand goes back into its queue.
pub struct Link {
    channel: Channel,
    answers: UnboundedReceiver<Answer>,
    _connection: Connection,
}

impl Link {
    /// A new connection to `node`.
    pub async fn to(node: &Node) -> Result<Self, Failure> {
        let port = *node.ports.get("client").unwrap_or(&5672);
        let doing = format!("cannot reach {}:{port}", node.ip);
        let opened = timeout(CONNECT, Self::open(&node.ip, port)).await;
        let opened = opened.map_err(|_| harmless(&doing, "no connection in time"))?;
        opened.map_err(|error| harmless(&doing, error))
    }

    async fn open(ip: &str, port: u16) -> Result<Self, Error> {
        let mut arguments = OpenConnectionArguments::new(ip, port, "guest", "guest");
        let connection = Connection::open(arguments.heartbeat(HEARTBEAT)).await?;
        let (of_connection, of_channel, answers) = ears();
        connection.register_callback(of_connection).await?;
        let channel = connection.open_channel(None).await?;
        channel.register_callback(of_channel).await?;
        channel.confirm_select(ConfirmSelectArguments::default()).await?;
        Ok(Self { channel, answers, _connection: connection })
    }

    /// Makes a queue where it is not there.
    pub async fn declare(&mut self, queue: &str, kind: Kind) -> Result<(), Failure> {
        let mut arguments = QueueDeclareArguments::durable_client_named(queue);
        let mut table = FieldTable::new();
        if kind == Kind::Quorum {
            let name = "x-queue-type".try_into().map_err(Failure::fail)?;
            table.insert(name, FieldValue::from("quorum".to_owned()));
        }
        let declared = self.channel.queue_declare(arguments.arguments(table).finish());
        answered("the queue is not declared", declared, &mut self.answers).await.map(drop)
    }

    /// Publishes a message to a queue. It is there when this is ok.
    pub async fn publish(&mut self, queue: &str, body: Vec<u8>) -> Result<(), Failure> {
        let mut properties = BasicProperties::default();
        properties.with_delivery_mode(DELIVERY_MODE_PERSISTENT);
        // The default exchange knows every queue by its name.
        let arguments = BasicPublishArguments::new("", queue).mandatory(true).finish();
        let deadline = Instant::now() + ANSWER;
        // An error says that the connection had ended before.
        let sent = self.channel.basic_publish(properties, body, arguments).await;
        sent.map_err(|error| harmless("not published", error))?;
        let mut returned = None;
        loop {
            match timeout_at(deadline, self.answers.recv()).await {
                Ok(Some(Answer::Returned(why))) => returned = Some(why),
                Ok(last) => return errors::publishing(returned, last),
                Err(_) => return Err(Failure::info("no acknowledgement in time")),
            }
        }
    }

    /// A message of a queue, if one is ready. It stays in the queue until it is acknowledged.
    pub async fn get(&mut self, queue: &str) -> Result<Option<Message>, Failure> {
        let got = self.channel.basic_get(BasicGetArguments::new(queue));
        let got = answered("no message", got, &mut self.answers).await?;
        Ok(got.map(|(got, _, body)| Message {
            tag: got.delivery_tag(),
            redelivered: got.redelivered(),
            body,
        }))
    }

    /// Tells the server that a message is in good hands. It does not answer that.
    pub async fn acknowledge(&self, message: &Message) -> Result<(), Failure> {
        let arguments = BasicAckArguments::new(message.tag, false);
        self.channel.basic_ack(arguments).await.map_err(Failure::info)
    }
}

/// What the server answers to a request that sends no message and acknowledges none.
async fn answered<T>(
    doing: &str,
    request: impl Future<Output = Result<T, Error>>,
    answers: &mut UnboundedReceiver<Answer>,
) -> Result<T, Failure> {
    let answer = timeout(ANSWER, request).await;
    let answer = answer.map_err(|_| harmless(doing, "no answer in time"))?;
    answer.map_err(|error| match answers.try_recv() {
        // The driver says only that it was closed.
        Ok(Answer::Closed(why)) => harmless(doing, why),
        _ => harmless(doing, error),
    })
}
