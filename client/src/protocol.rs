//! The client protocol: JSON objects, one a line, that a harness writes to a
//! client program's standard input and the program answers on its standard
//! output. This file is its reference; both sides use these types. Reading and
//! writing the lines is not here: see [`serve`](crate::serve()).
//!
//! ```text
//! harness -> {"type":"hello","id":0,"protocol":1,"workload":"register"}
//! client  <- {"type":"ready","id":0,"protocol":1,"workloads":["register"]}
//! harness -> {"type":"open","id":1,"node":{"id":"n1","ip":"10.0.0.1","ports":{"client":2379}}}
//! client  <- {"type":"ok","id":1}
//! harness -> {"type":"op","id":2,"f":"read","key":"7","timeout_ms":5000}
//! client  <- {"type":"ok","id":2,"value":41,"ext":{"revision":168}}
//! harness -> {"type":"op","id":3,"f":"write","key":"7","value":42,"timeout_ms":5000}
//! client  <- {"type":"info","id":3,"error":"connection reset"}
//! harness -> {"type":"quit","id":4}
//! client  <- {"type":"ok","id":4}
//! ```
//!
//! The rules:
//! - One request is in flight at a time; each gets exactly one response, with its `id`.
//! - `hello` comes first, then `open`. `setup` comes once a run, to one client.
//!   After a `fail` or `info` of any kind `open` may come again: the client
//!   lets go of its old connection and makes a new one.
//! - `fail` says: it certainly did not happen, and never will. **Everything else
//!   is an `info`**: a deadline, an exit, a bad line, an unknown answer.
//! - An `ok` without `value` leaves the value of the call as it was (so a `write`
//!   need not repeat what it wrote, and a `read` of nothing is null).
//! - A client ought to answer an `op` within `timeout_ms`; one that does not is
//!   ended by the harness, and its call is an `info`.
//! - Fields that one side does not know are ignored. Standard error is the client's log.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tribunal_history::{Call, Map, Name, Value};

use crate::{Failure, Node, Outcome, Reply};

/// The version that this crate speaks.
pub const VERSION: u32 = 1;

/// What the harness says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Request {
    /// The first line.
    Hello {
        /// Answered with the same.
        id: u64,
        /// The version of the protocol: [`VERSION`].
        protocol: u32,
        /// The workload whose calls will come.
        workload: String,
    },
    /// Bind to this node; all calls go there until the next `open`.
    Open {
        /// Answered with the same.
        id: u64,
        /// The node.
        node: Node,
    },
    /// Make what the workload needs before its first call: a table, a stream.
    Setup {
        /// Answered with the same.
        id: u64,
    },
    /// Perform a call.
    Op {
        /// Answered with the same.
        id: u64,
        /// The function: `read`, `write`, …
        f: Name,
        /// The object, where the workload has more than one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<Value>,
        /// The argument, if the function has one.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        value: Value,
        /// How long the harness will wait, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_ms: Option<u64>,
    },
    /// Let go of the connection.
    Close {
        /// Answered with the same.
        id: u64,
    },
    /// Let go, answer, and exit with code 0. The end of standard input says the same.
    Quit {
        /// Answered with the same.
        id: u64,
    },
}

impl Request {
    /// A first line, of this version.
    pub fn hello(id: u64, workload: impl Into<String>) -> Self {
        Request::Hello { id, protocol: VERSION, workload: workload.into() }
    }

    /// The request of a call. The marks in its `ext` are for the checkers and stay behind.
    pub fn op(id: u64, call: &Call, timeout_ms: Option<u64>) -> Self {
        let Call { f, key, value, ext: _ } = call.clone();
        Request::Op { id, f, key, value, timeout_ms }
    }

    /// Its number.
    pub fn id(&self) -> u64 {
        match *self {
            Request::Hello { id, .. }
            | Request::Open { id, .. }
            | Request::Setup { id }
            | Request::Op { id, .. }
            | Request::Close { id }
            | Request::Quit { id } => id,
        }
    }
}

/// What the client answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Response {
    /// To `hello`.
    Ready {
        /// The request's.
        id: u64,
        /// The version that the client speaks.
        protocol: u32,
        /// All workloads that it can serve.
        workloads: Vec<String>,
    },
    /// It happened.
    Ok {
        /// The request's.
        id: u64,
        /// What came back.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        value: Value,
        /// What the database exposes beside it.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        ext: Map<String, Value>,
    },
    /// It certainly did not happen, and never will.
    Fail {
        /// The request's.
        id: u64,
        /// Why, in a sentence.
        #[serde(default)]
        error: String,
    },
    /// Nobody knows.
    Info {
        /// The request's.
        id: u64,
        /// Why, in a sentence.
        #[serde(default)]
        error: String,
    },
    /// The request was not understood: a bad line, a version or a workload that
    /// the client does not speak, a call before `open`. Not an outcome of a call
    /// but a mistake of one of the programs; a call that it answers is an `info`.
    Error {
        /// The request's, where it could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// What was wrong, in a sentence.
        #[serde(default)]
        error: String,
    },
}

impl Response {
    /// The response to a call.
    pub fn of(id: u64, outcome: Outcome) -> Self {
        match outcome {
            Ok(Reply { value, ext }) => Response::Ok { id, value, ext },
            Err(Failure::Fail(error)) => Response::Fail { id, error },
            Err(Failure::Info(error)) => Response::Info { id, error },
        }
    }

    /// An `ok` with nothing beside it.
    pub fn ok(id: u64) -> Self {
        Response::Ok { id, value: Value::Null, ext: Map::new() }
    }

    /// The request's number; `None` only for an `error`.
    pub fn id(&self) -> Option<u64> {
        match *self {
            Response::Ready { id, .. }
            | Response::Ok { id, .. }
            | Response::Fail { id, .. }
            | Response::Info { id, .. } => Some(id),
            Response::Error { id, .. } => id,
        }
    }

    /// How the call ended that this answers. What is no answer to a call is an `info`.
    pub fn into_outcome(self) -> Outcome {
        match self {
            Response::Ok { value, ext, .. } => Ok(Reply { value, ext }),
            Response::Fail { error, .. } => Err(Failure::Fail(error)),
            Response::Info { error, .. } => Err(Failure::Info(error)),
            Response::Ready { .. } => Err(Failure::info("the client answered a call with `ready`")),
            Response::Error { error, .. } => {
                Err(Failure::Info(format!("the client did not understand the call: {error}")))
            }
        }
    }
}

/// A line that is not of the protocol.
#[derive(Debug, thiserror::Error)]
#[error("`{line}` is not a line of the client protocol: {why}")]
pub struct BadLine {
    /// The line, shortened.
    line: String,
    /// The request's number, where it could be read.
    pub id: Option<u64>,
    /// What is wrong with it.
    why: String,
}

/// A line without its line feed.
pub fn to_line<T: Serialize>(message: &T) -> String {
    serde_json::to_string(message).expect("messages have string keys only")
}

/// Reads one line.
pub fn from_line<T: for<'de> Deserialize<'de>>(line: &str) -> Result<T, BadLine> {
    serde_json::from_str(line).map_err(|error| BadLine {
        line: shorten(line.trim_end()).into_owned(),
        id: serde_json::from_str::<Value>(line).ok().and_then(|line| line.get("id")?.as_u64()),
        why: error.to_string(),
    })
}

fn shorten(line: &str) -> Cow<'_, str> {
    match line.char_indices().nth(120) {
        Some((end, _)) => Cow::Owned(format!("{}…", &line[..end])),
        None => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_design_s_own_lines_are_read_and_written_back() {
        let requests = [
            r#"{"type":"hello","id":0,"protocol":1,"workload":"register"}"#,
            r#"{"type":"open","id":1,"node":{"id":"n1","ip":"10.0.0.1","ports":{"client":2379}}}"#,
            r#"{"type":"setup","id":2}"#,
            r#"{"type":"op","id":17,"f":"read","key":"7","timeout_ms":5000}"#,
            r#"{"type":"op","id":18,"f":"cas","key":7,"value":[1,2]}"#,
            r#"{"type":"close","id":19}"#,
            r#"{"type":"quit","id":20}"#,
        ];
        for line in requests {
            assert_eq!(to_line(&from_line::<Request>(line).expect(line)), line);
        }
        let responses = [
            r#"{"type":"ready","id":0,"protocol":1,"workloads":["register"]}"#,
            r#"{"type":"ok","id":1}"#,
            r#"{"type":"ok","id":17,"value":41,"ext":{"revision":168}}"#,
            r#"{"type":"fail","id":18,"error":"refused"}"#,
            r#"{"type":"info","id":18,"error":"reset"}"#,
            r#"{"type":"error","error":"what?"}"#,
        ];
        for line in responses {
            assert_eq!(to_line(&from_line::<Response>(line).expect(line)), line);
        }
    }

    #[test]
    fn a_bad_line_names_itself_and_keeps_its_number() {
        let bad = from_line::<Request>(r#"{"type":"dance","id":4}"#).expect_err("not a request");
        assert_eq!(bad.id, Some(4));
        assert!(bad.to_string().contains("dance"), "{bad}");
        assert!(from_line::<Request>("nonsense").expect_err("not JSON").id.is_none());
    }

    #[test]
    fn marks_for_the_checkers_are_not_sent() {
        let call = Call::new("read").key("x").mark("final", true);
        assert_eq!(
            to_line(&Request::op(3, &call, None)),
            r#"{"type":"op","id":3,"f":"read","key":"x"}"#
        );
    }

    #[test]
    fn only_ok_and_fail_are_certain() {
        let uncertain = [
            Response::Info { id: 1, error: String::new() },
            Response::Error { id: Some(1), error: String::new() },
            Response::Ready { id: 1, protocol: VERSION, workloads: vec![] },
        ];
        for response in uncertain {
            assert!(matches!(response.into_outcome(), Err(Failure::Info(_))));
        }
    }
}
