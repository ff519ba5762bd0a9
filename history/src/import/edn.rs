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

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::error::{Excerpt, ImportError, Problem};
use super::text::{Position, Text};

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
            Ok(Value::Array(set(elements(text, b'}', depth)?)))
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

/// Which escapes a string has.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Escapes {
    /// Those of this notation.
    Of(&'static str),
    /// A backslash stays, and so does what follows it.
    Verbatim,
}

const EDN_ESCAPES: Escapes = Escapes::Of("EDN");

/// A string; its opening quote is next.
pub(super) fn string(text: &mut Text, escapes: Escapes) -> Read<String> {
    let began = text.position();
    text.bump();
    let mut bytes = Vec::new();
    loop {
        text.append_while(|byte| !matches!(byte, b'"' | b'\\' | b'\n'), &mut bytes);
        match text.next() {
            None => return Err(cut_off(text, "a string", began)),
            Some(b'"') => return utf8(text, began, bytes),
            Some(b'\\') => escape(text, began, escapes, &mut bytes)?,
            Some(byte) => bytes.push(byte),
        }
    }
}

/// What follows a backslash in a string.
fn escape(text: &mut Text, began: Position, escapes: Escapes, to: &mut Vec<u8>) -> Read<()> {
    let Some(byte) = text.next() else { return Err(cut_off(text, "a string", began)) };
    let Escapes::Of(notation) = escapes else {
        to.extend([b'\\', byte]);
        return Ok(());
    };
    let plain = match byte {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'"' | b'\\' | b'/' | b'\'' => byte,
        b'u' => {
            let character = unicode(text, notation)?;
            to.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
        _ => {
            let escape = format!("\\{}", char::from(byte));
            return Err(text.error(Problem::Escape(Excerpt::of(&escape), notation)));
        }
    };
    to.push(plain);
    Ok(())
}

/// The character of `\uXXXX`, or of two of them that are a surrogate pair.
fn unicode(text: &mut Text, notation: &'static str) -> Read<char> {
    let high = four_digits(text, notation)?;
    if !(0xd800..0xdc00).contains(&high) {
        return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    if !(text.peek() == Some(b'\\') && text.peek_second() == Some(b'u')) {
        return Ok(char::REPLACEMENT_CHARACTER);
    }
    text.bump();
    text.bump();
    let low = four_digits(text, notation)?;
    let joined = 0x10000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00);
    let is_low = (0xdc00..0xe000).contains(&low);
    Ok(is_low.then(|| char::from_u32(joined)).flatten().unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn four_digits(text: &mut Text, notation: &'static str) -> Read<u32> {
    let mut number = 0;
    for _ in 0..4 {
        let digit = text.peek().and_then(|byte| char::from(byte).to_digit(16));
        let Some(digit) = digit else {
            return Err(text.error(Problem::Escape(Excerpt::of("\\u"), notation)));
        };
        text.bump();
        number = number * 16 + digit;
    }
    Ok(number)
}

/// `\a`, `\newline`, `\u0041`
fn character(text: &mut Text) -> Read<Value> {
    let began = text.position();
    text.bump();
    // The first may be any character at all, also one that would end a word.
    let Some(first) = text.next() else { return Err(cut_off(text, "a character", began)) };
    let mut bytes = vec![first];
    text.append_while(is_word, &mut bytes);
    let name = utf8(text, began, bytes)?;
    let mut characters = name.chars();
    let named = match (name.as_str(), characters.next(), characters.as_str()) {
        ("newline", ..) => Some('\n'),
        ("space", ..) => Some(' '),
        ("tab", ..) => Some('\t'),
        ("return", ..) => Some('\r'),
        ("backspace", ..) => Some('\u{8}'),
        ("formfeed", ..) => Some('\u{c}'),
        (_, only, "") => only,
        (_, Some('u'), hex) => u32::from_str_radix(hex, 16).ok().and_then(char::from_u32),
        (_, Some('o'), octal) => u32::from_str_radix(octal, 8).ok().and_then(char::from_u32),
        _ => None,
    };
    match named {
        Some(character) => Ok(Value::String(character.to_string())),
        None => {
            Err(text.error_at(began, Problem::Escape(Excerpt::of(&format!("\\{name}")), "EDN")))
        }
    }
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

/// A number as it is written, if it is one. What 64 bits do not hold stays text: to round
/// it would make different values equal.
pub(super) fn number(word: &str) -> Option<Value> {
    if let Some(whole) = whole(word) {
        return Some(whole);
    }
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    if let Some(exact) = digits.strip_suffix('N') {
        return whole(&word[..word.len() - 1]).filter(|_| !exact.is_empty());
    }
    if let Some((above, below)) = digits.split_once('/') {
        let is_ratio = is_digits(above) && is_digits(below);
        return is_ratio.then(|| Value::String(word.trim_start_matches('+').to_owned()));
    }
    if let Some((radix, digits)) = radix(digits) {
        let size = i128::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))?;
        let signed = if word.starts_with('-') { -size } else { size };
        return whole(&signed.to_string());
    }
    if let Some(exact) = word.strip_suffix('M') {
        return whole(exact).or_else(|| decimal(exact));
    }
    fractional(word)
}

/// A whole number.
fn whole(word: &str) -> Option<Value> {
    if let Ok(number) = word.parse::<i64>() {
        return Some(number.into());
    }
    if let Ok(number) = word.parse::<u64>() {
        return Some(number.into());
    }
    is_digits(word.strip_prefix(['+', '-']).unwrap_or(word))
        .then(|| Value::String(word.trim_start_matches('+').to_owned()))
}

/// A decimal number that is exact in EDN: one that a double holds to the last digit, or text.
fn decimal(word: &str) -> Option<Value> {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let number = fractional(word)?;
    Some(if digits <= 15 { number } else { Value::String(word.to_owned()) })
}

fn fractional(word: &str) -> Option<Value> {
    let is_plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let number: f64 = word.bytes().all(is_plain).then(|| word.parse().ok()).flatten()?;
    Some(Number::from_f64(number).map_or_else(|| Value::String(word.to_owned()), Value::Number))
}

/// `0x1f` or `16r1f`: the radix and the digits.
fn radix(digits: &str) -> Option<(u32, &str)> {
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return Some((16, hex));
    }
    let (radix, digits) = digits.split_once(['r', 'R'])?;
    let radix = radix.parse().ok().filter(|radix| (2..=36).contains(radix))?;
    Some((radix, digits))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The text that stands for a map's key in JSON.
fn as_key(key: Value) -> String {
    match key {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The elements of a set, each once, in an order of their own.
fn set(mut elements: Vec<Value>) -> Vec<Value> {
    elements.sort_by(by_kind_and_size);
    elements.dedup();
    elements
}

fn by_kind_and_size(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (integer(one), integer(other)) {
            (None, None) => {
                one.as_f64().unwrap_or_default().total_cmp(&other.as_f64().unwrap_or_default())
            }
            (one, other) => one.cmp(&other),
        },
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => rank(one).cmp(&rank(other)).then_with(|| one.to_string().cmp(&other.to_string())),
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
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
