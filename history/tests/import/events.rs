//! Events as Jepsen writes them: lines and collections, indexes, times and processes.

use serde_json::json;
use tribunal_history::import::Format;

use crate::{check, events, read, refuse, remarks};

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
