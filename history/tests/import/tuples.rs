//! Tuples of a key and a value.

use tribunal_history::import::{self, Format};

use crate::{check, read, read_as, refuse, refuse_as, shown};

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
