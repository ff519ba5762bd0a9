//! Workloads: what is called, and how the answers are judged.
//!
//! One file a workload, each from top to bottom: what it tests, its calls, its
//! generator, its last reads, its checkers; and one table that lists them,
//! [`WORKLOADS`]. A workload knows nothing of clusters, faults or rates: the
//! harness puts the rate and the time limit around its generator, runs the
//! nemesis beside it, and heals everything before its last reads.
//!
//! ```
//! use tribunal_generator::Seed;
//! use tribunal_history::Map;
//! use tribunal_workloads::{Setting, find};
//!
//! let setting = Setting {
//!     seed: Seed(7),
//!     nodes: ["n1", "n2", "n3"].map(Into::into).to_vec(),
//!     concurrency: 6,
//!     options: Map::new(),
//! };
//! let workload = (find("cas-register")?.build)(&setting)?;
//! assert!(workload.last.is_some());
//! let mistyped = find("cas-regsiter").err().map(|error| error.to_string());
//! assert!(mistyped.is_some_and(|text| text.contains("did you mean `cas-register`?")));
//! # Ok::<(), tribunal_workloads::WorkloadError>(())
//! ```

pub mod bank;
pub mod cas_register;
pub mod causal;
pub mod causal_reverse;
pub mod counter;
mod error;
pub mod fenced_lock;
pub mod fenced_store;
pub mod fifo_queue;
mod holder;
mod judged;
mod keyed;
pub mod leader;
pub mod lease;
pub mod list_append;
pub mod lock;
pub mod log;
pub mod long_fork;
pub mod lww;
pub mod monotonic;
pub mod multi_register;
mod options;
mod page;
mod pool;
pub mod queue;
pub mod register;
pub mod rw_register;
pub mod semaphore;
pub mod sessions;
pub mod set;
pub mod set_full;
pub mod stack;
pub mod unique_ids;
pub mod watch;
pub mod write_skew;

use tribunal_checkers::Compose;
use tribunal_generator::{Boxed, Seed};
use tribunal_history::{Map, Name, Value};

pub use error::{CallError, WorkloadError};
pub use keyed::{Begun, Keyed, Patience};
pub use options::Options;
pub use page::page;

/// All workloads, by name.
pub const WORKLOADS: &[Definition] = &[
    bank::DEFINITION,
    cas_register::DEFINITION,
    causal::DEFINITION,
    causal_reverse::DEFINITION,
    counter::DEFINITION,
    fenced_lock::DEFINITION,
    fenced_store::DEFINITION,
    fifo_queue::DEFINITION,
    leader::DEFINITION,
    lease::DEFINITION,
    list_append::DEFINITION,
    lock::DEFINITION,
    log::DEFINITION,
    long_fork::DEFINITION,
    lww::DEFINITION,
    monotonic::DEFINITION,
    multi_register::DEFINITION,
    queue::DEFINITION,
    register::DEFINITION,
    rw_register::DEFINITION,
    semaphore::DEFINITION,
    sessions::DEFINITION,
    set::DEFINITION,
    set_full::DEFINITION,
    stack::DEFINITION,
    unique_ids::DEFINITION,
    watch::DEFINITION,
    write_skew::DEFINITION,
];

/// A workload as it stands in the table.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// How it is called: `-w NAME`, `[workload.NAME]`.
    pub name: &'static str,
    /// What it tests, in one line.
    pub summary: &'static str,
    /// The file that it stands in, which begins with its page.
    pub source: &'static str,
    /// Makes it for a run.
    pub build: fn(&Setting) -> Result<Workload, WorkloadError>,
    /// Makes its checkers alone, from its options: for a history that is there already.
    pub checker: fn(&Map<String, Value>) -> Result<Compose, WorkloadError>,
}

/// What a workload is made for.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The seed of the run.
    pub seed: Seed,
    /// The nodes, by name.
    pub nodes: Vec<Name>,
    /// Client processes at once.
    pub concurrency: usize,
    /// `[workload.NAME]` of the test file.
    pub options: Map<String, Value>,
}

/// A workload made for a run.
pub struct Workload {
    /// The load. It has no end and no rate.
    pub generator: Boxed,
    /// The last reads, after every fault is healed and the database is quiet.
    pub last: Option<Boxed>,
    /// Judges the history.
    pub checker: Compose,
    /// How many ok calls of each function it takes for a verdict of `valid`.
    pub required: Vec<(Name, u64)>,
}

/// The workload of this name.
pub fn find(name: &str) -> Result<&'static Definition, WorkloadError> {
    let named = WORKLOADS.iter().find(|definition| definition.name == name);
    named.ok_or_else(|| WorkloadError::unknown_workload(name))
}

/// The guide compiles, and does what it says.
#[cfg(doctest)]
#[doc = include_str!("../../docs/new-workload.md")]
struct Guide;
