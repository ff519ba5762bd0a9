//! Locks: mutexes, semaphores, locks with owners, reentrant and fenced ones, and
//! the store that a fence guards.
//!
//! - [`semaphore`]: permits that nobody owns; a mutex is a semaphore of one.
//! - [`owner`]: only the holder may release; it may acquire again where the lock is reentrant.
//! - [`fenced`]: each grant answers with a token, and tokens grow.
//! - [`store`]: a store that refuses writes under an old token.
//!
//! Calls are `acquire` and `release`, on a store `write` and `read`. An `acquire`
//! that answers `ok` with the value `false` tried and found the lock held: it
//! says that somebody held it at some instant of the call. One that `fail`ed says nothing.
//!
//! Locks that expire by themselves are leases, and not judged here
//! (a [`FencedLock`] that is not exclusive judges their tokens alone).

pub mod fenced;
pub mod owner;
pub mod semaphore;
mod sessions;
pub mod store;
mod wording;

pub use fenced::FencedLock;
pub use owner::OwnedLock;
pub use semaphore::Semaphore;
pub use store::FencedStore;

use tribunal_history::{Datum, Operation, Process};

use super::model::Object;

/// A call on a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Took the lock, or a permit.
    Acquire {
        /// Who.
        process: u64,
        /// The fencing token that came back, where the lock gives one.
        token: Option<i64>,
    },
    /// Tried to take it, and found it held.
    Refused {
        /// Who.
        process: u64,
    },
    /// Gave it back.
    Release {
        /// Who.
        process: u64,
    },
}

impl Call {
    /// Who made it.
    pub fn process(self) -> u64 {
        match self {
            Call::Acquire { process, .. }
            | Call::Refused { process }
            | Call::Release { process } => process,
        }
    }

    /// Reads a call on a lock. `None` if it says nothing and did nothing.
    fn read(operation: &Operation) -> Result<Option<Self>, String> {
        let Process::Client(process) = operation.process() else { return Ok(None) };
        match operation.f() {
            "acquire" if refused(operation) => Ok(Some(Call::Refused { process })),
            "acquire" => Ok(Some(Call::Acquire { process, token: token(operation)? })),
            "release" => Ok(Some(Call::Release { process })),
            other => {
                Err(format!("`{other}` is not a call of a lock; its calls are acquire and release"))
            }
        }
    }
}

/// Whether an acquire found the lock held.
fn refused(operation: &Operation) -> bool {
    operation.result().is_some_and(|result| result.datum() == Datum::FALSE)
}

/// The token that an acquire answered with.
fn token(operation: &Operation) -> Result<Option<i64>, String> {
    let Some(token) = operation.result().and_then(|result| result.get("token")) else {
        return Ok(None);
    };
    let number =
        token.as_i64().ok_or_else(|| format!("a token must be a whole number, not {token}"));
    number.map(Some)
}

/// The calls at these positions, as the history numbers them.
fn numbers<C>(object: &Object<C>, calls: &[u32]) -> Vec<u32> {
    calls.iter().map(|&at| object.ops[at as usize].number).collect()
}
