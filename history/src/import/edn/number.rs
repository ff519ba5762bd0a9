//! Numbers as Clojure writes them. What they are part of is read elsewhere.

use serde_json::{Number, Value};

/// A number as it is written, if it is one. What 64 bits do not hold stays text: to round
/// it would make different values equal.
pub(in crate::import) fn number(word: &str) -> Option<Value> {
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
