//! Queues: first-in-first-out, and without any order.
//!
//! [`Call`] is also that of the [`stack`](super::stack) and of the
//! [`priority`](super::priority) queue: they all put values in and take them out, and differ in which
//! one comes out. Where every value is put once only, [`fifo`] and [`bag`] decide exactly, in n log n;
//! what has values that repeat is left to the search.
//!
//! A `drain` is read as a client's loop: takes in turn, each at some moment of its own between
//! the drain's invocation and its answer, the last of which found nothing. Other calls may happen
//! in between. [`drains`] makes it so; the order of a drain's values among themselves is not used.

pub mod bag;
mod clash;
mod deadlines;
pub mod drains;
mod empty;
pub mod fifo;
mod life;
mod lives;
mod model;
mod sentences;
mod shrink;

use std::sync::Arc;

use tribunal_history::Datum;

pub use clash::Clash;
pub(super) use empty::settled as empties;
pub use life::{At, Life};
pub(super) use lives::{Lives, either_way};
pub use model::{FifoQueue, UnorderedQueue};
pub(super) use model::{Names, decision};
pub(super) use shrink::smallest;

/// What a call does to a queue, a stack or a priority queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Puts a value in.
    Put(Datum),
    /// Took this value out.
    Took(Datum),
    /// Found nothing to take.
    Empty,
    /// Takes out whatever comes next, if anything: its answer was never heard.
    Take,
    /// Took these out, and then found nothing. Without an answer, it took any number.
    Drain(Option<Arc<[Datum]>>),
}
