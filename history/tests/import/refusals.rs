//! What is torn, what is no event, and what is no history.

use tribunal_history::import::{self};

use crate::{read, refuse};

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
