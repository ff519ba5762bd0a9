//! JSON values, an element at a time, with the line and column of each.
//!
//! `serde_json` reads the lines of our own format; here it would have to read a
//! whole array before it gives an element, and would round the numbers that no 64 bits
//! hold, so that different values became equal. Those stay text here.

use serde_json::{Map, Value};

use super::edn::{Escapes, cut_off, insert, number, string, unexpected};
use super::error::{Excerpt, ImportError, Problem};
use super::text::Text;

/// How many arrays and objects may be nested.
pub(super) const DEEPEST: u32 = super::edn::DEEPEST;

/// Reads one value, at most `depth` arrays and objects deep.
pub(super) fn value(text: &mut Text, depth: u32) -> Result<Value, ImportError> {
    let began = text.position();
    match start(text) {
        None => Err(cut_off(text, "an event", began)),
        Some(b'{') => object(text, depth),
        Some(b'[') => array(text, depth),
        Some(b'"') => string(text, Escapes::Of("JSON")).map(Value::String),
        Some(_) => atom(text),
    }
}

/// Passes over whitespace; then the next byte, if there is one.
pub(super) fn start(text: &mut Text) -> Option<u8> {
    while let Some(byte) = text.peek() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => text.bump(),
            _ => return Some(byte),
        }
    }
    None
}

/// After an element: whether another one follows it. Takes the comma or the bracket.
pub(super) fn another(text: &mut Text, close: u8) -> Result<bool, ImportError> {
    match start(text) {
        Some(b',') => text.bump(),
        Some(byte) if byte == close => {
            text.bump();
            return Ok(false);
        }
        _ => return Err(unexpected(text, "; a comma or a closing bracket is")),
    }
    Ok(true)
}

fn array(text: &mut Text, depth: u32) -> Result<Value, ImportError> {
    let depth = deeper(text, depth)?;
    text.bump();
    let mut elements = Vec::new();
    if start(text) == Some(b']') {
        text.bump();
        return Ok(Value::Array(elements));
    }
    loop {
        elements.push(value(text, depth)?);
        if !another(text, b']')? {
            return Ok(Value::Array(elements));
        }
    }
}

fn object(text: &mut Text, depth: u32) -> Result<Value, ImportError> {
    let depth = deeper(text, depth)?;
    text.bump();
    let mut object = Map::new();
    if start(text) == Some(b'}') {
        text.bump();
        return Ok(Value::Object(object));
    }
    loop {
        if start(text) != Some(b'"') {
            return Err(unexpected(text, "; a key in double quotes is"));
        }
        let at = text.position();
        let key = string(text, Escapes::Of("JSON"))?;
        if start(text) != Some(b':') {
            return Err(text.error(Problem::KeyWithoutValue(Excerpt::of(&key))));
        }
        text.bump();
        let value = value(text, depth)?;
        insert(&mut object, key, value).map_err(|problem| text.error_at(at, problem))?;
        if !another(text, b'}')? {
            return Ok(Value::Object(object));
        }
    }
}

/// A number or a literal.
fn atom(text: &mut Text) -> Result<Value, ImportError> {
    let began = text.position();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let word = String::from_utf8_lossy(text.take_while(is_word)).into_owned();
    match word.as_str() {
        "" => return Err(unexpected(text, "; a value is")),
        "null" => return Ok(Value::Null),
        "true" => return Ok(Value::Bool(true)),
        "false" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let is_json = word.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && word.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let read = is_json.then(|| number(&word)).flatten();
    read.ok_or_else(|| text.error_at(began, Problem::NotANumber(Excerpt::of(&word))))
}

fn deeper(text: &mut Text, depth: u32) -> Result<u32, ImportError> {
    depth.checked_sub(1).ok_or_else(|| text.error(Problem::TooDeep(DEEPEST)))
}
