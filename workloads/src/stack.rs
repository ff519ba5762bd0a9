//! `stack`: what was pushed last is popped first, and once.
//!
//! [`crate::queue`] the other way round: the same values and options, and the
//! calls `push` v and `pop` -> v, or null where there is nothing.

use crate::Definition;
use crate::queue::{Kin, build, checker};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: STACK.name,
    summary: "stacks that lose, double or reorder",
    build: |setting| build(&STACK, setting),
    checker: |given| checker(&STACK, given),
};

const STACK: Kin = Kin { name: "stack", put: "push", take: "pop" };
