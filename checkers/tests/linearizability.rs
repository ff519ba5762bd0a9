//! Linearizability on drawn histories and on those in `histories/cas-register`.

mod drawing;

use std::path::{Path, PathBuf};

use serde_json::json;
use tribunal_checkers::{Checker, Linearizable, Validity, Verdict};
use tribunal_history::History;
use tribunal_history::jsonl::{self, Tail};

/// Judges a drawing. Whatever is invalid must name its calls and its window.
#[track_caller]
fn check(drawing: &str, expected: Validity) -> Verdict {
    let history = drawing::draw(drawing);
    let verdict = Linearizable::default().check(&history);
    assert_eq!(verdict.validity, expected, "{drawing}\n{verdict:#?}");
    for anomaly in &verdict.anomalies {
        assert_eq!(anomaly.name, "nonlinearizable");
        assert!(!anomaly.ops.is_empty() && anomaly.window.is_some(), "{anomaly:#?}");
    }
    verdict
}

/// Judges a drawing invalid, and compares the sentence.
#[track_caller]
fn convict(drawing: &str, message: &str) {
    let verdict = check(drawing, Validity::Invalid);
    assert_eq!(verdict.anomalies[0].message, message, "{drawing}");
}

#[test]
fn stale_read() {
    convict(
        "p0: |--w1--|
         p1:           |--w2--|
         p2:                     |--r1--|",
        "p2 read 1 on n3 (0.021–0.028 s), although p1's write of 2 on n2 had been acknowledged at \
         0.018 s, 0.003 s before it began, and 1 came before 2: p0's write of 1 on n1 had been \
         acknowledged at 0.008 s, before p1's write of 2 on n2 began at 0.011 s",
    );
    check(
        "p0: |--w1--|
         p1:           |--w2--|
         p2:                |--r1--|",
        Validity::Valid,
    );
}

#[test]
fn stale_read_of_the_initial_value() {
    convict(
        "p0: |--w1--|
         p1:           |--r_--|",
        "p1 read null on n2 (0.011–0.018 s), although p0's write of 1 on n1 had been acknowledged \
         at 0.008 s, 0.003 s before it began, and null is there from the beginning, before 1",
    );
}
