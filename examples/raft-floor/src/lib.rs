//! A replicated state machine on [openraft]: what the bundled databases that are correct by Raft
//! have in common. It brings the log on disk, the links, reads that ask a majority, requests
//! that find the leader, and changes that happen once however often they are sent. What the
//! machine does, and what a client may ask of it, is each [`Database`]'s own and not here.
//!
//! [openraft]: https://docs.rs/openraft/0.9

mod chores;
mod client;
mod command;
mod database;
mod log_store;
mod machine;
mod message;
mod network;
mod node;
mod server;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;
mod types;

pub use command::run;
pub use database::{Database, Flaw, Request};
