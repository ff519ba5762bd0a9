//! What a fault tells of itself: to users, to the page of all faults, and to whoever plans a run. What it
//! does is no part of it.

use super::{FaultOption, Needs};
use crate::model::{Failures, Synchrony, SystemModel};

/// One fault, in words and in demands.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Its name, as users write it.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// What can be chosen about it.
    pub options: &'static [FaultOption],
    /// What it cannot be injected without.
    pub needs: Needs,
    /// The mildest system model in which it can happen.
    pub assumes: SystemModel,
    /// How it is seen to act, from inside its victims.
    pub seen: &'static str,
    /// What it costs, as measured: how long injecting and healing take, and what else the harness
    /// does to the database or the nodes meanwhile, beside the harm.
    pub cost: &'static str,
}

/// Nothing is late, and nodes at most end for good: the mildest of all.
pub(super) const MILDEST: SystemModel =
    SystemModel::new(Synchrony::Synchronous, Failures::CrashStop);
/// Nothing is wrong but when it comes, if it comes.
pub(super) const LATE: SystemModel =
    SystemModel::new(Synchrony::PartiallySynchronous, Failures::CrashStop);
/// A node ends, or ends of it, and comes back with its disk.
pub(super) const ENDING: SystemModel =
    SystemModel::new(Synchrony::Synchronous, Failures::CrashRecovery);
/// A disk, a link or a node says what is not so.
pub(super) const LYING: SystemModel = SystemModel::new(Synchrony::Synchronous, Failures::Byzantine);
