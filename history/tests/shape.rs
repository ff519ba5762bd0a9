//! Every history that is read is well formed; what is not is refused, with its
//! line and a sentence.

use tribunal_history::jsonl::{self, ReadError, Tail};
use tribunal_history::{History, Kind, Process, Reason};

const INVOKE: &str = r#"{"index":0,"time":1,"process":0,"type":"invoke","f":"write","value":7}"#;
const OK: &str =
    r#"{"index":1,"time":2,"process":0,"type":"ok","f":"write","value":7,"node":"n2"}"#;

/// Reads lines; on an error, its line and its sentence.
fn read(lines: &[&str]) -> Result<History, (usize, String)> {
    History::parse(&lines.join("\n")).map_err(|error| (error.line, error.reason.to_string()))
}

#[track_caller]
fn refused(lines: &[&str], line: usize, sentence: &str) {
    match read(lines) {
        Ok(_) => panic!("it was read: {lines:?}"),
        Err((at, text)) => {
            assert_eq!(at, line, "{text}");
            assert!(text.contains(sentence), "{text:?} does not say {sentence:?}");
        }
    }
}

#[test]
fn invocations_are_paired_with_their_completions() {
    let nemesis = r#"{"index":2,"time":3,"process":"nemesis","type":"info","f":"pause"}"#;
    let open = r#"{"index":3,"time":3,"process":0,"type":"invoke","f":"read"}"#;
    let history = read(&[INVOKE, OK, nemesis, open]).unwrap();
    let operations: Vec<_> = history.operations().collect();
    let [write, read] = &operations[..] else { panic!("{} operations", operations.len()) };
    assert_eq!((write.start(), write.end(), write.node()), (0, Some(1), Some("n2")));
    assert_eq!((read.kind(), read.end()), (Kind::Info, None), "an open call is an info at the end");
    assert_eq!(history.event(2).process(), Process::Nemesis);
}

#[test]
fn indexes_may_be_left_out_and_blank_lines_are_allowed() {
    let history = read(&[
        "",
        r#"{"time":1,"process":4,"type":"invoke","f":"read"}"#,
        "   ",
        r#"{"time":2,"process":4,"type":"fail","f":"read","error":["timeout",1]}"#,
    ]);
    assert_eq!(history.unwrap().event(1).index(), 1);
}

#[test]
fn what_is_no_history_is_refused_where_it_stands() {
    let gap = OK.replace("\"index\":1", "\"index\":5");
    refused(&[INVOKE, &gap], 2, "index is 5 where 1 was due");
    refused(&["", INVOKE, "", &gap], 4, "index is 5 where 1 was due");
    let early = OK.replace("\"time\":2", "\"time\":0");
    refused(&[INVOKE, &early], 2, "time 0 is earlier than the event before it (1)");
    refused(&[&OK.replace("\"index\":1", "\"index\":0")], 1, "completes nothing");
    let again = INVOKE.replace("\"index\":0", "\"index\":1");
    refused(&[INVOKE, &again], 2, "while its call at index 0 is still open");
    refused(
        &[INVOKE, &OK.replace("write", "read")],
        2,
        "completes a read, but its open call is a write",
    );
    let other_key = OK.replace("\"f\"", "\"key\":3,\"f\"");
    refused(&[INVOKE, &other_key], 2, "another key");
    refused(&[INVOKE, "nonsense\n"], 2, "not a history event");
    refused(&["[1,2]\n"], 1, "not a history event");
    refused(&[&INVOKE.replace("invoke", "begin")], 1, "begin");
    refused(&[&INVOKE.replace("\"process\":0", "\"process\":-1")], 1, "a process number or");
    refused(&[&INVOKE.replace("\"process\":0", "\"process\":\"p\"")], 1, "a process number or");
    refused(&[INVOKE, &OK[..20]], 2, "cut off");
    refused(&[&INVOKE.replace("\"value\":7", "\"value\":1e400")], 1, "number");
    let large = INVOKE.replace("\"value\":7", "\"value\":36893488147419103233");
    refused(&[&large], 1, "too large to be kept exactly; write it as text");
    let deep = INVOKE.replace("\"value\":7", &format!("\"value\":{}", "[".repeat(100_000)));
    refused(&[&deep, OK], 1, "recursion limit");
    let raw = INVOKE.replace("invoke", "in\\nvoke");
    assert!(!read(&[&raw]).unwrap_err().1.contains('\n'), "a sentence of two lines");
}

#[test]
fn only_our_own_torn_tail_is_forgiven() {
    let torn = format!("{INVOKE}\n{}", &OK[..30]);
    let whole = jsonl::read_from(torn.as_bytes(), Tail::Whole).unwrap_err();
    assert!(
        matches!(&whole, ReadError::Malformed(error) if error.reason == Reason::CutOff),
        "{whole}"
    );
    assert_eq!(jsonl::read_from(torn.as_bytes(), Tail::MayBeTorn).unwrap().len(), 1);
    let middle = format!("{}\n{OK}", &INVOKE[..30]);
    assert!(
        jsonl::read_from(middle.as_bytes(), Tail::MayBeTorn).is_err(),
        "a torn middle was forgiven"
    );
}

#[test]
fn what_is_written_is_read_back() {
    let history = read(&[INVOKE, OK]).unwrap();
    let mut text = Vec::new();
    for event in history.events() {
        jsonl::write(&mut text, &event.to_event()).unwrap();
    }
    assert_eq!(String::from_utf8(text).unwrap(), format!("{INVOKE}\n{OK}\n"));
}

#[test]
fn a_compressed_file_is_known_by_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history");
    let text = format!("{INVOKE}\n{OK}\n");
    std::fs::write(&path, zstd::encode_all(text.as_bytes(), 3).unwrap()).unwrap();
    assert_eq!(jsonl::read(&path, Tail::Whole).unwrap().len(), 2);
    let cut = zstd::encode_all(text.as_bytes(), 3).unwrap();
    std::fs::write(&path, &cut[..cut.len() - 6]).unwrap();
    assert!(jsonl::read(&path, Tail::Whole).is_err(), "a cut-off archive was read");
}
