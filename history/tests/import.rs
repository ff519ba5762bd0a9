//! The formats of other tools: what is read, what it comes to mean, and what is refused.

use serde_json::{Value, json};
use tribunal_history::import::{self, Format, Imported};
use tribunal_history::{Event, EventRef, Kind, Process};

#[track_caller]
fn read_as(text: &str, format: Option<Format>) -> Imported {
    match import::read_from(text.as_bytes(), format) {
        Ok(imported) => imported,
        Err(error) => panic!("{error}\n{text}"),
    }
}

#[track_caller]
fn read(text: &str) -> Imported {
    read_as(text, None)
}

fn events(imported: &Imported) -> Vec<Event> {
    imported.history.events().map(EventRef::to_event).collect()
}

/// Reads, and shows each event as `process kind f key value`, without what is not there.
#[track_caller]
fn check(text: &str, format: Format, expected: &[&str]) -> Imported {
    let imported = read(text);
    assert_eq!(imported.format, format, "{text}");
    assert_eq!(shown(&imported), expected, "{text}");
    imported
}

fn shown(imported: &Imported) -> Vec<String> {
    let show = |event: Event| {
        let key = event.key.map_or(String::new(), |key| format!(" {key}:"));
        let ext =
            if event.ext.is_empty() { String::new() } else { format!(" {}", json!(event.ext)) };
        format!("{} {} {}{key} {}{ext}", event.process, event.kind, event.f, event.value)
    };
    events(imported).into_iter().map(show).collect()
}

/// Reads what must be refused, and compares the whole sentence.
#[track_caller]
fn refuse(text: &str, expected: &str) {
    refuse_as(text, None, expected);
}

#[track_caller]
fn refuse_as(text: &str, format: Option<Format>, expected: &str) {
    match import::read_from(text.as_bytes(), format) {
        Ok(imported) => panic!("{text}\nwas read: {:?}", shown(&imported)),
        Err(error) => assert_eq!(error.to_string(), expected, "{text}"),
    }
}

fn remarks(imported: &Imported) -> Vec<String> {
    imported.remarks.iter().map(ToString::to_string).collect()
}

/// The value of a write that is printed as `edn`.
#[track_caller]
fn value(edn: &str) -> Value {
    let text = format!("{{:process 0, :type :invoke, :f :write, :time 1, :value {edn}}}");
    events(&read_as(&text, Some(Format::EdnPlain))).remove(0).value
}

/// Why a write that is printed as `edn` is refused, without its place.
#[track_caller]
fn bad_value(edn: &str) -> String {
    let text = format!("{{:process 0, :type :invoke, :f :write, :time 1, :value {edn}}}");
    let error = import::read_from(text.as_bytes(), None).expect_err(edn).to_string();
    error.split_once(": ").expect("a place").1.to_owned()
}

#[test]
fn jepsen_lines() {
    let imported = check(
        "{:type :invoke, :f :write, :value 7, :process 3, :time 100, :index 0}
         {:type :info, :f :start, :value nil, :process :nemesis, :time 150, :index 1}
         {:type :ok, :f :write, :value 7, :process 3, :time 200, :index 2, :node \"n2\"}
         {:type :invoke, :f :cas, :value [7 8], :process 4, :time 300, :index 3}
         {:type :fail, :f :cas, :value [7 8], :process 4, :time 400, :index 4, :error :not-found}",
        Format::Edn,
        &[
            "p3 invoke write 7",
            "nemesis info start null",
            "p3 ok write 7",
            "p4 invoke cas [7,8]",
            "p4 fail cas [7,8]",
        ],
    );
    let events = events(&imported);
    let times: Vec<u64> = events.iter().map(|event| event.time).collect();
    assert_eq!(times, [100, 150, 200, 300, 400]);
    assert_eq!(events[2].node.as_deref(), Some("n2"));
    assert_eq!(events[4].error, json!("not-found"));
    assert!(imported.remarks.is_empty(), "{:?}", remarks(&imported));
    assert!(imported.history.faults().is_empty());
}

#[test]
fn one_vector_or_list_with_comments_and_commas() {
    for (open, close) in [("[", "]"), ("(", ")"), ("", ""), ("; first\n\n[", "] ; last\n")] {
        check(
            &format!(
                "{open}{{:process 0 :type :invoke :f :read}} ; {{:process 9}}
                 #_ {{:process 8, :type :ok}} ,,,
                 {{:process 0
                   :type    :ok
                   :f       :read
                   :time    5
                   :value   3}}{close}"
            ),
            Format::Edn,
            &["p0 invoke read null", "p0 ok read 3"],
        );
    }
}

#[test]
fn values_of_every_kind() {
    assert_eq!(value("[:append 1 \"x\"]"), json!(["append", 1, "x"]));
    assert_eq!(value("#{3 1 2 -1 \"b\" :a nil}"), json!([null, -1, 1, 2, 3, "a", "b"]));
    assert_eq!(value("#{18446744073709551615 -3 2.5 9}"), json!([2.5, -3, 9, u64::MAX]));
    assert_eq!(
        value("{0 100, :from 1, \"to\" 2, [1 2] x, :a/b true}"),
        json!({"0": 100, "from": 1, "to": 2, "[1,2]": "x", "a/b": true})
    );
    assert_eq!(value("#:user{:name 1, :other/name 2}"), json!({"user/name": 1, "other/name": 2}));
    assert_eq!(value("#object[java.lang.Foo 0x1f \"x@1f\"]"), json!(["java.lang.Foo", 31, "x@1f"]));
    assert_eq!(value("#inst \"2026-01-01\""), json!("2026-01-01"));
    assert_eq!(value("#jepsen.Op{:a #uuid \"7\"}"), json!({"a": "7"}));
    assert_eq!(
        value("#<Timeout java.util.Map<K,V>: \"}\">"),
        json!("#<Timeout java.util.Map<K,V>: \"}\">")
    );
    assert_eq!(value("^{:line 3} [^:x 1 #^String y]"), json!([1, "y"]));
    assert_eq!(value("#\"a\\d\\\"b\""), json!("a\\d\\\"b"));
    assert_eq!(value("(quote 'x @y #'z #(inc 1))"), json!(["quote", "x", "y", "z", ["inc", 1]]));
    assert_eq!(value("[1 #_2 #_ [3 #_ 4] 5 #_ #_ 6 7]"), json!([1, 5]));
    assert_eq!(
        value("[true false nil truely -x + - +x]"),
        json!([true, false, null, "truely", "-x", "+", "-", "+x"])
    );
}

#[test]
fn characters_and_strings() {
    assert_eq!(
        value(r#"[\a \newline \space \u00e9 \( \; \\ \u \é]"#),
        json!(["a", "\n", " ", "é", "(", ";", "\\", "u", "é"])
    );
    assert_eq!(
        value(r#""a\n\t\"\\\u00e9\ud83d\ude00é""#),
        json!("a\n\t\"\\éé\u{1f600}é".replacen("éé", "é", 1))
    );
    assert_eq!(value("\"two\nlines\""), json!("two\nlines"));
    assert_eq!(value(r#""\ud83d""#), json!("\u{fffd}"));
    assert_eq!(bad_value(r#""\q""#), "`\\q` is not an escape that EDN knows");
    assert_eq!(bad_value(r#""\u00g0""#), "`\\u` is not an escape that EDN knows");
    assert_eq!(bad_value(r"\nosuch"), "`\\nosuch` is not an escape that EDN knows");
}

/// Different numbers stay different values, whatever their size.
#[test]
fn numbers() {
    assert_eq!(
        value("[0 -1 +2 9223372036854775807 18446744073709551615 7N 5M]"),
        json!([0, -1, 2, i64::MAX, u64::MAX, 7, 5])
    );
    assert_eq!(
        value("[18446744073709551616 -9223372036854775809 123456789012345678901N]"),
        json!(["18446744073709551616", "-9223372036854775809", "123456789012345678901"])
    );
    assert_eq!(
        value("[1.5 -2e3 1.50M 0.1234567890123456789M 1e999 ##Inf ##NaN]"),
        json!([1.5, -2000.0, 1.5, "0.1234567890123456789", "1e999", "##Inf", "##NaN"])
    );
    assert_eq!(
        value("[1/3 -22/7 0x1F -0xff 2r101 36rZZ]"),
        json!(["1/3", "-22/7", 31, -255, 5, 1295])
    );
    for bad in ["12abc", "1.2.3", "1/", "0x", "0xg", "99r1", "1-2", "0x+1"] {
        assert_eq!(bad_value(bad), format!("`{bad}` is not a number"));
    }
}

#[test]
fn unbalanced_and_odd_text() {
    assert_eq!(bad_value("[1 2}"), "`}` is not expected here; this bracket closes nothing");
    assert_eq!(bad_value("{:a}"), "the key `a` has no value");
    assert_eq!(bad_value("{:a 1 :a 2}"), "the key `a` occurs twice in this map; delete one");
    assert_eq!(bad_value("{:a 1 \"a\" 2}"), "the key `a` occurs twice in this map; delete one");
    assert_eq!(
        bad_value("[1 2 ...]"),
        "`...` stands where Clojure left elements out; print the history with *print-length* nil"
    );
    assert_eq!(bad_value("#?(:clj 1)"), "`?` is not expected here after a #");
    assert_eq!(bad_value(": x"), "` ` is not expected here after a colon");
    let deep = "[".repeat(10_000);
    assert_eq!(
        bad_value(&deep),
        "more than 100 collections are nested in each other; no history needs that many"
    );
    for prefix in ["#_ ", "'", "^", "#x ", "{:a ", "#{", "#'"] {
        let error = bad_value(&prefix.repeat(1_000_000));
        assert!(error.starts_with("more than 100 collections are nested"), "{prefix}: {error}");
    }
}

#[test]
fn torn_files() {
    let whole = "[{:process 0, :type :invoke, :f :write, :value \"x\"}\n {:process 0, :type :ok, :f :write, :value {:a [1 2]}}]";
    assert_eq!(read(whole).history.len(), 2);
    for end in 1..whole.len() {
        let error = import::read_from(&whole.as_bytes()[..end], None).expect_err(&whole[..end]);
        let error = error.to_string();
        assert!(error.starts_with("line ") && error.contains("it was cut off"), "{end}: {error}");
    }
    refuse(
        "{:process 0, :type :invoke, :f :write, :value 1}\n{:process 0, :type :ok, :value [1",
        "line 2, column 34: the file ends in the middle of a collection, which began at line 2; \
         it was cut off: fetch it again, or delete the torn end",
    );
}

#[test]
fn what_is_no_event() {
    refuse(
        "{:process 0}",
        "line 1, column 1: the event's type is missing; it must be invoke, ok, fail or info",
    );
    refuse(
        "{:type :begin, :process 0}",
        "line 1, column 1: the event's type is \"begin\"; it must be invoke, ok, fail or info",
    );
    refuse(
        "\n  {:type :ok, :process -1, :f :read}",
        "line 2, column 3: the event's process is -1; it must be a whole number from 0, or the name of a process",
    );
    refuse(
        "{:type :ok, :process 1}",
        "line 1, column 1: the event names no function; every event of a client has an f",
    );
    refuse(
        "{:type :ok, :process 1, :f 3}",
        "line 1, column 1: the event's f is 3; it must be a name of at most 100 characters",
    );
    refuse(
        "{:type :ok, :process 1, :f :x, :time \"now\"}",
        "line 1, column 1: the event's time is \"now\"; it must be a whole number from 0",
    );
    refuse(
        "[{:type :invoke, :process 1, :f :x}\n17]",
        "line 2, column 1: 17 is not an event; an event is a map with at least a type, an f and a process",
    );
    refuse(
        "[{:type :invoke, :process 1, :f :x}]\n{}",
        "line 2, column 1: `{` is not expected here; the history ended before it",
    );
    refuse(
        "{:type :invoke, :process 1, :f :x}\n]",
        "line 2, column 1: `]` is not expected here; this bracket closes nothing",
    );
}

#[test]
fn what_is_no_history() {
    refuse(
        "{:type :ok, :process 1, :f :x}",
        "line 1, column 1: this ok of process 1 completes nothing: the process has no open call",
    );
    refuse(
        "{:type :invoke, :process 1, :f :x}\n  {:type :invoke, :process 1, :f :x}",
        "line 2, column 3: process 1 begins a call while its call at index 0 is still open; a process makes one call at a time",
    );
    refuse(
        "{:type :invoke, :process 1, :f :x}\n{:type :ok, :process 1, :f :y}",
        "line 2, column 1: process 1 completes a y, but its open call is a x",
    );
}

#[test]
fn indexes_and_times() {
    let imported = read(
        "{:type :invoke, :process 0, :f :read, :index 5}
         {:type :ok, :process 0, :f :read, :value 1, :index 9}",
    );
    assert_eq!(
        events(&imported).iter().map(|event| (event.index, event.time)).collect::<Vec<_>>(),
        [(0, 0), (1, 1)]
    );
    assert_eq!(
        remarks(&imported),
        ["the events' own indexes are not their positions; verdicts count events from 0"]
    );
    refuse(
        "{:type :invoke, :process 0, :f :read, :index 5}\n{:type :ok, :process 0, :f :read, :index 5}",
        "line 2, column 1: index 5 comes after index 5; sort the events by index",
    );

    let imported = read(
        "{:type :invoke, :process 0, :f :read, :time 2000}
         {:type :invoke, :process 1, :f :read, :time 1500}
         {:type :ok, :process 1, :f :read}
         {:type :ok, :process 0, :f :read, :time -1}",
    );
    assert_eq!(events(&imported).iter().map(|event| event.time).collect::<Vec<_>>(), [2000; 4]);
    assert_eq!(
        remarks(&imported),
        ["times ran backwards (1 events, by 0.000000500 s at most); the order of the file counts"]
    );
    refuse(
        "{:type :invoke, :process 0, :f :read, :time 9000000000}\n{:type :ok, :process 0, :f :read, :time 7500000000}",
        "line 2, column 1: time 7500000000 is 1.500 s earlier than the event before it (9000000000); sort the events by time",
    );
}

/// Jepsen retires a process after an info; other tools go on under the same number.
#[test]
fn a_process_that_goes_on_after_an_info() {
    let imported = check(
        "{:type :invoke, :process 0, :f :write, :value 1, :time 1}
         {:type :info, :process 0, :f :write, :value 1, :time 2}
         {:type :invoke, :process 7, :f :write, :value 2, :time 2}
         {:type :invoke, :process 0, :f :write, :value 3, :time 3}
         {:type :ok, :process 0, :f :write, :value 3, :time 4}
         {:type :invoke, :process 0, :f :write, :value 4, :time 5}
         {:type :info, :process 0, :f :write, :value 4, :time 6}
         {:type :invoke, :process 0, :f :read, :value nil, :time 7}",
        Format::Edn,
        &[
            "p0 invoke write 1",
            "p0 info write 1",
            "p7 invoke write 2",
            "p1 invoke write 3",
            "p1 ok write 3",
            "p1 invoke write 4",
            "p1 info write 4",
            "p2 invoke read null",
        ],
    );
    assert_eq!(
        remarks(&imported),
        ["processes that called on after an info (1) got a new number for what followed"]
    );
}

#[test]
fn events_without_a_process() {
    let imported = check(
        "{:index 0 :type :invoke :value [[:append 1 2] [:r 1 nil]]}
         {:index 1 :type :ok :value [[:append 1 2] [:r 1 [2]]]}",
        Format::Edn,
        &[
            r#"nemesis invoke txn [["append",1,2],["r",1,null]]"#,
            r#"nemesis ok txn [["append",1,2],["r",1,[2]]]"#,
        ],
    );
    assert_eq!(imported.history.operations().count(), 0);
    assert_eq!(
        remarks(&imported),
        ["events that name no process (2) are no client's and were not judged"]
    );
}

#[test]
fn tuples_of_key_and_value() {
    let keyed = "{:type :invoke, :process 0, :f :write, :value [5 1], :time 1}
         {:type :ok, :process 0, :f :write, :value [5 1], :time 2}
         {:type :invoke, :process 0, :f :cas, :value [\"y\" [1 2]], :time 3}
         {:type :info, :process 0, :f :cas, :value [\"y\" [1 2]], :time 4, :error :timeout}
         {:type :invoke, :process 1, :f :read, :value [5 nil], :time 5}
         {:type :ok, :process 1, :f :read, :value [5 1], :time 6}";
    let expected = [
        "p0 invoke write 5: 1",
        "p0 ok write 5: 1",
        "p0 invoke cas \"y\": [1,2]",
        "p0 info cas \"y\": [1,2]",
        "p1 invoke read 5: null",
        "p1 ok read 5: 1",
    ];
    let imported = check(keyed, Format::Edn, &expected);
    assert_eq!(imported.remarks, [import::Remark::Tuples]);
    assert_eq!(shown(&read_as(keyed, Some(Format::EdnKeyed))), expected);
    assert_eq!(shown(&read_as(keyed, Some(Format::EdnPlain)))[0], "p0 invoke write [5,1]");
}

#[test]
fn pairs_that_are_no_tuples() {
    // Compare-and-sets alone: nothing tells [1 2] from a write of 2 to key 1.
    check(
        "{:type :invoke, :process 0, :f :cas, :value [1 2], :time 1}
         {:type :ok, :process 0, :f :cas, :value [1 2], :time 2}",
        Format::Edn,
        &["p0 invoke cas [1,2]", "p0 ok cas [1,2]"],
    );
    // Transactions of two operations each.
    check(
        "{:type :invoke, :process 0, :f :txn, :value [[:append 1 2] [:r 2 nil]], :time 1}
         {:type :ok, :process 0, :f :txn, :value [[:append 1 2] [:r 2 [3]]], :time 2}",
        Format::Edn,
        &[
            r#"p0 invoke txn [["append",1,2],["r",2,null]]"#,
            r#"p0 ok txn [["append",1,2],["r",2,[3]]]"#,
        ],
    );
    // The answers have no keys: the calls' pairs are plain values.
    let imported = read(
        "{:type :invoke, :process 0, :f :add, :value [0 1], :time 1}
         {:type :ok, :process 0, :f :add, :value [0 1], :time 2}
         {:type :invoke, :process 0, :f :read, :value [0 nil], :time 3}
         {:type :ok, :process 0, :f :read, :value [0 1 2], :time 4}",
    );
    assert_eq!(shown(&imported)[0], "p0 invoke add [0,1]");
    assert_eq!(shown(&imported)[3], "p0 ok read [0,1,2]");
}

#[test]
fn tuples_that_contradict_each_other() {
    let mixed = "{:type :invoke, :process 0, :f :read, :value [0 nil], :time 3}
{:type :ok, :process 0, :f :read, :value [0 1], :time 4}
{:type :invoke, :process 0, :f :read, :value [0 nil], :time 5}
{:type :ok, :process 0, :f :read, :value 1, :time 6}";
    refuse(
        mixed,
        "line 4, column 1: this answer is not a [key value] tuple, although all calls are and other answers are; \
                   say which it is: --format edn-keyed or --format edn-plain",
    );
    assert_eq!(shown(&read_as(mixed, Some(Format::EdnKeyed)))[3], "p0 ok read 0: 1");
    assert_eq!(shown(&read_as(mixed, Some(Format::EdnPlain)))[3], "p0 ok read 1");
    refuse_as(
        "{:type :invoke, :process 0, :f :read, :value nil}",
        Some(Format::EdnKeyed),
        "line 1, column 1: the value null of this call is not a [key value] tuple; try --format edn-plain",
    );
}

#[test]
fn knossos_reads_of_nil_say_nothing() {
    let knossos = "[{:process 0, :type :invoke, :f :write, :value 1}
                    {:process 0, :type :ok, :f :write, :value 1}
                    {:process 1, :type :invoke, :f :read, :value nil}
                    {:process 1, :type :ok, :f :read, :value nil}
                    {:process 1, :type :invoke, :f :cas, :value [2 3]}
                    {:process 1, :type :fail, :f :cas, :value [2 3]}]";
    let imported = check(
        knossos,
        Format::Knossos,
        &[
            "p0 invoke write 1",
            "p0 ok write 1",
            "p1 invoke read null",
            "p1 fail read null",
            "p1 invoke cas [2,3]",
            "p1 fail cas [2,3]",
        ],
    );
    assert_eq!(
        remarks(&imported),
        ["reads of nil (1) were taken as unanswered, as Knossos takes them; \
        --format edn takes them as reads of an absent value"]
    );
    assert_eq!(shown(&read_as(knossos, Some(Format::Edn)))[3], "p1 ok read null");

    // Jepsen's own have times: there nil is an answer.
    let jepsen = knossos.replace(":process", ":time 3, :process");
    let imported = read(&jepsen);
    assert_eq!(imported.format, Format::Edn);
    assert_eq!(shown(&imported)[3], "p1 ok read null");
    assert_eq!(shown(&read_as(&jepsen, Some(Format::Knossos)))[3], "p1 fail read null");
}

#[test]
fn elle_json() {
    check(
        r#"[{"type":"invoke","f":"txn","value":[["w","x",2]],"process":0,"index":1,"extra":{"a":[]}},
            {"type":"ok","f":"txn","value":[["w","x",2]],"process":0,"index":2} , {"type":"info","f":"kill","process":"nemesis"}]"#,
        Format::ElleJson,
        &[r#"p0 invoke txn [["w","x",2]]"#, r#"p0 ok txn [["w","x",2]]"#, "nemesis info kill null"],
    );
    let value = |json: &str| {
        let text = format!(r#"[{{"type":"invoke","f":"w","process":0,"value":{json}}}]"#);
        import::read_from(text.as_bytes(), Some(Format::ElleJson))
            .map(|imported| events(&imported).remove(0).value)
            .map_err(|error| error.to_string().split_once(": ").expect("a place").1.to_owned())
    };
    assert_eq!(
        value(r#"[1, -2.5e1, "\u00e9\/\ud83d\ude00", {}, [], {"a": null}, true, false]"#),
        Ok(json!([1, -25.0, "é/\u{1f600}", {}, [], {"a": null}, true, false]))
    );
    // To round a number would make two values one.
    assert_eq!(value("123456789012345678901"), Ok(json!("123456789012345678901")));
    let refused = |json: &str, why: &str| assert_eq!(value(json), Err(why.to_owned()), "{json}");
    refused("[1 2]", "`2` is not expected here; a comma or a closing bracket is");
    refused("{a:1}", "`a` is not expected here; a key in double quotes is");
    refused(r#"{"a" 1}"#, "the key `a` has no value");
    refused(r#"{"a":1,"a":2}"#, "the key `a` occurs twice in this map; delete one");
    refused("nil", "`nil` is not a number");
    refused("[,]", "`,` is not expected here; a value is");
    refused("1N", "`1N` is not a number");
    refused(
        &"[".repeat(5_000),
        "more than 100 collections are nested in each other; no history needs that many",
    );
    // The rules of EDN can be asked for here, too.
    let pair = r#"[{"type":"invoke","f":"write","process":0,"value":[1,2]}]"#;
    assert_eq!(shown(&read(pair)), ["p0 invoke write [1,2]"]);
    assert_eq!(shown(&read_as(pair, Some(Format::EdnKeyed))), ["p0 invoke write 1: 2"]);
    let cut = r#"[{"type":"invoke","f":"w","process":0},"#;
    refuse(
        cut,
        "line 1, column 40: the file ends in the middle of an event, which began at line 1; \
                 it was cut off: fetch it again, or delete the torn end",
    );
    refuse(
        &cut[..cut.len() - 1],
        "line 1, column 39: the file ends in the middle of the history, which began at line 1; \
                 it was cut off: fetch it again, or delete the torn end",
    );
    assert_eq!(read_as(" [ ] ", Some(Format::ElleJson)).history.len(), 0);
}

#[test]
fn etcd_logs() {
    let imported = check(
        "WARN  some.logger - starting\n\
         INFO  jepsen.util - 0\t:invoke\t:read\tnil\n\
         INFO  jepsen.util - 0\t:ok\t:read\tnil\n\
         INFO  jepsen.util - :nemesis\t:info\t:start\tcutting [n1 n2]\n\
         INFO  jepsen.util - 1   :invoke :cas    [1 4]\n\
         INFO  jepsen.util - 1   :fail   :cas    [1 4]\n\
         INFO  jepsen.util - 2\t:invoke\t:write\t3\n\
         INFO  jepsen.util - 2\t:info\t:write\t:timed-out\n\
         INFO  jepsen.util - 0\t:invoke\t:read\tnil\n\
         INFO  jepsen.util - 0\t:fail\t:read\t:timed-out\n\
         INFO  jepsen.util - 0\t:invoke\t:cas\t[3 4]\n\
         INFO  jepsen.util - 0\t:ok\t:cas\t[3 4]\n\
         INFO  jepsen.util - 0\t:invoke\t:cas\t[3 4]\n\
         INFO  jepsen.util - 0\t:fail\t:cas\t:timed-out\n",
        Format::Porcupine,
        &[
            "p0 invoke read null",
            "p0 ok read null",
            "nemesis info start \"cutting [n1 n2]\"",
            "p1 invoke cas [1,4]",
            "p1 ok cas [1,4] {\"swapped\":false}",
            "p2 invoke write 3",
            "p2 info write null",
            "p0 invoke read null",
            "p0 fail read null",
            "p0 invoke cas [3,4]",
            "p0 ok cas [3,4]",
            "p0 invoke cas [3,4]",
            "p0 info cas null",
        ],
    );
    assert_eq!(remarks(&imported), ["lines that are no events (1) were passed over"]);
    assert_eq!(events(&imported)[6].error, json!("timed-out"));
    let line = "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n";
    for bad in [
        "1 :invoke :read",
        "1 :begin :read nil",
        "x :invoke :read nil",
        "1 :invoke read nil",
        "1 :ok",
        "1 :invoke :cas [1",
    ] {
        refuse(
            &format!("{line}INFO  jepsen.util - {bad}\n"),
            "line 2, column 1: this line begins like an event but is none; it reads `process :type :f value`",
        );
    }
    refuse(
        &format!("{line}INFO  jepsen.util - 0\t:ok"),
        "line 2, column 1: the file ends in the middle of this line, which began at line 2; \
         it was cut off: fetch it again, or delete the torn end",
    );
}

#[test]
fn key_value_files() {
    let text = "{:process 0, :type :invoke, :f :append, :key \"4\", :value \"x 0 1 y\"}
                {:process 0, :type :ok, :f :append, :key \"4\", :value \"x 0 1 y\"}
                {:process 0, :type :invoke, :f :get, :key \"5\", :value nil}
                {:process 0, :type :ok, :f :get, :key \"5\", :value \"\"}";
    check(
        text,
        Format::KeyValue,
        &[
            "p0 invoke append \"4\": \"x 0 1 y\"",
            "p0 ok append \"4\": \"x 0 1 y\"",
            "p0 invoke get \"5\": null",
            "p0 ok get \"5\": \"\"",
        ],
    );
    assert_eq!(read(&text.replace(":key", ":other")).format, Format::Edn);
    let other = text.replace(":get", ":read");
    assert_eq!(read(&other).format, Format::Edn);
    refuse_as(
        &other,
        Some(Format::KeyValue),
        "line 3, column 17: `read` is not a call of a key-value file; its calls are get, put and append, each with a key",
    );
}

#[test]
fn formats_are_told_from_the_content() {
    let told = |text: &str| import::detect(text.as_bytes());
    assert_eq!(told("{\"index\":0}"), Ok(Format::Jsonl));
    assert_eq!(told(" [ \n{ \"type\""), Ok(Format::ElleJson));
    assert_eq!(told("; a comment [ { \"\n ( {:a"), Ok(Format::Edn));
    assert_eq!(told("#jepsen.history.Op{:index 0"), Ok(Format::Edn));
    assert_eq!(told("2020 started\nINFO  jepsen.util - 0 :invoke"), Ok(Format::Porcupine));
    assert_eq!(told("r(1,2,3,4)"), Ok(Format::Plume));
    assert_eq!(told(" \n"), Ok(Format::Jsonl));
    assert_eq!(told("\x1f"), Err(import::Unrecognized::Unknown));
    assert_eq!(import::detect(&tribunal_history::arrow::MAGIC), Ok(Format::Store));
    assert_eq!(import::detect(&[0x1f, 0x8b, 8]), Err(import::Unrecognized::Gzip));
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
    assert!("edm".parse::<Format>().unwrap_err().contains("jsonl, store, edn, edn-keyed"));
}

#[test]
fn a_byte_order_mark_and_crlf_are_no_text() {
    let edn = "\u{feff}[{:process 0, :type :invoke, :f :read}\r\n{:process 0, :type :ok, :f :read, :value 1}]\r\n";
    assert_eq!(read(edn).history.len(), 2);
    let jsonl = "\u{feff}{\"time\":1,\"process\":0,\"type\":\"invoke\",\"f\":\"read\"}\r\n";
    assert_eq!(read(jsonl).format, Format::Jsonl);
}

#[test]
fn a_compressed_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history");
    let edn = "{:process 0, :type :invoke, :f :read, :time 4}";
    std::fs::write(&path, zstd::encode_all(edn.as_bytes(), 0).expect("zstd")).expect("a file");
    let imported = import::read(&path, None).expect("a history");
    assert_eq!(events(&imported)[0].process, Process::Client(0));
    assert_eq!(events(&imported)[0].kind, Kind::Invoke);
    let missing = import::read(&folder.path().join("none"), None).expect_err("no file");
    assert_eq!(missing.to_string(), "cannot read it: No such file or directory (os error 2)");
}

/// The first block of code under each heading of the page for users is read as that format.
#[test]
fn the_examples_of_the_page() {
    let page = include_str!("../../docs/formats.md");
    let example = |heading: &str| {
        let section = page.split(&format!("# {heading}\n")).nth(1).expect(heading);
        let block = section.split("```").nth(1).expect("a block of code");
        block.split_once('\n').expect("its language").1.to_owned()
    };
    for format in Format::ALL {
        let shown = !matches!(format, Format::Store | Format::EdnKeyed | Format::EdnPlain);
        if shown {
            let imported = read(&example(format.name()));
            assert_eq!(imported.format, format);
            assert!(imported.history.len() >= 2);
        }
        assert!(page.contains(&format!("| `{format}` |")), "{format} is not in the table");
    }
    let tuples = read(&example("Tuples of key and value"));
    assert_eq!(tuples.remarks, [import::Remark::Tuples]);
    let remark = format!("history.edn: read as edn: {}", import::Remark::Tuples);
    assert!(page.contains(&remark), "{remark}");
}
