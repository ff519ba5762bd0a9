//! Large files are read in parts, several at once, and must come out as if read line by line.

use std::fmt::Write;

use serde_json::json;
use tribunal_history::jsonl::{self, Tail};
use tribunal_history::{Event, History};

/// Lines of some twelve megabytes, of all kinds of values, with blank ones between.
fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    for call in 0..60_000_u64 {
        let (process, key) = (call % 7, json!(format!("k{}", call % 1_000)));
        let value = match call % 4 {
            0 => json!(call),
            1 => json!([call, {"x": [call % 3, "y"], "s": format!("s{}", call % 50)}]),
            2 => json!(format!("text \" {}", call)),
            _ => json!([call % 5, -1]),
        };
        let f = ["read", "write", "cas"][call as usize % 3];
        let invoke = json!({"index": 2 * call, "time": call, "process": process, "type": "invoke", "f": f, "key": key});
        let mut end = json!({"index": 2 * call + 1, "time": call, "process": process, "type": "ok", "f": f, "value": value});
        if call % 5 == 0 {
            end["ext"] = json!({"timestamp": call << 20, "swapped": false});
            end["node"] = json!(format!("n{}", call % 3));
        }
        if call % 11 == 0 {
            end["type"] = json!("fail");
            end["error"] = json!(["why", call % 2]);
        }
        lines.extend([invoke.to_string(), end.to_string()]);
        if call % 100 == 0 {
            lines.push(String::new());
        }
    }
    lines
}

#[test]
fn a_file_of_several_parts_is_read_as_it_is() {
    let lines = lines();
    let mut text = String::new();
    lines.iter().for_each(|line| writeln!(text, "{line}").unwrap());
    let history = History::parse(&text).unwrap();
    let written = lines.iter().filter(|line| !line.is_empty());
    assert_eq!(history.len(), 120_000);
    for (event, line) in history.events().zip(written) {
        assert_eq!(event.to_event(), serde_json::from_str::<Event>(line).unwrap());
    }
    let pairs = history.operations().zip(0..).filter(|(op, call)| op.start() == 2 * call);
    assert_eq!(pairs.count(), 60_000);
}

#[test]
fn an_error_in_a_later_part_is_told_with_its_line() {
    let mut lines = lines();
    // A completion.
    let at = lines.len() - 9;
    let last = lines[at].clone();
    lines[at] = "{nonsense".into();
    assert_eq!(History::parse(&(lines.join("\n") + "\n")).unwrap_err().line, at + 1);
    lines[at] = last.replace("\"type\":\"", "\"type\":\"in");
    assert_eq!(History::parse(&lines.join("\n")).unwrap_err().line, at + 1);
    // What is wrong with the order of events is found later, and told with its line too.
    lines[at] = last.replace("\"process\":", "\"process\":77");
    assert_eq!(History::parse(&lines.join("\n")).unwrap_err().line, at + 1);
    lines[at] = last.replace("\"index\":1", "\"index\":2");
    assert_eq!(History::parse(&lines.join("\n")).unwrap_err().line, at + 1);
}

#[test]
fn a_torn_tail_in_a_later_part_is_forgiven_in_our_own_files() {
    let lines = lines();
    let text = lines.join("\n");
    let torn = &text[..text.len() - 20];
    assert!(jsonl::read_from(torn.as_bytes(), Tail::Whole).is_err());
    assert_eq!(jsonl::read_from(torn.as_bytes(), Tail::MayBeTorn).unwrap().len(), 119_999);
}
