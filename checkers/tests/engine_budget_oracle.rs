//! The general search where it does not see all: with a budget that may end it anywhere, and
//! on long histories, of which its witness is cut out of the middle. Its answers on what it
//! sees whole are compared in `engine_oracle`.
//!
//! To replay a history that failed:
//!
//! ```text
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test engine_budget_oracle
//! ```

mod oracle;
mod subjects;

use oracle::Draw;
use subjects::{Queue, Register, Set, Subject, drawn, truth};
use tribunal_checkers::linearizability::engine::{self, Budget};

/// Whatever it is cut short by, the search never claims what is not so.
#[test]
fn a_small_budget_may_miss_but_never_errs() {
    let (mut decided, mut given_up) = (0, 0);
    for seed in oracle::seeds() {
        let ops = drawn(&Queue(3), &mut Draw(seed), (8, 6), 0);
        let all: Vec<usize> = (0..ops.len()).collect();
        let fair = truth(&Queue(3), &ops, &all);
        let budget = Budget { steps: 1 + seed % 64, ..Budget::default() };
        match engine::search(&Queue(3), &ops, &budget) {
            engine::Outcome::Exhausted { .. } => given_up += 1,
            outcome => {
                let ordered = matches!(outcome, engine::Outcome::Linearizable { .. });
                assert_eq!(ordered, fair, "ORACLE_SEED={seed}, {budget:?}: {ops:#?}");
                decided += 1;
            }
        }
    }
    println!("{decided} decided, {given_up} given up");
    assert!(oracle::seeds().count() == 1 || decided.min(given_up) > oracle::histories() / 100);
}

/// Long histories are shrunk from some point on. All that is forgotten then is forgotten
/// in the whole history, which must have no order still.
fn windows<S: Subject>(name: &str, subject: &S) {
    let (mut cut, mut left, mut answered, mut sure) = (0, 0, 0, 0);
    let budget = Budget { steps: 50_000, ..Budget::default() };
    for seed in oracle::seeds().filter(|seed| seed % 50 == 0) {
        let ops = drawn(subject, &mut Draw(seed), (130, 1), 80);
        let mut all = ops.clone();
        let engine::Outcome::Stuck(stuck) = engine::search(subject, &ops, &budget) else {
            continue;
        };
        let Some(witness) = stuck.witness.filter(|witness| witness.since > 0) else { continue };
        let until = ops[stuck.call].end;
        all.retain(|op| op.start < until);
        for (at, op) in all.iter_mut().enumerate() {
            if op.end > witness.since && !witness.calls.contains(&at) {
                op.end = u32::MAX;
            }
            answered += usize::from(op.end != u32::MAX && op.end > witness.since);
        }
        (cut, left) = (cut + 1, left + all.len());
        let again = engine::search(subject, &all, &budget);
        let ordered = matches!(again, engine::Outcome::Linearizable { .. });
        sure += usize::from(matches!(again, engine::Outcome::Stuck(_)));
        assert!(!ordered, "{name}, seed {seed}: {witness:?} does not convict: {again:?}\n{ops:#?}");
    }
    println!(
        "{name}: {cut} witnesses from the middle of {left} calls in all, {answered} calls in them; \
         {sure} convict, of the others the search does not know"
    );
}

#[test]
fn witnesses_of_long_histories() {
    windows("register", &Register(5));
    windows("set", &Set(3));
}
