//! The judges of registers against the general search, on random histories too long for brute
//! force: by blocks where values are unique, and by search where they repeat.
//!
//! To replay a history that failed:
//!
//! ```text
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test register_engine_oracle
//! ```

mod oracle;
mod registers;

use oracle::{Draw, histories, seeds};
use registers::{Shape, calls_of, longer, told};
use tribunal_checkers::linearizability::engine::{self, Budget};
use tribunal_checkers::linearizability::model::{self, Model};
use tribunal_checkers::linearizability::register::op::{Action, INITIAL, Op, ValueId};
use tribunal_checkers::linearizability::register::{blocks, search};
use tribunal_history::Operation;

/// A register, as the general search takes it.
struct Register;

impl Model for Register {
    type Call = Action;
    type State = ValueId;

    fn init(&self) -> ValueId {
        INITIAL
    }

    fn step(&self, &held: &ValueId, call: &Action) -> impl IntoIterator<Item = ValueId> {
        let found = match *call {
            Action::Differs(value) => held != value,
            action => action.observes().is_none_or(|value| held == value),
        };
        found.then_some(call.produces().unwrap_or(held))
    }

    fn call(&self, _: &Operation) -> Result<Option<Action>, String> {
        unreachable!("calls are drawn")
    }
}

fn searched_in_general(ops: &[Op]) -> bool {
    let call =
        |op: &Op| model::Op { call: op.action, start: op.start, end: op.end, number: op.call };
    let calls: Vec<_> = ops.iter().map(call).collect();
    match engine::search(&Register, &calls, &Budget::default()) {
        engine::Outcome::Linearizable { .. } => true,
        engine::Outcome::Stuck(_) => false,
        other => panic!("{other:?}"),
    }
}

/// Histories of 12 to 14 calls; `judge` abstains with `None`.
fn compare(name: &str, shape: Shape, judge: impl Fn(&[Op], usize) -> Option<bool>) {
    let (mut good, mut bad) = (0, 0);
    for seed in seeds() {
        let history = longer(&mut Draw(seed), shape, 12 + seed % 3);
        let (ops, values) = calls_of(&history);
        let Some(judged) = judge(&ops, values) else { continue };
        let truth = searched_in_general(&ops);
        assert_eq!(judged, truth, "{name} is wrong at seed {seed}\n{}", told(&history));
        *(if truth { &mut good } else { &mut bad }) += 1;
    }
    println!("{name}: {good} linearizable, {bad} not, 0 mismatches");
    let enough = histories() / 20;
    assert!(seeds().count() == 1 || good > enough && bad > enough, "{name}: {good} to {bad}");
}

fn by_blocks(ops: &[Op], values: usize) -> Option<bool> {
    blocks::check(ops, values).map(|answer| answer.is_ok())
}

fn by_search(ops: &[Op], values: usize) -> Option<bool> {
    match search::check(ops, values, 1_000_000) {
        search::Outcome::Linearizable { .. } => Some(true),
        search::Outcome::Stuck(_) => Some(false),
        other => panic!("{other:?}"),
    }
}

#[test]
fn blocks_agree_with_the_general_search() {
    compare("blocks", Shape { values: 0, silent: 0, crashed: 2, honest: 0 }, by_blocks);
    compare(
        "blocks, silent swaps",
        Shape { values: 0, silent: 1, crashed: 2, honest: 0 },
        by_blocks,
    );
}

#[test]
fn searches_agree_with_the_general_one() {
    compare(
        "search, unique values",
        Shape { values: 0, silent: 2, crashed: 2, honest: 0 },
        by_search,
    );
    compare(
        "search, three values",
        Shape { values: 3, silent: 2, crashed: 2, honest: 0 },
        by_search,
    );
    compare("search, crashes", Shape { values: 4, silent: 3, crashed: 5, honest: 0 }, by_search);
}
