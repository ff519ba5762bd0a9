//! The seam between the run and whoever injects its faults.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tribunal_history::{Call, FaultNote};

/// A nemesis as a run holds it: the interpreter's, for as long as there is load, and the run's
/// before and after.
pub type Shared = Arc<Mutex<Box<dyn Nemesis>>>;

/// How a nemesis call ended: what is written into the history's completion.
#[derive(Clone, Debug, PartialEq)]
pub struct NemesisReply {
    /// The note of the second event (`injected`, `healed`).
    pub note: FaultNote,
    /// Why it could not be done, if it could not.
    pub error: Option<String>,
}

/// Injects and heals faults. The call's `f` is the fault's name, its value a [`FaultNote`]
/// of stage `inject` or `heal`.
#[async_trait]
pub trait Nemesis: Send {
    /// Performs one call to its end.
    async fn invoke(&mut self, call: &Call) -> NemesisReply;
    /// Undoes everything that is still being done: the end of a run, however it
    /// ends. Returns what could not be undone, a sentence a node.
    async fn heal_all(&mut self) -> Vec<String>;
    /// Prepares what faults will stand on, such as a disk of its own under the database's data:
    /// once nothing of a database is there any more, and before it is installed.
    async fn lay_ground(&mut self) -> Result<(), String> {
        Ok(())
    }
    /// Takes that away again, once the database has ended. Returns what could not be, a sentence
    /// a node.
    async fn lift_ground(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// The nemesis of a run without faults.
pub struct Peace;

#[async_trait]
impl Nemesis for Peace {
    async fn invoke(&mut self, call: &Call) -> NemesisReply {
        unreachable!("no schedule, yet a fault was called: {call:?}")
    }

    async fn heal_all(&mut self) -> Vec<String> {
        Vec::new()
    }
}
