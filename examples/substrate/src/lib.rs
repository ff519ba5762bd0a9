//! What the bundled databases stand on: [`Link`]s that ask over TCP and
//! [`listen`] that answers, [`gather`] for a majority of answers, a write-ahead
//! [`Log`], and the [`Member`]s of a cluster. How a database replicates and what
//! it promises is its own affair, and not here.

mod frame;
mod link;
mod listener;
mod log;
mod member;
mod quorum;
pub mod relay;
pub mod trial;

pub use link::{Link, LinkError};
pub use listener::listen;
pub use log::Log;
pub use member::Member;
pub use quorum::{gather, majority};
