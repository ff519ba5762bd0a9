//! EDN and what Clojure prints beside it, read as JSON values.
//!
//! Keywords, symbols and characters become text, lists and sets arrays (a set in
//! sorted order, so that equal sets are equal values), and the keys of maps text.
//! A tag, metadata, a quote and a discarded form (`#_`) are passed over; a regex,
//! a ratio, an unreadable `#<..>` and a number that no 64 bits hold stay text.
//! So every value is told from every other one that a history may hold, with one exception:
//! `:x`, `x` and `"x"` are the same.
//!
//! Why no crate: of those that are maintained, none reads an event at a time, takes what
//! histories hold beside EDN proper (regexes, metadata, `##NaN`, `#<..>`), and
//! bounds the nesting. See <https://github.com/edn-format/edn> and
//! <https://clojure.org/reference/reader>.

mod number;
mod quoted;
mod set;

use serde_json::{Map, Value};

use super::error::{Excerpt, ImportError, Problem};
use super::text::{Position, Text};
pub(super) use number::number;
use quoted::{EDN_ESCAPES, character};
pub(super) use quoted::{Escapes, string};

/// How many collections may be nested. An exception that Jepsen prints nests about ten.
pub(super) const DEEPEST: u32 = 100;

type Read<T> = Result<T, ImportError>;

/// Reads one form, at most `depth` collections deep.
pub(super) fn value(text: &mut Text, depth: u32) -> Read<Value> {
    let began = text.position();
    match start(text, depth)? {
        Some(byte) => form(text, byte, depth),
        None => Err(cut_off(text, "an event", began)),
    }
}

/// Passes over whitespace, comments and discarded forms; then the next byte, if there is one.
pub(super) fn start(text: &mut Text, depth: u32) -> Read<Option<u8>> {
    while let Some(byte) = text.peek() {
        match byte {
            b' ' | b',' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c => text.bump(),
            b';' => text.skip_while(|byte| byte != b'\n'),
            b'#' => match text.peek_second() {
                Some(b'_') => {
                    let depth = deeper(text, depth)?;
                    text.bump();
                    text.bump();
                    value(text, depth)?;
                }
                Some(b'!') => text.skip_while(|byte| byte != b'\n'),
                _ => return Ok(Some(byte)),
            },
            _ => return Ok(Some(byte)),
        }
    }
    Ok(None)
}

fn form(text: &mut Text, first: u8, depth: u32) -> Read<Value> {
    let began = text.position();
    match first {
        b'{' => map(text, depth, None),
        b'[' => Ok(Value::Array(elements(text, b']', depth)?)),
        b'(' => Ok(Value::Array(elements(text, b')', depth)?)),
        b'"' => string(text, EDN_ESCAPES).map(Value::String),
        b'\\' => character(text),
        b':' => keyword(text).map(Value::String),
        b'#' => dispatch(text, depth),
        b'^' => {
            text.bump();
            let depth = deeper(text, depth)?;
            value(text, depth)?;
            value(text, depth)
        }
        b'\'' | b'`' | b'~' | b'@' => {
            text.bump();
            let depth = deeper(text, depth)?;
            value(text, depth)
        }
        b'}' | b']' | b')' => Err(unexpected(text, "; this bracket closes nothing")),
        _ => {
            let word = std::str::from_utf8(text.take_while(is_word));
            let atom = word.map_err(|_| Problem::NotUtf8).and_then(atom);
            atom.map_err(|problem| text.error_at(began, problem))
        }
    }
}

/// What a `#` begins.
fn dispatch(text: &mut Text, depth: u32) -> Read<Value> {
    match text.peek_second() {
        Some(b'<') => unreadable(text),
        Some(b'{') => {
            text.bump();
            Ok(Value::Array(set::sorted(elements(text, b'}', depth)?)))
        }
        Some(b'"') => {
            text.bump();
            string(text, Escapes::Verbatim).map(Value::String)
        }
        Some(b'(') => {
            text.bump();
            Ok(Value::Array(elements(text, b')', depth)?))
        }
        Some(quoted @ (b'\'' | b'^')) => {
            text.bump();
            let depth = deeper(text, depth)?;
            form(text, quoted, depth)
        }
        Some(b'#') => word(text).map(Value::String),
        Some(b':') => qualified_map(text, depth),
        Some(byte) if byte.is_ascii_alphabetic() => {
            let depth = deeper(text, depth)?;
            word(text)?;
            value(text, depth)
        }
        _ => {
            text.bump();
            Err(unexpected(text, " after a #"))
        }
    }
}

/// Elements to the closing bracket; the opening one is next.
fn elements(text: &mut Text, close: u8, depth: u32) -> Read<Vec<Value>> {
    let (began, depth) = (text.position(), deeper(text, depth)?);
    text.bump();
    let mut elements = Vec::new();
    loop {
        match start(text, depth)? {
            None => return Err(cut_off(text, "a collection", began)),
            Some(byte) if byte == close => {
                text.bump();
                return Ok(elements);
            }
            Some(byte) => elements.push(form(text, byte, depth)?),
        }
    }
}

/// Pairs to the closing brace; the opening one is next. `space` qualifies bare keywords.
fn map(text: &mut Text, depth: u32, space: Option<&str>) -> Read<Value> {
    let (began, depth) = (text.position(), deeper(text, depth)?);
    text.bump();
    let mut map = Map::new();
    loop {
        let Some(first) = start(text, depth)? else {
            return Err(cut_off(text, "a map", began));
        };
        if first == b'}' {
            text.bump();
            return Ok(Value::Object(map));
        }
        let at = text.position();
        let mut key = as_key(form(text, first, depth)?);
        if let (Some(space), b':') = (space, first)
            && !key.contains('/')
        {
            key = format!("{space}/{key}");
        }
        match start(text, depth)? {
            None => return Err(cut_off(text, "a map", began)),
            Some(b'}') => return Err(text.error(Problem::KeyWithoutValue(Excerpt::of(&key)))),
            Some(byte) => {
                let value = form(text, byte, depth)?;
                insert(&mut map, key, value).map_err(|problem| text.error_at(at, problem))?;
            }
        }
    }
}

/// Adds to a map what must not be there yet.
pub(super) fn insert(
    map: &mut Map<String, Value>,
    key: String,
    value: Value,
) -> Result<(), Problem> {
    use serde_json::map::Entry;
    match map.entry(key) {
        Entry::Vacant(place) => {
            place.insert(value);
            Ok(())
        }
        Entry::Occupied(place) => Err(Problem::RepeatedKey(Excerpt::of(place.key()))),
    }
}

/// `#:space{:key value}`
fn qualified_map(text: &mut Text, depth: u32) -> Read<Value> {
    text.bump();
    let space = keyword(text)?;
    match start(text, depth)? {
        Some(b'{') => map(text, depth, Some(&space)),
        _ => Err(unexpected(text, "; a map must follow its namespace")),
    }
}

/// `#<Class anything>`, as Clojure printed objects before version 1.7.
fn unreadable(text: &mut Text) -> Read<Value> {
    let began = text.position();
    let (mut bytes, mut open) = (Vec::new(), 0_u32);
    while let Some(byte) = text.next() {
        bytes.push(byte);
        open = match byte {
            b'<' => open + 1,
            b'>' => open - 1,
            _ => open,
        };
        if byte == b'>' && open == 0 {
            return utf8(text, began, bytes).map(Value::String);
        }
    }
    Err(cut_off(text, "an object", began))
}

/// A keyword without its colon.
fn keyword(text: &mut Text) -> Read<String> {
    text.skip_while(|byte| byte == b':');
    match word(text)? {
        name if name.is_empty() => Err(unexpected(text, " after a colon")),
        name => Ok(name),
    }
}

/// Bytes to the next one that ends a word.
fn word(text: &mut Text) -> Read<String> {
    let began = text.position();
    match std::str::from_utf8(text.take_while(is_word)) {
        Ok(word) => Ok(word.to_owned()),
        Err(_) => Err(text.error_at(began, Problem::NotUtf8)),
    }
}

fn is_word(byte: u8) -> bool {
    !matches!(
        byte,
        b' ' | b','
            | b'\t'
            | b'\r'
            | b'\n'
            | 0x0b
            | 0x0c
            | b'('
            | b')'
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'"'
            | b';'
            | b'\\'
    )
}

/// A number, `nil`, `true`, `false` or a symbol.
fn atom(word: &str) -> Result<Value, Problem> {
    match word {
        "nil" => return Ok(Value::Null),
        "true" => return Ok(Value::Bool(true)),
        "false" => return Ok(Value::Bool(false)),
        "..." => return Err(Problem::Elided),
        _ => {}
    }
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    if digits.starts_with(|first: char| first.is_ascii_digit()) {
        return number(word).ok_or_else(|| Problem::NotANumber(Excerpt::of(word)));
    }
    Ok(Value::String(word.to_owned()))
}

/// The text that stands for a map's key in JSON.
fn as_key(key: Value) -> String {
    match key {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn deeper(text: &mut Text, depth: u32) -> Read<u32> {
    depth.checked_sub(1).ok_or_else(|| text.error(Problem::TooDeep(DEEPEST)))
}

fn utf8(text: &mut Text, began: Position, bytes: Vec<u8>) -> Read<String> {
    String::from_utf8(bytes).map_err(|_| text.error_at(began, Problem::NotUtf8))
}

pub(super) fn cut_off(text: &mut Text, what: &'static str, began: Position) -> ImportError {
    text.error(Problem::CutOff { what, began })
}

/// The next character is not what should be here.
pub(super) fn unexpected(text: &mut Text, hint: &'static str) -> ImportError {
    let found = text
        .peek()
        .map_or("the end of the file".to_owned(), |byte| format!("`{}`", char::from(byte)));
    text.error(Problem::Unexpected { found: Excerpt::of(&found), hint })
}
