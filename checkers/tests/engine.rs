//! The checker for any model on histories made by hand: what it says, what it
//! counts, what it refuses, and how it draws.
#![allow(refining_impl_trait, reason = "what a step returns is written out")]

mod drawing;
mod script;

use script::Script;
use serde_json::json;
use tribunal_checkers::linearizability::engine::{self, Budget, Outcome};
use tribunal_checkers::linearizability::model::{Decision, Model, Object, Op};
use tribunal_checkers::linearizability::models::{Kv, MultiRegister};
use tribunal_checkers::{Anomaly, Checker, Judge, Validity, Verdict, timeline};
use tribunal_history::{Datum, History, Operation};

/// A register as a user would write it.
#[derive(Default)]
struct Cell;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Call {
    Read(Datum),
    Write(Datum),
    Cas(Datum, Datum),
}

impl Model for Cell {
    type Call = Call;
    type State = Datum;

    fn init(&self) -> Datum {
        Datum::NULL
    }

    fn step(&self, &held: &Datum, call: &Call) -> Option<Datum> {
        match *call {
            Call::Read(value) => (held == value).then_some(held),
            Call::Write(value) => Some(value),
            Call::Cas(old, new) => (held == old).then_some(new),
        }
    }

    fn looks(&self, call: &Call) -> bool {
        matches!(call, Call::Read(_))
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        match operation.f() {
            "read" => Ok(operation.result().map(|value| Call::Read(value.datum()))),
            "write" => Ok(Some(Call::Write(operation.argument().datum()))),
            "cas" => {
                let [old, new] = operation.argument().pair().ok_or("a cas takes two values")?;
                Ok(Some(Call::Cas(old.datum(), new.datum())))
            }
            other => Err(format!("`{other}` is not a call of a cell")),
        }
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        let writes = object.ops.iter().filter(|op| !matches!(op.call, Call::Read(_)));
        (writes.count() == 0 && object.ops.is_empty())
            .then_some(Decision { judge: "nothing", conflict: None })
    }
}

#[track_caller]
fn check(drawing: &str, validity: Validity) -> (Verdict, History) {
    let history = drawing::draw(drawing);
    let verdict = Judge::new(Cell).check(&history);
    assert_eq!(verdict.validity, validity, "{verdict:#?}");
    (verdict, history)
}

#[test]
fn an_order_that_real_time_allows_is_found() {
    check(
        "p0: |--w1--|  |--r2--|
         p1:   |--w2--|        |--r2--|",
        Validity::Valid,
    );
}

#[test]
fn a_stale_read_is_told_and_drawn() {
    let (verdict, history) = check(
        "p0: |--w1--|  |--w2--|
         p1:                     |--r1--|
         p2:                               |--w3--|",
        Validity::Invalid,
    );
    let anomaly = &verdict.anomalies[0];
    assert_eq!(
        anomaly.message,
        "p1's read on n2 returned 1 (0.021–0.028 s), but no order of the calls explains it: 2 calls \
         before it had returned, and in every order they allow, the object held 2, and no other \
         call was open. 3 calls show it by themselves"
    );
    // If the outcome of either write were forgotten, the read could be right: both belong to it.
    assert_eq!(
        timeline(anomaly, &history),
        "begun from 0.001 s to 0.021 s
p0: |--write 1--| |--write 2--|
p1:                             |--read 1--|
"
    );
}

#[test]
fn a_crashed_call_may_happen_at_any_later_time_once_or_never() {
    check(
        "p0: |--w1--?
         p1:           |--w2--|   |--r1--|   |--w3--|  |--r3--|",
        Validity::Valid,
    );
    let (verdict, history) = check(
        "p0: |--w1--?
         p1:           |--w2--|   |--r1--|   |--w3--|  |--r1--|",
        Validity::Invalid,
    );
    // The crashed write is shown, although it explains only one of the reads.
    let drawn = timeline(&verdict.anomalies[0], &history);
    assert!(drawn.contains("|--write 1--?"), "{drawn}");
    assert_eq!(drawn.matches("read 1").count(), 2, "{drawn}");
}

#[test]
fn a_failed_call_never_happened() {
    check("p0: |--w1--x  |--r1--|", Validity::Invalid);
    check("p0: |--w1--x  |--r_--|", Validity::Valid);
}

#[test]
fn objects_are_judged_one_by_one_and_counted() {
    let mut script = Script::new();
    for key in 0..10u64 {
        let at = key * 100;
        script.call((at, at + 10), json!({"p": 0, "f": "write", "arg": 1, "key": key}));
        let found = if key == 7 { 2 } else { 1 };
        let read = json!({"p": 0, "f": "read", "key": key, "value": found});
        script.call((at + 20, at + 30), read);
    }
    let verdict = Judge::new(Cell).check(&script.history());
    assert_eq!(verdict.validity, Validity::Invalid);
    assert_eq!(verdict.anomalies.len(), 1);
    assert_eq!(verdict.anomalies[0].key, Some(json!(7)));
    assert!(
        verdict.anomalies[0].message.starts_with("key 7: p0's read returned 2 (0.720–0.730 s)")
    );
    assert_eq!(verdict.facts["keys"], 10);
    assert_eq!(verdict.facts["calls"], 20);
    assert_eq!(verdict.facts["keys_judged_by_search"], 10);
}

#[test]
fn a_models_own_judge_goes_first() {
    let verdict = Judge::new(Cell).check(&drawing::draw("p0: |--w1--x  |--r1--x"));
    assert_eq!(verdict.facts["keys_judged_by_nothing"], 1);
    assert_eq!(verdict.facts.get("keys_judged_by_search"), None);
}

#[test]
fn calls_that_are_none_are_objected_to() {
    let mut script = Script::new();
    script.call((0, 1), json!({"p": 0, "f": "write", "arg": 1}));
    script.call((2, 3), json!({"p": 0, "f": "pop"}));
    let history = script.history();
    let objection = "event 2: `pop` is not a call of a cell";
    let verdict = Judge::new(Cell).check(&history);
    assert_eq!(verdict.objection.as_deref(), Some(objection));
    assert_eq!((verdict.validity, &*verdict.unknowns[0]), (Validity::Unknown, objection));
}

/// Writes that all overlap, and a read of what nobody wrote after them.
fn crowd(calls: u64) -> History {
    let mut script = Script::new();
    for p in 0..calls {
        script.call((p, 10_000 + p), json!({"p": p, "f": "write", "arg": p}));
    }
    script.call((30_000, 30_001), json!({"p": 0, "f": "read", "value": calls}));
    script.history()
}

#[test]
fn a_search_past_its_budget_says_how_far_it_got() {
    for budget in [
        Budget { steps: 1_000, ..Budget::default() },
        Budget { bytes: 1 << 20, ..Budget::default() },
    ] {
        let verdict = Judge { budget, ..Judge::new(Cell) }.check(&crowd(20));
        assert_eq!(verdict.validity, Validity::Unknown);
        let doubt = &verdict.unknowns[0];
        assert!(doubt.contains("the search ran out of its budget after "), "{doubt}");
        assert!(doubt.contains(" of 21 answered calls, at p"), "{doubt}");
    }
}

#[test]
fn many_live_calls_are_held_and_too_many_are_said() {
    let mut script = Script::new();
    let calls = engine::WIDEST as u64;
    for p in 0..calls {
        script.call((p, 10_000 + p), json!({"p": p, "f": "write", "arg": p}));
    }
    script.call((30_000, 30_001), json!({"p": 0, "f": "read", "value": calls - 1}));
    assert_eq!(Judge::new(Cell).check(&script.history()).validity, Validity::Valid);

    script.call((5_000, 30_005), json!({"p": 9_999, "f": "write", "arg": 0}));
    let verdict = Judge::new(Cell).check(&script.history());
    assert_eq!(verdict.validity, Validity::Unknown);
    let doubt = &verdict.unknowns[0];
    assert!(
        doubt.starts_with("more than 256 calls were open at once when p9999's write"),
        "{doubt}"
    );
}

#[test]
fn many_crashed_calls_do_not_count_as_live() {
    let mut script = Script::new();
    for p in 0..1_000 {
        script.call((p, 10_000), json!({"p": p, "f": "write", "arg": p % 5, "end": "info"}));
    }
    script.call((20_000, 20_001), json!({"p": 0, "f": "read", "value": 3}));
    script.call((20_002, 20_003), json!({"p": 0, "f": "read", "value": 4}));
    assert_eq!(Judge::new(Cell).check(&script.history()).validity, Validity::Valid);
    script.call((20_004, 20_005), json!({"p": 0, "f": "read", "value": 7}));
    assert_eq!(Judge::new(Cell).check(&script.history()).validity, Validity::Invalid);
}

#[test]
fn a_witness_from_the_middle_of_a_long_history_says_what_was_held_before() {
    let mut ops = Vec::new();
    let call = |call, at: u32, number| Op { call, start: 2 * at + 1, end: 2 * at + 2, number };
    let value = |number| Datum::int(number).expect("it is small");
    for at in 0..1_000 {
        ops.push(call(Call::Write(value(i64::from(at))), at, at));
    }
    // Reads that 999 is held, long enough for its write to be out of sight, then 5.
    for at in 1_000..1_100 {
        ops.push(call(Call::Read(value(999)), at, at));
    }
    ops.push(call(Call::Read(value(5)), 1_100, 1_100));
    let Outcome::Stuck(stuck) = engine::search(&Cell, &ops, &Budget::default()) else {
        panic!("there is no 5");
    };
    let witness = stuck.witness.expect("there is budget enough");
    assert_eq!(witness.calls, [1_100]);
    assert_eq!(witness.before, Some(vec![value(999)]));
    assert_eq!((stuck.call, stuck.returned, stuck.held), (1_100, 1_100, vec![value(999)]));
}

#[test]
fn equal_calls_that_overlap_are_told_apart_by_their_ends_alone() {
    // Thirty equal writes at once would be 2^30 ways to go on without the rule of twins.
    let mut ops = Vec::new();
    let one = Datum::int(1).expect("it is small");
    let two = Datum::int(2).expect("it is small");
    for number in 0..30 {
        ops.push(Op { call: Call::Write(one), start: number + 1, end: 100 + number, number });
    }
    ops.push(Op { call: Call::Read(two), start: 98, end: 99, number: 30 });
    let Outcome::Stuck(stuck) = engine::search(&Cell, &ops, &Budget::default()) else {
        panic!("nobody wrote 2");
    };
    assert!(stuck.steps < 1_000, "{} steps", stuck.steps);
}

#[test]
fn states_that_nobody_holds_any_more_are_forgotten() {
    // Each state is as large as the history before it; together they would fill a hundred megabytes.
    struct Log;
    impl Model for Log {
        type Call = u32;
        type State = Vec<u32>;
        fn init(&self) -> Vec<u32> {
            Vec::new()
        }
        fn step(&self, held: &Vec<u32>, &call: &u32) -> Option<Vec<u32>> {
            Some(held.iter().copied().chain([call]).collect())
        }
        fn call(&self, _: &Operation) -> Result<Option<u32>, String> {
            unreachable!("calls are made by hand")
        }
    }
    let mut ops = Vec::new();
    for number in 0..6_000 {
        let end = 2 * number + 2;
        ops.push(Op { call: number, start: 2 * number + 1, end, number });
    }
    let budget = Budget { bytes: 32 << 20, ..Budget::default() };
    let outcome = engine::search(&Log, &ops, &budget);
    assert!(matches!(outcome, Outcome::Linearizable { .. }), "{outcome:?}");
}

#[test]
fn texts_are_set_and_lengthened() {
    let mut script = Script::new();
    script.call((0, 10), json!({"p": 0, "f": "put", "arg": "a", "key": "x"}));
    script.call((20, 40), json!({"p": 0, "f": "append", "arg": "b", "key": "x"}));
    script.call((20, 40), json!({"p": 1, "f": "append", "arg": "c", "key": "x"}));
    script.call((50, 60), json!({"p": 1, "f": "get", "value": "acb", "key": "x"}));
    script.call((50, 60), json!({"p": 2, "f": "get", "value": "", "key": "y"}));
    assert_eq!(Judge::new(Kv::default()).check(&script.history()).validity, Validity::Valid);
    script.call((70, 80), json!({"p": 1, "f": "get", "value": "abc", "key": "x"}));
    let verdict = Judge::new(Kv::default()).check(&script.history());
    assert_eq!(verdict.validity, Validity::Invalid);
    let message = &verdict.anomalies[0].message;
    assert!(message.contains("key \"x\": p1's get returned \"abc\""), "{message}");
    assert!(message.contains("the object held \"acb\", and no other call was open"), "{message}");
    script.call((90, 91), json!({"p": 0, "f": "put", "arg": 3, "key": "x"}));
    let objection = Judge::new(Kv::default()).check(&script.history()).objection;
    let expected = "event 12: the value of a kv must be text, and this one is 3";
    assert_eq!(objection.as_deref(), Some(expected));
}

#[test]
fn registers_are_read_and_written_together() {
    let mut script = Script::new();
    let txn = |p: u64, arg, value| json!({"p": p, "f": "txn", "arg": arg, "value": value});
    let both = json!([["w", "x", 1], ["w", "y", 1]]);
    script.call((0, 20), txn(0, both.clone(), both));
    let (none, old) =
        (json!([["r", "x", null], ["r", "y", null]]), json!([["r", "x", null], ["r", "y", null]]));
    script.call((0, 20), txn(1, none.clone(), old));
    let crashed =
        json!({"p": 2, "f": "txn", "arg": [["r", "x", null], ["w", "y", 2]], "end": "info"});
    script.call((0, 20), crashed);
    script.call((30, 40), txn(1, none.clone(), json!([["r", "x", 1], ["r", "y", 2]])));
    assert_eq!(
        Judge::new(MultiRegister::default()).check(&script.history()).validity,
        Validity::Valid
    );
    script.call((50, 60), txn(1, none, json!([["r", "x", 1], ["r", "y", 1]])));
    let verdict = Judge::new(MultiRegister::default()).check(&script.history());
    assert_eq!(verdict.validity, Validity::Invalid);
    let message = &verdict.anomalies[0].message;
    assert!(message.contains(r#"the object held {"x": 1, "y": 2}"#), "{message}");
    assert_eq!(
        timeline(&verdict.anomalies[0], &script.history()),
        "begun from 0.000 s to 0.050 s
p0: |--txn [[w,x,1],[w,y,1]]--|
p1:                             |--txn [[r,x,1],[r,y,2]]--| |--txn [[r,x,1],[r,y,1]]--|
p2:  |--txn [[r,x,null],[w,y,2]]--?
"
    );
}

#[test]
fn what_is_too_wide_goes_on_below() {
    let mut script = Script::new();
    for at in 0..12u64 {
        script.call((at * 10, at * 10 + 5), json!({"p": at % 2, "f": "write", "arg": at}));
    }
    script.call(
        (0, 500),
        json!({"p": 2, "f": "write", "arg": "a text too long to be shown in full"}),
    );
    script.call((600, 700), json!({"p": 2, "f": "read", "value": 100}));
    let history = script.history();
    let all = Anomaly { ops: (0..28).collect(), ..Anomaly::default() };
    let drawn = timeline(&all, &history);
    assert!(drawn.lines().all(|line| line.chars().count() <= 100), "{drawn}");
    assert_eq!(drawn.matches("\n...\n").count(), 2, "{drawn}");
    assert_eq!(drawn.matches("--write ").count(), 13, "{drawn}");
    assert!(drawn.contains("|--write a text too long to be ..--"), "{drawn}");
}
