//! The harness: everything between a plan and a verdict that needs a clock, a
//! file or a network.
//!
//! Async and I/O begin on this floor. It makes or finds the nodes
//! ([`cluster`]), talks to them over SSH ([`cluster::Session`]), starts the
//! database ([`database`]) and the client programs, drives a generator against
//! them ([`interpreter`]), writes down what happens ([`store`]) and tells the
//! story ([`report`]). It knows no workload and no fault by name.

mod client_program;
pub mod clocks;
pub mod cluster;
pub mod database;
pub mod deadline;
pub mod events;
pub mod interpreter;
pub mod nemesis;
mod recorder;
pub mod report;
pub mod run;
pub mod store;
pub mod template;
pub mod test_file;
mod worker;

pub use client_program::{ClientProgram, Program};
pub use recorder::Recorder;
pub use worker::Worker;
