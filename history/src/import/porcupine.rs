//! The logs of Jepsen's first etcd test, as Porcupine's tests keep them.
//!
//! ```text
//! INFO  jepsen.util - 3  :invoke  :cas  [1 4]
//! INFO  jepsen.util - 3  :fail    :cas  [1 4]
//! ```
//!
//! Read as Porcupine reads them, which is what that test meant: a `:fail` of a compare-and-set
//! found another value, so it is an observation; a `:fail` of a read timed out and says
//! nothing. Any other `:fail` that timed out may have happened. Lines that do
//! not begin like this are of other loggers and are passed over.

use serde_json::{Map, Value, json};

use super::edn;
use super::error::{ImportError, Problem};
use super::record::Records;
use super::text::{Position, Text};
use crate::{Kind, Process};

const TIMED_OUT: &str = "timed-out";

/// Reads all events, and counts the lines that are none.
pub(super) fn read(text: &mut Text) -> Result<(Records, u64), ImportError> {
    let (mut records, mut other_lines) = (Records::default(), 0);
    let mut line = Vec::new();
    while text.peek().is_some() {
        text.begin_event();
        let at = text.position();
        line.clear();
        text.append_while(|byte| byte != b'\n', &mut line);
        let whole = text.take(b'\n');
        text.ended()?;
        match after_prefix(&line) {
            Some(rest) => {
                event(rest, whole, at, &mut records)
                    .map_err(|problem| text.error_at(at, problem))?;
            }
            None if line.iter().all(u8::is_ascii_whitespace) => {}
            None => other_lines += 1,
        }
    }
    text.ended()?;
    Ok((records, other_lines))
}

/// What follows `INFO  jepsen.util - `.
pub(super) fn after_prefix(line: &[u8]) -> Option<&[u8]> {
    let mut rest = line;
    for word in [&b"INFO"[..], b"jepsen.util", b"-"] {
        rest = rest.trim_ascii_start().strip_prefix(word)?;
        rest.first().filter(|byte| byte.is_ascii_whitespace())?;
    }
    Some(rest.trim_ascii())
}

/// `process :type :f value`
fn event(rest: &[u8], whole: bool, at: Position, records: &mut Records) -> Result<(), Problem> {
    let problem = || match whole {
        true => Problem::LogLine,
        false => Problem::CutOff { what: "this line", began: at },
    };
    let text = std::str::from_utf8(rest).map_err(|_| Problem::NotUtf8)?;
    let (who, text) = word(text).ok_or_else(problem)?;
    let (kind, text) = word(text).ok_or_else(problem)?;
    let (f, text) = word(text).ok_or_else(problem)?;
    let process = match who.parse::<u32>() {
        Ok(number) => Process::Client(u64::from(number)),
        Err(_) if who == ":nemesis" => Process::Nemesis,
        Err(_) => return Err(problem()),
    };
    let kind = match kind {
        ":invoke" => Kind::Invoke,
        ":ok" => Kind::Ok,
        ":fail" => Kind::Fail,
        ":info" => Kind::Info,
        _ => return Err(problem()),
    };
    let f = f.strip_prefix(':').filter(|f| !f.is_empty()).ok_or_else(problem)?;
    let mut value = text.trim().as_bytes();
    // The words of the nemesis are prose; a call without its value was cut off.
    let value = match process {
        Process::Nemesis => Value::String(text.trim().to_owned()),
        Process::Client(_) => form(&mut value).ok_or_else(problem)?,
    };
    let timed_out = process.is_client() && kind != Kind::Invoke && value == TIMED_OUT;
    let (kind, ext) = meaning(kind, f, timed_out);
    let event = records.log(at, process, kind, f);
    event.ext = ext;
    match timed_out {
        true => event.error = value,
        false => event.value = value,
    }
    Ok(())
}

/// What a completion says in our words.
fn meaning(kind: Kind, f: &str, timed_out: bool) -> (Kind, Map<String, Value>) {
    match (kind, f, timed_out) {
        (Kind::Fail, "cas", false) => {
            (Kind::Ok, Map::from_iter([("swapped".to_owned(), json!(false))]))
        }
        (Kind::Fail, "read", _) => (Kind::Fail, Map::new()),
        (Kind::Fail | Kind::Ok, _, true) => (Kind::Info, Map::new()),
        _ => (kind, Map::new()),
    }
}

/// The one form that this is.
fn form(mut bytes: &mut &[u8]) -> Option<Value> {
    let mut text = Text::short(&mut bytes);
    let value = edn::value(&mut text, 4).ok()?;
    let rest = edn::start(&mut text, 4).ok()?;
    rest.is_none().then_some(value)
}

fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}
