//! The general search against brute force, on random small histories of several
//! objects: registers with few values, queues, sets, and one that may choose.
//!
//! To replay a history that failed, with its calls:
//!
//! ```text
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test engine_oracle
//! ```

mod oracle;
mod subjects;

use oracle::Draw;
use subjects::{Bag, Queue, Register, Set, Subject, drawn, truth};
use tribunal_checkers::linearizability::engine::{self, Budget};
use tribunal_checkers::linearizability::model::Op;

/// Whether there is no order if only the witness must have happened, and one if any call of it need not.
fn is_least<S: Subject>(subject: &S, ops: &[Op<S::Call>], witness: &[usize]) -> bool {
    let all: Vec<usize> = (0..ops.len()).collect();
    let without = |spared: Option<usize>| {
        let mut ops = ops.to_vec();
        for (at, op) in ops.iter_mut().enumerate() {
            if !witness.contains(&at) || spared == Some(at) {
                op.end = u32::MAX;
            }
        }
        truth(subject, &ops, &all)
    };
    // The last to return is what the witness is a witness of; it is not tried. Several may end last.
    let last = witness.iter().map(|&at| ops[at].end).max();
    let others = witness.iter().filter(|&&at| Some(ops[at].end) != last);
    !without(None) && others.into_iter().all(|&at| without(Some(at)))
}

/// Judges random histories and compares with the brute force, witnesses too.
fn compare<S: Subject>(name: &str, subject: &S, most: u64, crashed: u64, share: u64) {
    let (mut good, mut bad, mut shrunk, mut loose) = (0, 0, 0, 0);
    for seed in oracle::seeds().filter(|seed| seed % share == 0) {
        let ops = drawn(subject, &mut Draw(seed), (most, crashed), 0);
        let all: Vec<usize> = (0..ops.len()).collect();
        let fair = truth(subject, &ops, &all);
        let told = || {
            let lines: Vec<String> = ops.iter().map(|op| format!("{op:?}")).collect();
            format!("{name}: replay with ORACLE_SEED={seed}\n{}", lines.join("\n"))
        };
        match engine::search(subject, &ops, &Budget::default()) {
            engine::Outcome::Linearizable { .. } => assert!(fair, "it has no order; {}", told()),
            engine::Outcome::Stuck(stuck) => {
                assert!(!fair, "it has an order; {}", told());
                let witness = stuck.witness.unwrap_or_else(|| panic!("no witness; {}", told()));
                assert_eq!(witness.before, None);
                let chosen = || witness.calls.iter().chain(&witness.helpers).copied();
                let chosen: Vec<usize> = chosen().collect();
                let convicts = !truth(subject, &ops, &chosen);
                assert!(convicts, "{chosen:?} do not convict; {}", told());
                loose += usize::from(!is_least(subject, &ops, &witness.calls));
                shrunk += usize::from(chosen.len() < ops.len());
            }
            other => panic!("{other:?}; {}", told()),
        }
        *(if fair { &mut good } else { &mut bad }) += 1;
    }
    println!("{name}: {good} linearizable, {bad} not ({shrunk} witnesses shrunk), 0 mismatches");
    // An attempt to forget a call may run out of its budget; then the call stays.
    println!("{name}: {loose} witnesses are not the least");
    assert!(
        oracle::seeds().count() == 1 || 100 * loose <= bad,
        "{loose} of {bad} witnesses are not the least"
    );
    let all = good + bad;
    assert!(all < 100 || (good >= all / 10 && bad >= all / 10), "{name} is one-sided");
}

#[test]
fn registers_of_three_values() {
    compare("register, three values", &Register(3), 10, 2, 1);
    compare("register, half crashed", &Register(3), 10, 6, 1);
}

#[test]
fn registers_of_five_values() {
    compare("register, five values", &Register(5), 10, 3, 1);
}

#[test]
fn queues() {
    compare("queue", &Queue(3), 10, 2, 1);
    compare("queue, half crashed", &Queue(4), 10, 5, 1);
}

#[test]
fn sets() {
    compare("set", &Set(3), 10, 2, 1);
    compare("set, half crashed", &Set(3), 10, 5, 1);
}

#[test]
fn bags_that_may_choose() {
    compare("bag", &Bag(3), 10, 2, 1);
    compare("bag, half crashed", &Bag(3), 10, 5, 1);
}

#[test]
fn longer_histories() {
    compare("register, 14 calls", &Register(4), 14, 4, 20);
    compare("queue, 14 calls", &Queue(3), 14, 4, 20);
    compare("set, 14 calls", &Set(3), 14, 4, 20);
    compare("bag, 14 calls", &Bag(3), 14, 4, 20);
}
