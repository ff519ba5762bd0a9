//! Histories as EDN: as Jepsen writes them, and read back as they were.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tribunal_history::import::{self, Format};
use tribunal_history::{Event, EventRef, History, edn};

fn written(history: &History) -> String {
    let mut file = Vec::new();
    edn::write(history, &mut file).expect("memory");
    String::from_utf8(file).expect("text")
}

fn events(history: &History) -> Vec<Event> {
    history.events().map(EventRef::to_event).collect()
}

#[test]
fn as_elle_expects_it() {
    let history = History::parse(
        r#"{"time":5,"process":0,"type":"invoke","f":"txn","value":[["append","x",1],["r",2,null]]}
        {"time":6,"process":1,"type":"invoke","f":"cas","key":7,"value":[1,2]}
        {"time":7,"process":0,"type":"ok","f":"txn","value":[["append","x",1],["r",2,[3,4]]]}
        {"time":8,"process":1,"type":"ok","f":"cas","value":[1,2],"ext":{"swapped":false},"node":"n1"}
        {"time":8,"process":"nemesis","type":"info","f":"pause","value":{"id":1}}
        {"time":9,"process":0,"type":"invoke","f":"txn","value":[["w",1,2]]}
        {"time":9,"process":1,"type":"invoke","f":"txn","value":[["w",1,3]]}
        {"time":10,"process":1,"type":"info","f":"txn","error":"time\nout"}"#,
    )
    .expect("a history");
    let expected = r#"{:index 0, :time 5, :type :invoke, :process 0, :f :txn, :value [[:append "x" 1] [:r 2 nil]]}
{:index 1, :time 6, :type :invoke, :process 1, :f :cas, :key 7, :value [1 2]}
{:index 2, :time 7, :type :ok, :process 0, :f :txn, :value [[:append "x" 1] [:r 2 [3 4]]]}
{:index 3, :time 8, :type :fail, :process 1, :f :cas, :value [1 2], :node "n1", :ext {"swapped" false}}
{:index 4, :time 8, :type :info, :process :nemesis, :f :pause, :value {"id" 1}}
{:index 5, :time 9, :type :invoke, :process 0, :f :txn, :value [[:w 1 2]]}
{:index 6, :time 9, :type :invoke, :process 1, :f :txn, :value [[:w 1 3]]}
{:index 7, :time 10, :type :info, :process 1, :f :txn, :value [[:w 1 3]], :error "time\nout"}
{:index 8, :time 10, :type :info, :process 0, :f :txn, :value [[:w 1 2]], :error :never-ended}
"#;
    assert_eq!(written(&history), expected);
    let again = import::read_from(expected.as_bytes(), None).expect("a history");
    assert_eq!(again.format, Format::Edn);
    assert_eq!(events(&again.history)[..3], events(&history)[..3]);
}

#[test]
fn a_history_without_real_time_is_not_written() {
    let history = import::read_from(&b"w(1,5,0,0)\n"[..], None).expect("a history").history;
    let error = edn::write(&history, &mut Vec::new()).expect_err("no real time");
    assert!(error.to_string().contains("export it as arrow"), "{error}");
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |it| it.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(
        argument in any_value(), answer in any_value(), key in any_value(), error in any::<String>(),
        f in "[a-z][a-z0-9 -]{0,5}", found in vec((any::<bool>(), 0_u64..9, any_value()), 1..4),
    ) {
        let steps: Value = found.iter().map(|(append, key, value)| {
            json!([if *append { "append" } else { "r" }, key, value])
        }).collect();
        // A key of null is none.
        let key = json!([key]);
        let all = json!([
            {"time": 1, "process": 0, "type": "invoke", "f": f, "key": key, "value": {"plain": argument}},
            {"time": 2, "process": 0, "type": "ok", "f": f, "key": key, "value": answer, "ext": {"a": argument}},
            {"time": 3, "process": 0, "type": "invoke", "f": "txn", "value": steps},
            {"time": 4, "process": 0, "type": "fail", "f": "txn", "value": steps, "error": error, "node": "n 1"},
        ]);
        let all: Vec<Event> = serde_json::from_value(all).expect("events");
        let history = History::new(all).expect("a history");
        let text = written(&history);
        let again = import::read_from(text.as_bytes(), Some(Format::EdnPlain));
        let again = again.map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
        prop_assert_eq!(events(&again.history), events(&history), "{}", text);
    }
}
