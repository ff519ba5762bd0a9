//! `fifo-queue`: what goes into a queue comes out, once, in the order in which it went in.
//!
//! [`crate::queue`] where order is promised: the same calls, values and options;
//! and values that overtake others are an anomaly, too.

use crate::Definition;
use crate::queue::{Kin, build, checker};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: FIFO.name,
    summary: "queues that lose, redeliver or reorder",
    source: include_str!("fifo_queue.rs"),
    build: |setting| build(&FIFO, setting),
    checker: |given| checker(&FIFO, given),
};

const FIFO: Kin =
    Kin { name: "fifo-queue", put: "enqueue", take: "dequeue", keyed: [1, 1_000_000] };
