//! Sets: each anomaly's sentence, each rule for crashed calls.

mod lines;
mod script;

use tribunal_checkers::linearizability::Judge;
use tribunal_checkers::linearizability::model::Model;
use tribunal_checkers::linearizability::set::{GrowOnlySet, Set};
use tribunal_checkers::{Checker, Validity, Verdict};

fn check<M: Model>(model: M, calls: &str) -> Verdict {
    Judge::new(model).check(&lines::read(calls))
}

#[track_caller]
fn acquit<M: Model>(model: M, calls: &str) {
    let verdict = check(model, calls);
    assert_eq!(verdict.validity, Validity::Valid, "{verdict:#?}");
}

#[track_caller]
fn convict<M: Model>(model: M, calls: &str, kind: &str, message: &str) {
    let verdict = check(model, calls);
    assert_eq!(verdict.validity, Validity::Invalid, "{verdict:#?}");
    assert_eq!(verdict.anomalies[0].message, message);
    assert_eq!(verdict.anomalies[0].details["kind"], kind);
}

#[test]
fn a_read_misses_an_element() {
    let calls = "p0 1-2 add 7
         p1 3-4 read = []";
    convict(
        GrowOnlySet,
        calls,
        "missing",
        "p1's read did not find 7 (0.003–0.004 s), although p0's add of 7 had been \
         acknowledged at 0.002 s",
    );
    acquit(GrowOnlySet, &calls.replace("1-2", "1-2?"));
    acquit(GrowOnlySet, &calls.replace("1-2", "1-4"));
    convict(
        Set,
        "p0 1-2? add 7
         p1 3-4 read = [7]
         p1 5-6 read = []",
        "missing",
        "p1's read did not find 7 (0.005–0.006 s), although p1's read had found it by \
         0.004 s",
    );
    convict(
        Set,
        "p0 1-2? add 7
         p1 3-4 contains 7 = true
         p1 5-6 contains 7 = false",
        "missing",
        "p1's contains of 7 was answered false (0.005–0.006 s), although p1's contains of \
         7 had found it by 0.004 s",
    );
}

#[test]
fn a_read_misses_what_was_added_before_what_it_saw() {
    convict(
        GrowOnlySet,
        "p0 1-4 add 7
         p1 5-6 add 8
         p2 2-9 read = [8]",
        "missing",
        "p2's read did not find 7 (0.002–0.009 s), although p0's add of 7 had been \
         acknowledged at 0.004 s, before p1's add of 8, which it did find, began at 0.005 \
         s",
    );
    convict(
        GrowOnlySet,
        "p0 1-4 add 7
         p1 1-9 add 8
         p2 5-6 contains 8 = false
         p3 2-9 read = [8]",
        "missing",
        "p3's read did not find 7 (0.002–0.009 s), although p0's add of 7 had been \
         acknowledged at 0.004 s, and it did find 8, which p2's contains of 8 (begun at \
         0.005 s) had not",
    );
}

#[test]
fn reads_that_do_not_hold_each_other() {
    convict(
        GrowOnlySet,
        "p0 1-9 add 7
         p1 1-9 add 8
         p2 2-8 read = [7]
         p3 3-7 read = [8]",
        "fork",
        "p3's read found 8 (0.003–0.007 s) and not 7, while p2's read found 7 \
         (0.002–0.008 s) and not 8: neither can have come first, for nothing is removed",
    );
}

#[test]
fn elements_from_nowhere() {
    convict(
        GrowOnlySet,
        "p0 1-2 read = [7]",
        "unexpected",
        "p0's read found 7 (0.001–0.002 s), but 7 was never added",
    );
    convict(
        GrowOnlySet,
        "p1 1-2x add 7
         p0 3-4 contains 7 = true",
        "unexpected",
        "p0's contains of 7 was answered true (0.003–0.004 s), but 7 was never added: \
         p1's add of 7 (0.001–0.002 s) had failed",
    );
    convict(
        GrowOnlySet,
        "p0 1-2 read = [7]
         p1 3-4 add 7",
        "from-the-future",
        "p0's read found 7 (0.001–0.002 s) before p1's add of 7 began at 0.003 s",
    );
}

#[test]
fn removed_elements() {
    let calls = "p0 1-2 add 7
         p0 3-4 remove 7
         p1 5-6 contains 7 = true";
    convict(
        Set,
        calls,
        "contradiction",
        "the answers about 7 contradict each other: p0's add of 7 (0.001–0.002 s), p0's \
         remove of 7 (0.003–0.004 s) and p1's contains of 7 was answered true \
         (0.005–0.006 s)",
    );
    acquit(Set, &calls.replace("3-4", "3-4?"));
    acquit(Set, &calls.replace("true", "false"));
    acquit(Set, &calls.replace("1-2", "1-5"));
    acquit(Set, "p0 1-2 remove 7\np0 3-4 add 7\np0 5-6 remove 7\np0 7-8 read = []");
    let verdict = check(Set, "p0 1-2 add 7\np0 3-4 remove 7\np0 5-6 read = [7]");
    assert_eq!(verdict.validity, Validity::Invalid);
}

#[test]
fn calls_of_other_objects() {
    for calls in ["p0 1-2 remove 7", "p0 1-2 add", "p0 1-2 read = 7", "p0 1-2 contains 7 = 3"] {
        assert_eq!(check(GrowOnlySet, calls).validity, Validity::Unknown, "{calls}");
    }
}
