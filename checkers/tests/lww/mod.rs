//! What the tests of lost writes by hand share: two writes of one key through two nodes, final reads, and
//! a look at what is made of them.

use serde_json::{Value, json};
use tribunal_checkers::{Anomaly, Checker, Lww, Validity, Verdict};

use crate::script::Script;

/// 2026-11-20T12:00:00Z at the run's time 0.
const EPOCH: i64 = 1_795_176_000_000_000_000;

/// A timestamp at a time of the run, by a clock that is off by so much.
pub fn at(ms: i64, off_ms: i64) -> Value {
    json!({"timestamp": EPOCH + (ms + off_ms) * 1_000_000})
}

pub fn check(script: &mut Script) -> Verdict {
    Lww::default().check(&script.history())
}

/// The only anomaly of an invalid verdict.
pub fn only(verdict: &Verdict) -> &Anomaly {
    assert_eq!(verdict.validity, Validity::Invalid, "{verdict:#?}");
    assert_eq!(verdict.anomalies.len(), 1, "{verdict:#?}");
    &verdict.anomalies[0]
}

/// 38 through n1, then 41 through n2, with these extras on their oks.
pub fn two_writes(script: &mut Script, first: Value, second: Value) {
    let call = json!({"p": 3, "f": "write", "key": 3, "arg": 38, "node": "n1", "ext": first});
    script.call((11_800, 11_902), call);
    let call = json!({"p": 7, "f": "write", "key": 3, "arg": 41, "node": "n2", "ext": second});
    script.call((12_213, 12_310), call);
}

/// A final read through each node, which returns this.
pub fn final_reads(script: &mut Script, values: [Value; 3]) {
    for (at, value) in (0..).zip(values) {
        let node = format!("n{}", at + 1);
        let read = json!({"p": 20 + at, "f": "read", "key": 3, "node": node, "final": true, "value": value});
        script.call((30_000 + at, 30_010 + at), read);
    }
}

pub fn all(value: i64) -> [Value; 3] {
    [json!(value), json!(value), json!(value)]
}
