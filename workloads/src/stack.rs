//! `stack`: what was pushed last is popped first, and once.
//!
//! [`crate::queue`] the other way round: the same values and options, and the
//! calls `push` v and `pop` -> v, or null where there is nothing.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 3 | stacks at a time |
//! | `calls_per_key` | 40 | calls on a stack before a fresh one takes its place: one on which calls crashed is costly to judge |
//!
//! and those of `queue`.

use crate::Definition;
use crate::queue::{Kin, build, checker};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: STACK.name,
    summary: "stacks that lose, double or reorder",
    source: include_str!("stack.rs"),
    build: |setting| build(&STACK, setting),
    checker: |given| checker(&STACK, given),
};

const STACK: Kin = Kin { name: "stack", put: "push", take: "pop", keyed: [3, 40] };
