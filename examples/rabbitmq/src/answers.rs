//! What the server says without being asked just then: that it has a message, or has not,
//! or closes the channel. They come in the order in which it said them.
//!
//! What they say of a call is in `errors`.

use amqprs::callbacks::{ChannelCallback, ConnectionCallback};
use amqprs::channel::Channel;
use amqprs::connection::Connection;
use amqprs::error::Error;
use amqprs::{Ack, BasicProperties, Cancel, Close, CloseChannel, Nack, Return};
use async_trait::async_trait;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// One word of the server.
#[derive(Debug)]
pub enum Answer {
    /// It takes responsibility for the message.
    Ack,
    /// It refuses responsibility for the message.
    Nack,
    /// It has routed the message to no queue. An `Ack` follows.
    Returned(String),
    /// It closes the channel, or the connection.
    Closed(String),
}

/// Hears a channel's answers and passes them on.
pub struct Ear(UnboundedSender<Answer>);

/// Two ears, for a connection and its channel, and where their answers come out.
pub fn ears() -> (Ear, Ear, UnboundedReceiver<Answer>) {
    let (sender, answers) = unbounded_channel();
    (Ear(sender.clone()), Ear(sender), answers)
}

impl Ear {
    fn pass(&self, answer: Answer) {
        // Whoever let go of the channel wants no answers.
        let _ = self.0.send(answer);
    }
}

#[async_trait]
impl ChannelCallback for Ear {
    async fn close(&mut self, _: &Channel, close: CloseChannel) -> Result<(), Error> {
        self.pass(Answer::Closed(format!("{} {}", close.reply_code(), close.reply_text())));
        Ok(())
    }

    async fn cancel(&mut self, _: &Channel, _: Cancel) -> Result<(), Error> {
        Ok(())
    }

    async fn flow(&mut self, _: &Channel, active: bool) -> Result<bool, Error> {
        Ok(active)
    }

    async fn publish_ack(&mut self, _: &Channel, _: Ack) {
        self.pass(Answer::Ack);
    }

    async fn publish_nack(&mut self, _: &Channel, _: Nack) {
        self.pass(Answer::Nack);
    }

    async fn publish_return(
        &mut self,
        _: &Channel,
        returned: Return,
        _: BasicProperties,
        _: Vec<u8>,
    ) {
        let why = format!("{} {}", returned.reply_code(), returned.reply_text());
        self.pass(Answer::Returned(why));
    }
}

#[async_trait]
impl ConnectionCallback for Ear {
    async fn close(&mut self, _: &Connection, close: Close) -> Result<(), Error> {
        self.pass(Answer::Closed(close.to_string()));
        Ok(())
    }

    async fn blocked(&mut self, _: &Connection, _: String) {}

    async fn unblocked(&mut self, _: &Connection) {}

    async fn secret_updated(&mut self, _: &Connection) {}
}
