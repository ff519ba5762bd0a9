//! Hostile files: whatever the bytes, reading ends with a history or with one sentence.
//!
//! Random bytes, random words of each notation, files with bytes changed, torn and repeated, and
//! histories that are printed and read back. `PROPTEST_CASES=100000` for a long run.

use std::io::{self, Read};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use tribunal_history::import::{self, Format, ImportError};
use tribunal_history::{Event, EventRef, History};

const JEPSEN: &str = r#"[{:type :invoke, :f :write, :value [5 1], :process 0, :time 11, :index 0}
 {:type :ok, :f :write, :value [5 1], :process 0, :time 22, :index 1} ; comment
 #_ (dropped) {:type :info, :f :start, :value #{"n1" :n2 1.5 2/3 7N \a}, :process :nemesis, :time 23}
 #op{:type :invoke, :f :cas, :value ["k" [1 2]], :process 1, :time 24}
 {:type :info, :f :cas, :value ["k" [1 2]], :process 1, :time 25, :error #<E "x">, :ext {:a ^:m nil}}
 {:type :invoke, :f :read, :value [5 nil], :process 1, :time 26}
 {:type :ok, :f :read, :value [5 1], :process 1, :time 27, :re #"\d"}]
"#;
const TRANSACTIONS: &str = r#"{:type :invoke, :f :txn, :value [[:append "k" 2] [:r -7 nil]], :process 0, :time 1}
{:type :ok, :f :txn, :value [[:append "k" 2] [:r -7 [1 2]]], :process 0, :time 2}
{:type :invoke, :f :txn, :value [[:w :x 9223372036854775808N] [:r :x nil]], :process 1, :time 3}
{:type :info, :f :txn, :value [[:w :x 9223372036854775808N] [:r :x nil]], :process 1, :time 4, :error [:timeout]}
"#;
const KNOSSOS: &str = "({:process 0, :type :invoke, :f :read, :value nil}\n{:process 0, :type :ok, :f :read, :value nil})";
const KEY_VALUE: &str = "{:process 0, :type :invoke, :f :get, :key \"5\", :value nil}\n{:process 0, :type :ok, :f :get, :key \"5\", :value \"\"}\n";
const ELLE: &str = r#"[{"type":"invoke","f":"txn","value":[["w","x",2]],"process":0,"index":1},
{"type":"ok","f":"txn","value":[["w","x",-2.5e3,"\u00e9\n"]],"process":0,"index":2,"ext":{"a":null}}]"#;
const ETCD: &str = "INFO  jepsen.util - 0\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 0\t:fail\t:cas\t[1 2]\nINFO  jepsen.util - 0\t:invoke\t:read\tnil\nINFO  jepsen.util - 0\t:fail\t:read\t:timed-out\n";
const JSONL: &str = "{\"index\":0,\"time\":1,\"process\":3,\"type\":\"invoke\",\"f\":\"write\",\"key\":\"x\",\"value\":7}\n{\"time\":2,\"process\":3,\"type\":\"ok\",\"f\":\"write\",\"value\":7,\"ext\":{\"a\":[1]}}\n";
const PLUME: &str = "w(1,5,0,0)\nr(2,0,0,0)\nr(1,5,3,7)\nw(1,6,0,1)\nw(9,9,0,-1)\nr(2,0,3,7)\n";
const AWDIT: &str = "w 0 0\n-----\nr 0 0\nw 1 3\n=====\nr 1 3\n";
const DBCOP: &str = r#"{"params":{"id":1},"data":[[{"events":[{"Write":{"variable":1,"version":2}},["r",1,2]],"committed":true},{"events":[["w",1,4]],"committed":false}]],"end":5}"#;
const SAMPLES: [&str; 10] =
    [JEPSEN, TRANSACTIONS, KNOSSOS, KEY_VALUE, ELLE, ETCD, JSONL, PLUME, AWDIT, DBCOP];

const WORDS: [&str; 70] = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "#{",
    "\"",
    "\\",
    ";",
    "#_",
    "#",
    "^",
    "'",
    "@",
    ":",
    ",",
    "\n",
    " ",
    "nil",
    "true",
    "1",
    "-7",
    "1.5e9",
    "1/2",
    "9N",
    "0x1f",
    "##NaN",
    "#\"",
    "#<",
    ">",
    "#:a",
    "#tag",
    ":type",
    ":invoke",
    ":ok",
    ":info",
    ":f",
    ":process",
    ":value",
    ":time",
    ":read",
    "\"type\":",
    "\"process\":",
    "\"f\":",
    "\"ok\"",
    "null",
    "\\u00",
    "\\newline",
    "é",
    "{:type :ok :process 1 :f :x}",
    "{:type :invoke :process 1 :f :x}",
    "INFO  jepsen.util - ",
    "\t:invoke",
    "\t:cas",
    "[1 2]",
    "...",
    "99999999999999999999",
    "-1",
    "[:a nil]",
    "[[:r 1 nil]]",
    "[:append 1 2]",
    "[:w -1 99999999999999999999N]",
    "\u{feff}",
    "r(1,5,3,7)\n",
    "w(1,5,3,-1)\n",
    "\nr 1 5\n",
    "-----",
    "=====\n",
    "{\"Read\":{\"variable\":1,\"version\":null}}",
];

/// Reads in every format. Each must end, and an error must be one printable sentence with a place.
fn survive(bytes: &[u8]) {
    for format in Format::ALL.map(Some).into_iter().chain([None]) {
        match import::read_from(bytes, format) {
            Ok(imported) => well_formed(&imported.history),
            Err(error) => {
                let sentence = error.to_string();
                assert!(!sentence.is_empty() && sentence.len() < 1_000, "{sentence}");
                // What is no line of ours is told in serde_json's words, which quote the file.
                let quotes = matches!(error, ImportError::Ours(_));
                assert!(quotes || !sentence.contains('\n'), "{sentence:?}");
            }
        }
    }
}

/// What every history promises.
fn well_formed(history: &History) {
    let mut last = 0;
    for (position, event) in history.events().enumerate() {
        assert_eq!(event.index(), position as u64);
        assert!(event.time() >= last);
        last = event.time();
    }
    for operation in history.operations() {
        assert!(operation.end().is_none_or(|end| end > operation.start()));
    }
}

/// A change to a file: at a place, so many bytes become others.
type Change = (prop::sample::Index, usize, Vec<u8>);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let word = prop::sample::select(&WORDS[..]).prop_map(|word| word.as_bytes().to_vec());
    let bytes = prop_oneof![Just(Vec::new()), vec(any::<u8>(), 1..3), word];
    vec((any::<prop::sample::Index>(), 0_usize..6, bytes), 1..4)
}

fn change(file: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = file.as_bytes().to_vec();
    for (place, count, new) in changes {
        if bytes.is_empty() {
            break;
        }
        let from = place.index(bytes.len());
        let to = (from + count).min(bytes.len());
        bytes.splice(from..to, new.iter().copied());
    }
    bytes
}

/// A value and one of the ways in which Clojure may print it.
fn printed() -> impl Strategy<Value = (Value, String)> {
    let leaf = prop_oneof![
        Just((Value::Null, "nil".to_owned())),
        any::<bool>().prop_map(|truth| (json!(truth), truth.to_string())),
        any::<i64>().prop_map(|number| (json!(number), number.to_string())),
        any::<u64>().prop_map(|number| (json!(number), format!("{number}N"))),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| (json!(number), format!("{number:e}"))),
        any::<String>().prop_map(|text| (json!(text), quoted(&text))),
        "[a-z][a-z0-9+?!-]{0,6}"
            .prop_filter("no literal", |word| {
                !matches!(word.as_str(), "nil" | "true" | "false")
            })
            .prop_flat_map(|word| {
                let (text, keyword) = (word.clone(), format!(":{word}"));
                prop_oneof![Just((json!(text), word)), Just((json!(text), keyword))]
            }),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            (vec(inner.clone(), 0..5), 0..4_usize).prop_map(|(elements, way)| {
                let (values, texts): (Vec<_>, Vec<_>) = elements.into_iter().unzip();
                let text = texts.join([" ", ", ", " #_ 1 ", " ; x\n"][way]);
                let (open, close) = if way % 2 == 0 { ("[", "]") } else { ("(", "\n)") };
                (Value::Array(values), format!("{open}{text}{close}"))
            }),
            btree_map("[a-z]{1,3}", inner.clone(), 0..4).prop_map(|entries| {
                let text: Vec<_> =
                    entries.iter().map(|(key, (_, text))| format!(":{key} {text}")).collect();
                let map = entries.into_iter().map(|(key, (value, _))| (key, value)).collect();
                (Value::Object(map), format!("{{{}}}", text.join(", ")))
            }),
            inner.prop_map(|(value, text)| (value, format!("#a.b/tag ^{{:line 1}} {text}"))),
        ]
    })
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Hands out a file in small pieces.
struct Drip<'t>(&'t [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(to.len()).min(self.1);
        to[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

#[test]
fn the_samples_are_histories() {
    for sample in SAMPLES {
        let imported = import::read_from(sample.as_bytes(), None);
        assert!(
            imported.as_ref().is_ok_and(|read| read.history.len() > 1),
            "{sample}\n{imported:?}"
        );
    }
}

proptest! {
    // A failure prints the bytes themselves; no file of seeds is needed beside it.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..200)) {
        survive(&bytes);
    }

    #[test]
    fn random_words(words in vec(prop::sample::select(&WORDS[..]), 0..40), spaced: bool) {
        survive(words.join(if spaced { " " } else { "" }).as_bytes());
    }

    #[test]
    fn changed_files(sample in prop::sample::select(&SAMPLES[..]), changes in changes()) {
        survive(&change(sample, &changes));
    }

    #[test]
    fn torn_files(sample in prop::sample::select(&SAMPLES[..]), end: prop::sample::Index) {
        survive(&sample.as_bytes()[..end.index(sample.len())]);
    }

    #[test]
    fn pieces_do_not_show(
        sample in prop::sample::select(&SAMPLES[..]), changes in changes(), size in 1_usize..9,
    ) {
        let bytes = change(sample, &changes);
        let whole = import::read_from(&bytes[..], None);
        let pieces = import::read_from(Drip(&bytes, size), None);
        let shown = |read: Result<import::Imported, _>| match read {
            Ok(imported) => {
                let events: Vec<Event> =
                    imported.history.events().map(EventRef::to_event).collect();
                format!("{:?} {events:?}", imported.format)
            }
            Err(error) => format!("{error}"),
        };
        prop_assert_eq!(shown(whole), shown(pieces));
    }

    #[test]
    fn printed_values_are_read_back((value, text) in printed()) {
        let event = format!("{{:process 0, :type :invoke, :f :write, :value {text}, :time 1}}");
        let imported = import::read_from(event.as_bytes(), Some(Format::EdnPlain));
        let events = imported.map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
        prop_assert_eq!(&events.history.event(0).value().to_value(), &value, "{}", text);
    }

    /// JSON is read as serde_json reads it.
    #[test]
    fn json_values_are_read_back((value, _) in printed()) {
        let event = json!([{"process": 0, "type": "invoke", "f": "write", "value": {"plain": value}}]);
        for text in [event.to_string(), format!("{event:#}")] {
            let imported = import::read_from(text.as_bytes(), Some(Format::ElleJson));
            let events = imported.map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
            prop_assert_eq!(&events.history.event(0).value().to_value()["plain"], &value, "{}", text);
        }
    }
}

#[test]
fn an_event_without_end() {
    let endless = |part: &'static str| {
        io::Cursor::new("{:process 0, :type :invoke, :f :write, :value [")
            .chain(Repeat(part.as_bytes(), 0))
    };
    for part in ["x", "[] ", "\n"] {
        let error =
            import::read_from(endless(part), Some(Format::Edn)).expect_err(part).to_string();
        let known = error.contains("longer than 32 MiB") || error.contains("nested");
        assert!(known, "{part:?}: {error}");
    }
    let error = import::read_from(endless("\"x "), Some(Format::Edn)).expect_err("a string");
    assert!(error.to_string().contains("longer than 32 MiB"), "{error}");
    let start = io::Cursor::new("INFO  jepsen.util - 0 :invoke :write ");
    let error = import::read_from(start.chain(Repeat(b"x", 0)), Some(Format::Porcupine));
    assert!(error.expect_err("a line").to_string().contains("longer than 32 MiB"));
    let start = io::Cursor::new("[{\"a\":");
    let error = import::read_from(start.chain(Repeat(b"[],", 0)), Some(Format::ElleJson));
    let error = error.expect_err("an array").to_string();
    assert!(error.contains("key in double quotes"), "{error}");
    let start = io::Cursor::new("[{\"a\":[");
    let error = import::read_from(start.chain(Repeat(b"[],", 0)), Some(Format::ElleJson));
    assert!(error.expect_err("an array").to_string().contains("longer than 32 MiB"));
}

/// The same bytes for ever.
struct Repeat(&'static [u8], usize);

impl Read for Repeat {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        for byte in &mut *to {
            *byte = self.0[self.1];
            self.1 = (self.1 + 1) % self.0.len();
        }
        Ok(to.len())
    }
}

/// The lines of our own format: what serde's derived reading would take and we must not.
#[test]
fn hostile_json_lines() {
    let refused = |line: &str, why: &str| {
        let error = History::parse(&format!("{line}\n")).expect_err(line).to_string();
        assert!(error.starts_with("line 1: ") && error.contains(why), "{error}");
    };
    refused(r#"[0,1,3,"invoke","write"]"#, "expected an event");
    let value = |value: &str| {
        format!(r#"{{"time":1,"process":0,"type":"invoke","f":"write","value":{value}}}"#)
    };
    refused(&value(&"[".repeat(100_000)), "recursion limit");
    refused(&value(&"{\"a\":".repeat(100_000)), "recursion limit");
    refused(&value("1e999"), "out of range");
    refused(&value("1").replace("\"time\":1", "\"time\":123456789012345678901"), "expected u64");
    refused(&value("1").replace(":0", ":-1"), "expected a process number");
}
