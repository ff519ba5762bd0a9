//! Transactions on registers against brute force, on random small histories, level by level.
//!
//! ```text
//! ORACLE_HISTORIES=500000 cargo test --release -p tribunal-checkers --test rw_register_oracle -- --nocapture
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test rw_register_oracle
//! ```

mod isolation;
mod oracle;

use isolation::random::{Shape, agree};
use tribunal_checkers::transactions::RwRegister;

/// Registers that are read before they are written.
const REGISTERS: Shape = Shape {
    txns: 5,
    steps: 3,
    keys: 2,
    crashed: 1,
    stale: 2,
    leaks: 1_000_000,
    blind: 1_000_000,
    lists: false,
};

const SHAPES: [Shape; 7] = [
    Shape { leaks: 30, ..REGISTERS },
    Shape { txns: 6, steps: 2, crashed: 0, stale: 1, ..REGISTERS },
    Shape { keys: 3, crashed: 4, stale: 3, blind: 2, ..REGISTERS },
    Shape { txns: 6, keys: 3, blind: 1, ..REGISTERS },
    Shape { txns: 6, keys: 3, blind: 1, stale: 100, ..REGISTERS },
    Shape { txns: 6, keys: 2, crashed: 3, blind: 1, stale: 1, ..REGISTERS },
    Shape { txns: 6, steps: 2, keys: 4, blind: 1, stale: 1, ..REGISTERS },
];

#[test]
fn levels_agree_with_brute_force() {
    agree(RwRegister::default(), &SHAPES);
}
