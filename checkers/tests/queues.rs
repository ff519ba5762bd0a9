//! Queues, stacks and priority queues: each anomaly's sentence, each rule for crashed calls.

mod lines;
mod script;

use tribunal_checkers::linearizability::Judge;
use tribunal_checkers::linearizability::model::Model;
use tribunal_checkers::linearizability::priority::PriorityQueue;
use tribunal_checkers::linearizability::queue::{FifoQueue, UnorderedQueue};
use tribunal_checkers::linearizability::stack::Stack;
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
fn a_value_taken_twice() {
    convict(
        UnorderedQueue,
        "p0 1-2 enqueue 7
         p1 3-5 dequeue = 7
         p2 4-9 dequeue = 7",
        "duplicate",
        "p2's dequeue returned 7 (0.004–0.009 s), but p1's dequeue had returned 7 as \
         well, by 0.005 s; it was put in once, by p0's enqueue of 7 (0.001–0.002 s)",
    );
}

#[test]
fn a_value_that_nobody_put_in() {
    convict(
        FifoQueue,
        "p0 1-2x enqueue 7
         p1 3-4 dequeue = 7",
        "unexpected",
        "p1's dequeue returned 7 (0.003–0.004 s), but 7 was never put in: p0's enqueue of \
         7 (0.001–0.002 s) had failed",
    );
    convict(
        FifoQueue,
        "p1 3-4 dequeue = 7",
        "unexpected",
        "p1's dequeue returned 7 (0.003–0.004 s), but 7 was never put in",
    );
    convict(
        FifoQueue,
        "p1 3-4 dequeue = 7
         p0 5-6 enqueue 7",
        "from-the-future",
        "p1's dequeue returned 7 (0.003–0.004 s), but 7 was put in only later, by p0's \
         enqueue of 7 (0.005–0.006 s)",
    );
}

#[test]
fn a_value_that_overtook_another() {
    let calls = "p0 1-2 enqueue 7
         p0 3-4 enqueue 8
         p1 5-6 dequeue = 8
         p2 7-8 dequeue = 7";
    convict(
        FifoQueue,
        calls,
        "overtaken",
        "p1's dequeue returned 8 (0.005–0.006 s) before p2's dequeue of 7 began at 0.007 \
         s, but 7 was there first: p0's enqueue of 7 had been acknowledged at 0.002 s, \
         before p0's enqueue of 8 began at 0.003 s",
    );
    acquit(UnorderedQueue, calls);
    acquit(Stack, &calls.replace("enqueue", "push").replace("dequeue", "pop"));
    acquit(PriorityQueue, calls);
    acquit(FifoQueue, &calls.replace("3-4", "1-4"));
}

#[test]
fn a_value_left_behind() {
    let calls = "p0 1-2 enqueue 7
         p0 3-4 enqueue 8
         p1 7-8 dequeue = 8";
    convict(
        FifoQueue,
        calls,
        "left-behind",
        "p1's dequeue returned 8 (0.007–0.008 s), but 7 was there first and was never \
         taken out: p0's enqueue of 7 had been acknowledged at 0.002 s, before p0's \
         enqueue of 8 began at 0.003 s",
    );
    acquit(FifoQueue, &format!("{calls}\np2 5-6? dequeue"));
    convict(
        FifoQueue,
        &format!("{calls}\np2 9-10? dequeue"),
        "left-behind",
        "p1's dequeue returned 8 (0.007–0.008 s), but 7 was there first and was never \
         taken out: p0's enqueue of 7 had been acknowledged at 0.002 s, before p0's \
         enqueue of 8 began at 0.003 s",
    );
    convict(
        FifoQueue,
        "p0 1-2 enqueue 5
         p0 3-4 enqueue 7
         p0 5-6 enqueue 8
         p2 7-8? dequeue
         p1 9-10 dequeue = 8",
        "left-behind",
        "5 and 7 were never seen again, though values put in later were taken out, the \
         last of them 8 (put in after 7 was) by p1's dequeue of 8 (0.009–0.010 s); only 1 \
         call without an answer can have taken them",
    );
    // It may be taken in the drain, or not at all: nobody knows whether it was put in.
    acquit(FifoQueue, &calls.replace("1-2", "1-2?"));
    acquit(FifoQueue, &format!("{calls}\np2 5-6? drain"));
}

#[test]
fn an_empty_answer_while_a_value_is_inside() {
    let calls = "p0 1-2 enqueue 7
         p1 3-4 dequeue = null
         p2 5-6 dequeue = 7";
    convict(
        FifoQueue,
        calls,
        "not-empty",
        "p1's dequeue found nothing (0.003–0.004 s), but 7 was inside all that time: p0's \
         enqueue of 7 (0.001–0.002 s) put it in, and p2's dequeue of 7 (0.005–0.006 s) \
         took it out",
    );
    convict(
        UnorderedQueue,
        calls,
        "not-empty",
        "p1's dequeue found nothing (0.003–0.004 s), but 7 was inside all that time: p0's \
         enqueue of 7 (0.001–0.002 s) put it in, and p2's dequeue of 7 (0.005–0.006 s) \
         took it out",
    );
    convict(
        PriorityQueue,
        calls,
        "not-empty",
        "p1's dequeue found nothing (0.003–0.004 s), but 7 was inside all that time: p0's \
         enqueue of 7 (0.001–0.002 s) put it in, and p2's dequeue of 7 (0.005–0.006 s) \
         took it out",
    );
    acquit(FifoQueue, &calls.replace("3-4", "1-4"));
    convict(
        UnorderedQueue,
        "p0 1-2 enqueue 7
         p0 4-5 enqueue 8
         p1 3-8 dequeue = null
         p2 6-7 dequeue = 7",
        "not-empty",
        "p1's dequeue found nothing (0.003–0.008 s), but 7 and 8 were never all outside \
         in that time; 7: p0's enqueue of 7 (0.001–0.002 s) put it in, and p2's dequeue \
         of 7 (0.006–0.007 s) took it out; 8: p0's enqueue of 8 (0.004–0.005 s) put it \
         in, and nobody took it out",
    );
}

#[test]
fn an_empty_answer_and_calls_nobody_heard_of() {
    let calls = "p0 1-2 enqueue 7
         p0 3-4 enqueue 8
         p1 5-6? dequeue
         p2 9-10 dequeue = null";
    convict(
        FifoQueue,
        calls,
        "not-empty",
        "p2's dequeue found nothing (0.009–0.010 s), but at no moment of it can all \
         values have been outside: 7 and 8 were put in before its end and never seen \
         again, and only 1 call without an answer can have taken them in time",
    );
    convict(
        UnorderedQueue,
        calls,
        "not-empty",
        "p2's dequeue found nothing (0.009–0.010 s), but at no moment of it can all \
         values have been outside: 7 and 8 were put in before its end and never seen \
         again, and only 1 call without an answer can have taken them in time",
    );
    acquit(FifoQueue, &format!("{calls}\np3 7-8? dequeue"));
    acquit(UnorderedQueue, &format!("{calls}\np3 7-8? drain"));
}

#[test]
fn a_drain_is_takes_and_an_empty_answer() {
    acquit(
        FifoQueue,
        "p0 1-2 enqueue 7
         p0 3-4 enqueue 8
         p1 5-20 drain = [7, 9]
         p2 6-7 dequeue = 8
         p0 8-9 enqueue 9",
    );
    convict(
        FifoQueue,
        "p0 1-2 enqueue 7
         p0 3-4 enqueue 8
         p1 5-20 drain = [7]",
        "not-empty",
        "p1's drain left nothing behind (0.005–0.020 s), but 8 was inside all that time: \
         p0's enqueue of 8 (0.003–0.004 s) put it in, and nobody took it out",
    );
}

#[test]
fn stacks_nest() {
    convict(
        Stack,
        "p0 1-2 push 7
         p0 3-4 push 8
         p1 5-6 pop = 7
         p1 7-8 pop = 8",
        "crossed",
        "p1's pop returned 7 (0.005–0.006 s), but 8 lay on top of it: p0's push of 7 had \
         been acknowledged at 0.002 s, before p0's push of 8 (0.003–0.004 s), and 8 came \
         out only with p1's pop of 8 (0.007–0.008 s)",
    );
    acquit(
        Stack,
        "p0 1-2 push 7
         p0 3-4 push 8
         p1 5-6 pop = 7
         p2 3-8? pop",
    );
    convict(
        Stack,
        "p0 1-4 push 1
         p1 2-5 push 2
         p2 3-6 push 3
         p0 7-8 pop = 1
         p0 9-10 push 4
         p0 11-12 pop = 2
         p0 13-14 pop = 3
         p0 15-16 pop = 4",
        "crossed",
        "p0's pop returned 2 (0.011–0.012 s), but 4 lay on top of it: p1's push of 2 had \
         been acknowledged at 0.005 s, before p0's push of 4 (0.009–0.010 s), and 4 came \
         out only with p0's pop of 4 (0.015–0.016 s)",
    );
}

#[test]
fn the_highest_comes_first() {
    convict(
        PriorityQueue,
        "p0 1-2 insert 7
         p0 3-4 insert 4
         p1 5-6 poll = 4
         p1 7-8 poll = 7",
        "passed-over",
        "p1's poll returned 4 (0.005–0.006 s), but the higher 7 was inside all that time: \
         p0's insert of 7 (0.001–0.002 s) put it in, and p1's poll of 7 (0.007–0.008 s) \
         took it out",
    );
    convict(
        PriorityQueue,
        "p0 1-2 insert 8
         p0 3-4 insert 4
         p0 5-6 insert 7
         p1 5-12 poll = 4
         p1 7-8 poll = 8
         p1 13-14 poll = 7",
        "passed-over",
        "p1's poll returned 4 (0.005–0.012 s), but the higher 8 and 7 were never all outside in that \
         time; 8: p0's insert of 8 (0.001–0.002 s) put it in, and p11's poll of 8 (0.007–0.008 s) took \
         it out; 7: p0's insert of 7 (0.005–0.006 s) put it in, and p1's poll of 7 (0.013–0.014 s) \
         took it out",
    );
    acquit(
        PriorityQueue,
        "p0 1-2 insert 7
         p0 3-4 insert 4
         p2 3-9? poll
         p1 5-6 poll = 4",
    );
}

#[test]
fn calls_of_other_objects() {
    let verdict = check(FifoQueue, "p0 1-2 push 7");
    assert_eq!(verdict.validity, Validity::Unknown);
    assert!(
        verdict.unknowns[0]
            .contains("`push` is not a call of a queue; its calls are enqueue, dequeue and drain"),
        "{verdict:?}"
    );
    let verdict = check(PriorityQueue, "p0 1-2 insert \"a\"");
    assert_eq!(verdict.validity, Validity::Unknown);
    assert_eq!(check(FifoQueue, "p0 1-2 enqueue").validity, Validity::Unknown);
    assert_eq!(check(FifoQueue, "p0 1-2 drain = 7").validity, Validity::Unknown);
}

#[test]
fn values_that_repeat_go_to_the_search() {
    let calls = "p0 1-2 enqueue 7
         p0 3-4 enqueue 7
         p1 5-6 dequeue = 7
         p1 7-8 dequeue = 7";
    acquit(FifoQueue, calls);
    acquit(UnorderedQueue, calls);
    let verdict = check(FifoQueue, &format!("{calls}\np1 9-10 dequeue = 7"));
    assert_eq!(verdict.validity, Validity::Invalid);
}
