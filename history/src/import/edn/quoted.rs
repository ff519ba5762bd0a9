//! What EDN and JSON write between quotes or behind a backslash: strings and characters.

use serde_json::Value;

use super::{Read, cut_off, is_word, utf8};
use crate::import::error::{Excerpt, Problem};
use crate::import::text::{Position, Text};

/// Which escapes a string has.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::import) enum Escapes {
    /// Those of this notation.
    Of(&'static str),
    /// A backslash stays, and so does what follows it.
    Verbatim,
}

pub(super) const EDN_ESCAPES: Escapes = Escapes::Of("EDN");

/// A string; its opening quote is next.
pub(in crate::import) fn string(text: &mut Text, escapes: Escapes) -> Read<String> {
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
pub(super) fn character(text: &mut Text) -> Read<Value> {
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
