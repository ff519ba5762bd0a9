//! What the bundled databases stand on: a node's [`Seat`] among the [`Member`]s of its cluster, [`Link`]s
//! that ask over TCP and [`listen`] that answers, [`gather`] for a majority of answers, a client's [`Door`],
//! and a write-ahead [`Log`]. How a database replicates and what
//! it promises is its own affair, and not here.

mod door;
mod frame;
mod link;
mod listener;
mod log;
mod member;
mod quorum;
pub mod relay;
mod seat;
pub mod trial;

pub use door::{Door, knock};
pub use link::{Link, LinkError};
pub use listener::listen;
pub use log::Log;
pub use member::Member;
pub use quorum::{gather, majority};
pub use seat::{Listeners, Seat};
