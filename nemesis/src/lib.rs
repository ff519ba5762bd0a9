//! The nemesis: faults, when they happen, and the agents that do them.
//!
//! A [`schedule::Schedule`] is drawn from a seed before the run and makes the
//! nemesis' calls; the [`injector::Injector`] performs them, through an
//! [`agent`] on every node. [`faults::FAULTS`] lists what there is. This crate
//! does not judge: whether a fault took effect is observed and written down,
//! and what that means for a verdict is for others to say.

mod addresses;
pub mod agent;
mod background;
pub mod catalogue;
pub mod disk;
pub mod faults;
pub mod field;
pub mod injector;
pub mod launch;
pub mod link;
pub mod model;
pub mod scenarios;
pub mod schedule;

pub use agent::protocol::{Filesystem, Ground, Image};
pub use faults::FAULTS;
pub use injector::{ConnectError, Injector, heal};
pub use model::SystemModel;
pub use schedule::{
    Bounds, FaultSpec, Planned, Schedule, ScheduleError, Scripted, Timing, recorded,
};
