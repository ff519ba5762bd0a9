//! Calls, values and times in words: the same words on the page, on its
//! timeline and on the terminal.
//!
//! What a database returned is hostile text. Here it loses its control
//! characters and its length; escaping for HTML is the page's business.

use tribunal_checkers::Anomaly;
use tribunal_history::{Kind, Nanos, Operation, Value, ValueRef};

/// At most `max` characters of `text` on one line, its control and
/// direction-changing characters made visible.
pub(super) fn clip(text: &str, max: usize) -> String {
    let mut clipped = String::with_capacity(text.len().min(max));
    for (count, c) in text.chars().enumerate() {
        if count == max {
            clipped.push('…');
            break;
        }
        match c {
            '\n' | '\t' => clipped.push(' '),
            c if c.is_control() || changes_direction(c) => clipped.extend(c.escape_unicode()),
            c => clipped.push(c),
        }
    }
    clipped
}

/// The same for a text of several lines, which stay lines: each at most `max` characters, and not more than some.
pub(super) fn clip_lines(text: &str, max: usize) -> String {
    const LINES: usize = 16;
    let lines: Vec<String> = text.lines().take(LINES).map(|line| clip(line, max)).collect();
    lines.join("\n")
}

/// Marks that reorder the text after them, and could make a sentence read as another.
fn changes_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// A value as people write it: a string without quotes, an object as
/// `node=n1 role=leader`, everything else as JSON.
pub(super) fn value(value: &Value, max: usize) -> String {
    match value {
        Value::String(text) => clip(text, max),
        Value::Object(fields) => {
            let told = fields.iter().map(|(name, it)| format!("{name}={}", self::value(it, max)));
            clip(&told.collect::<Vec<_>>().join(" "), max)
        }
        other => clip(&other.to_string(), max),
    }
}

/// The same of a value of the history.
pub(super) fn held(value: ValueRef, max: usize) -> String {
    self::value(&value.to_value(), max)
}

/// A call in a few words: `write x 7`, `read x → 7`, `cas x [1,2] → not swapped`.
pub(super) fn call(op: &Operation, max: usize) -> String {
    let mut words = clip(op.f(), max);
    let mut add = |text: &str| {
        words.push(' ');
        words.push_str(text);
    };
    if let Some(key) = op.key() {
        add(&held(key, max));
    }
    // A transaction's answer is its question with the reads filled in: one of the two is enough.
    let list = |value: ValueRef| value.elements().is_some();
    let repeats = op.result().is_some_and(|result| list(result) && list(op.argument()));
    if !op.argument().is_null() && !repeats {
        add(&held(op.argument(), max));
    }
    if repeats {
        op.result().iter().for_each(|result| add(&held(*result, max)));
    }
    if op.ext("swapped").is_some_and(|it| it.as_bool() == Some(false)) {
        let found = op.ext("found").map(|found| format!(", found {}", held(found, max)));
        add(&format!("→ not swapped{}", found.unwrap_or_default()));
    } else if let Some(result) = op.result().filter(|&result| !repeats && result != op.argument()) {
        add(&format!("→ {}", held(result, max)));
    } else if op.is_ok() && op.argument().is_null() {
        add("→ null");
    }
    words
}

/// What else its events say: the error, and what the database exposes.
pub(super) fn detail(op: &Operation, max: usize) -> String {
    let Some(end) = op.completion() else { return "no answer until the end of the run".to_owned() };
    let mut parts = Vec::new();
    if !end.error().is_null() {
        parts.push(held(end.error(), max));
    }
    // Where it ran is told beside it.
    let here = |name: &str, it: ValueRef| name == "node" && it.as_str() == op.node();
    let said = end.exts().filter(|&(name, it)| !here(name, it));
    parts.extend(said.map(|(name, it)| format!("{}={}", clip(name, 40), extra(name, it, max))));
    clip(&parts.join("  "), max)
}

/// What a database exposes; a timestamp in nanoseconds as the time that it is.
fn extra(name: &str, it: ValueRef, max: usize) -> String {
    const CENTURY: std::ops::Range<i64> = 946_684_800_000_000_000..4_102_444_800_000_000_000;
    let stamp = it.as_i64().filter(|stamp| name == "timestamp" && CENTURY.contains(stamp));
    let date = stamp.and_then(|it| jiff::Timestamp::from_nanosecond(it.into()).ok());
    date.map_or_else(|| held(it, max), |date| date.strftime("%F %T%.9f").to_string())
}

/// An anomaly's message without the key that it may begin with: that is told beside it.
pub(super) fn message(anomaly: &Anomaly) -> String {
    let message = anomaly.message.as_str();
    let Some(key) = &anomaly.key else { return message.to_owned() };
    let named = [format!("key {}: ", value(key, usize::MAX)), format!("key {key}: ")];
    let rest = named.iter().find_map(|named| message.strip_prefix(named.as_str()));
    rest.unwrap_or(message).to_owned()
}

/// What a checker measured, by its name and in its unit: `overlap_ns` of
/// 2864283939 is an overlap of 2.86 s.
pub(super) fn fact(name: &str, it: &Value, max: usize) -> (String, String) {
    let plain = |name: &str| clip(&name.replace('_', " "), 60);
    let Some(stem) = name.strip_suffix("_ns") else { return (plain(name), value(it, max)) };
    let told = match it {
        Value::Array(items) => {
            let told: Option<Vec<String>> = items.iter().map(span).collect();
            told.map(|told| told.join(" to "))
        }
        it => span(it),
    };
    told.map_or_else(|| (plain(name), value(it, max)), |told| (plain(stem), told))
}

/// A number of nanoseconds, which may be negative.
fn span(it: &Value) -> Option<String> {
    let span = it.as_i64()?;
    Some(format!("{}{}", if span < 0 { "-" } else { "" }, duration(span.unsigned_abs())))
}

/// A wall-clock time as people write it: `2026-11-20 20:12:16 UTC`.
pub(super) fn moment(rfc3339: &str) -> String {
    let date: Option<jiff::Timestamp> = rfc3339.parse().ok();
    date.map_or_else(|| clip(rfc3339, 60), |date| date.strftime("%F %T UTC").to_string())
}

/// How a call ended, in words that need no colour.
pub(super) fn outcome(kind: Kind) -> &'static str {
    match kind {
        Kind::Ok => "ok",
        Kind::Fail => "fail",
        Kind::Info | Kind::Invoke => "info",
    }
}

/// A point in the run: `31.204 s`.
pub(super) fn time(at: Nanos) -> String {
    format!("{:.3} s", at as f64 / 1e9)
}

/// How long something took, with three digits or so: `412 µs`, `1.89 ms`, `12.4 s`.
pub(super) fn duration(span: Nanos) -> String {
    let (amount, unit) = match span {
        0..1_000 => return format!("{span} ns"),
        1_000..1_000_000 => (span as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (span as f64 / 1e6, "ms"),
        _ => (span as f64 / 1e9, "s"),
    };
    let digits = if amount < 10.0 { 2 } else { usize::from(amount < 100.0) };
    format!("{amount:.digits$} {unit}")
}

/// A count with its thousands apart: `84,311`.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut apart = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

/// `1 call`, `84,311 calls`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    let plural = match (number, noun.strip_suffix('y')) {
        (1, _) => noun.to_owned(),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", count(number))
}

#[cfg(test)]
mod tests {
    use tribunal_history::History;

    use super::*;

    #[test]
    fn a_call_reads_as_it_was_made() {
        let told = |invocation: &str, completion: &str| {
            let line =
                |kind, rest: &str| format!(r#"{{"time":1,"process":1,"type":"{kind}",{rest}}}"#);
            let text = format!("{}\n{}", line("invoke", invocation), line("ok", completion));
            let history = History::parse(&text).expect("a well-formed history");
            call(&history.operations().next().expect("one operation"), 40)
        };
        let write = r#""f":"write","key":"x","value":7"#;
        assert_eq!(told(write, write), "write x 7");
        assert_eq!(told(r#""f":"read""#, r#""f":"read","value":"a\u001bb""#), r"read → a\u{1b}b");
        assert_eq!(told(r#""f":"read","key":3"#, r#""f":"read""#), "read 3 → null");
        let cas = r#""f":"cas","value":[1,2]"#;
        assert_eq!(told(cas, cas), "cas [1,2]");
        let found = format!(r#"{cas},"ext":{{"swapped":false,"found":3}}"#);
        assert_eq!(told(cas, &found), "cas [1,2] → not swapped, found 3");
        let asked = r#""f":"txn","value":[["r","x",null]]"#;
        assert_eq!(told(asked, r#""f":"txn","value":[["r","x",1]]"#), r#"txn [["r","x",1]]"#);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(84_311), "84,311");
        assert_eq!(count(999), "999");
        assert_eq!(counted(2, "anomaly"), "2 anomalies");
        assert_eq!(counted(1, "call"), "1 call");
        assert_eq!(duration(1_894_000), "1.89 ms");
        assert_eq!(duration(u64::MAX), "18446744074 s");
        assert_eq!(time(31_204_000_000), "31.204 s");
    }

    #[test]
    fn what_was_measured_has_its_unit() {
        let told = |name: &str, it: Value| fact(name, &it, 40);
        let pair = |name: &str, it: &str| (name.to_owned(), it.to_owned());
        assert_eq!(told("overlap_ns", 2_864_283_939_u64.into()), pair("overlap", "2.86 s"));
        assert_eq!(told("skew_ns", (-1_500_000).into()), pair("skew", "-1.50 ms"));
        assert_eq!(
            told("jump_skew_ns", vec![1_000, 2_000].into()),
            pair("jump skew", "1.00 µs to 2.00 µs")
        );
        assert_eq!(told("start_ns", "never".into()), pair("start ns", "never"));
        assert_eq!(told("lost_writes", 3.into()), pair("lost writes", "3"));
    }

    #[test]
    fn a_message_does_not_name_its_key_again() {
        let told = |key: Value, text: &str| {
            message(&Anomaly { key: Some(key), message: text.to_owned(), ..Anomaly::default() })
        };
        assert_eq!(told("82".into(), "key 82: p8's write"), "p8's write");
        assert_eq!(told("8".into(), "key \"8\": p15 read"), "p15 read");
        assert_eq!(told(8.into(), "key 82: p15 read"), "key 82: p15 read");
    }

    #[test]
    fn text_that_would_reorder_a_sentence_is_shown_as_what_it_is() {
        assert_eq!(clip("a\u{202e}b\u{7}", 9), r"a\u{202e}b\u{7}");
        assert_eq!(clip("abcdef", 3), "abc…");
    }
}
