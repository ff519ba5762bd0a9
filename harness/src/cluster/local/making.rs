//! A cluster that is being made, on a thread that nobody can stop: a node may hang in there. Who waits for
//! it may lose patience, and then takes down what there is of it, so that what hangs comes loose.

use std::sync::{Arc, Mutex, PoisonError};

use super::Tenancy;
use crate::cluster::ClusterError;

/// What the one who makes a cluster and the one who waits for it have in common.
#[derive(Clone, Default)]
pub(super) struct Making(Arc<Mutex<Stage>>);

#[derive(Default)]
enum Stage {
    /// It has no name yet.
    #[default]
    Unclaimed,
    /// It has one. Whoever takes this has the cluster, or ends it.
    Claimed(Tenancy),
    /// It is made, or nobody wants it.
    Over,
}

/// Waiting for it. Dropped, it takes down what is not made.
pub(super) struct Patience(Making);

impl Making {
    /// Waits for it.
    pub fn patience(&self) -> Patience {
        Patience(self.clone())
    }

    /// It has a name. An error where nobody waits any more: then it is gone again.
    pub fn claimed(&self, tenancy: Tenancy) -> Result<(), ClusterError> {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*stage {
            Stage::Unclaimed => {
                *stage = Stage::Claimed(tenancy);
                Ok(())
            }
            // The tenancy ends with this call.
            Stage::Claimed(_) | Stage::Over => Err(ClusterError::GivenUp),
        }
    }

    /// It is made, or will not be: its tenancy, unless somebody else has taken it.
    pub fn over(&self) -> Option<Tenancy> {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Claimed(tenancy) => Some(tenancy),
            Stage::Unclaimed | Stage::Over => None,
        }
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        // Outside of the lock, for it takes a while.
        drop(self.0.over());
    }
}
