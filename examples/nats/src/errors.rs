//! The table of errors: which of them say that nothing happened, and never will.
//!
//! | call | error | says |
//! |---|---|---|
//! | any | no connection | `fail`: nothing was sent |
//! | `add`, `append`, `enqueue` | 503, no responders | `fail`: the server has handed the message on to nobody |
//! | | the driver refuses the message as too large | `fail`: it sends nothing |
//! | | an error in the place of the acknowledgement | `info`: it may have come after the message was proposed |
//! | | no acknowledgement in time, a lost connection | `info` |
//! | `read`, `poll` | any | `fail`: reading changes nothing |
//! | `dequeue` | any before a message came | `fail`: what is not acknowledged stays in the queue |
//! | | any after it came | `ok`: it came out, and may do so again |

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use tribunal_client::Failure;

/// What an error says of a publish.
pub fn publishing(error: PublishError) -> Failure {
    match error.kind() {
        PublishErrorKind::StreamNotFound | PublishErrorKind::MaxPayloadExceeded => {
            Failure::fail(error)
        }
        PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::WrongLastSequence
        | PublishErrorKind::TimedOut
        | PublishErrorKind::BrokenPipe
        | PublishErrorKind::MaxAckPending
        | PublishErrorKind::Other => Failure::info(describe(&error)),
    }
}

/// What any failure says of a call that only reads.
pub fn reading(failure: Failure) -> Failure {
    match failure {
        Failure::Fail(why) | Failure::Info(why) => Failure::Fail(why),
    }
}

/// The error and what it was made of.
fn describe(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_handed_to_nobody_is_certain() {
        let says = |kind| matches!(publishing(PublishError::new(kind)), Failure::Fail(_));
        assert!(says(PublishErrorKind::StreamNotFound));
        assert!(says(PublishErrorKind::MaxPayloadExceeded));
        assert!(!says(PublishErrorKind::TimedOut));
        assert!(!says(PublishErrorKind::BrokenPipe));
        assert!(!says(PublishErrorKind::Other));
    }
}
