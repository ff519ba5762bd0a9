//! The table of errors: which of them say that nothing happened, and never will.
//!
//! | call | error | says |
//! |---|---|---|
//! | any | no connection, no channel, the queue cannot be declared | `fail`: no message was sent |
//! | `enqueue` | the channel had ended before | `fail`: no message was sent |
//! | | `basic.return`: routed to no queue | `fail` |
//! | | `basic.nack` | `info`: the server refuses responsibility, as when a master dies; a mirror may have the message |
//! | | no acknowledgement in 4 s, a closed channel, a lost connection | `info` |
//! | `dequeue` | any before a message came | `fail`: what is not acknowledged goes back into the queue |
//! | | any after it came | `ok`: it came out, and may do so again |

use tribunal_client::Failure;

use crate::answers::Answer;

/// What the answers to one message say of it, the last of them being `last`: `None` if the
/// connection was lost before there was any.
pub fn publishing(returned: Option<String>, last: Option<Answer>) -> Result<(), Failure> {
    match (returned, last) {
        (Some(why), _) => Err(Failure::fail(format!("returned: {why}"))),
        (None, Some(Answer::Ack)) => Ok(()),
        (None, Some(Answer::Nack)) => Err(Failure::info("nack: the server could not handle it")),
        (None, Some(Answer::Returned(why))) => Err(Failure::fail(format!("returned: {why}"))),
        (None, Some(Answer::Closed(why))) => Err(Failure::info(format!("closed: {why}"))),
        (None, None) => Err(Failure::info("the connection was lost")),
    }
}

/// What any error says of a call that has sent no message, and has acknowledged none.
pub fn harmless(doing: &str, error: impl ToString) -> Failure {
    Failure::fail(format!("{doing}: {}", error.to_string()))
}
