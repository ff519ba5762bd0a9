//! Transactions on lists against brute force, on random small histories, level by level.
//!
//! ```text
//! ORACLE_HISTORIES=500000 cargo test --release -p tribunal-checkers --test list_append_oracle -- --nocapture
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test list_append_oracle
//! ```

mod isolation;
mod oracle;

use isolation::random::{Shape, agree, agree_on_sessions, two_ways_agree};
use tribunal_checkers::transactions::{Level, ListAppend};

/// Lists, most of whose appends are blind.
const LISTS: Shape = Shape {
    txns: 5,
    steps: 3,
    keys: 2,
    crashed: 1,
    stale: 2,
    leaks: 1_000_000,
    blind: 1,
    lists: true,
};

const SHAPES: [Shape; 5] = [
    Shape { leaks: 30, ..LISTS },
    Shape { txns: 6, steps: 2, crashed: 0, stale: 1, ..LISTS },
    Shape { keys: 3, crashed: 4, stale: 1, blind: 2, ..LISTS },
    Shape { txns: 6, keys: 3, stale: 1, ..LISTS },
    Shape { txns: 4, keys: 1, stale: 8, leaks: 12, ..LISTS },
];

#[test]
fn levels_agree_with_brute_force() {
    agree(ListAppend::default(), &SHAPES);
}

#[test]
fn causal_consistency_agrees_with_brute_force() {
    agree_on_sessions(ListAppend { level: Level::Causal }, &SHAPES);
}

#[test]
fn causal_consistency_of_larger_histories_is_judged_alike_in_two_ways() {
    let large = Shape { txns: 60, keys: 8, leaks: 1_000_000, blind: 2, ..LISTS };
    let shapes = [
        Shape { stale: 40, ..large },
        Shape { txns: 30, stale: 10, ..large },
        Shape { txns: 120, keys: 20, stale: 60, crashed: 0, ..large },
    ];
    let asked = ListAppend { level: Level::Causal };
    two_ways_agree(asked, ListAppend::default(), &shapes);
}
