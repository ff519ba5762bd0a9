//! The faults, one file each, and the table that lists them.
//!
//! A fault plans (pure, from nodes and chance), aims (what is to be done on
//! which node, which may need to ask the database), and then injects, observes
//! and heals through the agents. Only aiming and observing differ; the rest is
//! the same for all, and provided.

mod about;
mod aim;
mod bad_disk;
mod bad_disk_kinds;
mod clock;
mod clock_kinds;
mod crash_loop;
mod damage;
mod damage_kinds;
mod disk;
mod family;
mod freeze;
mod given;
mod kill;
mod limit;
mod limit_kinds;
mod link;
mod link_kinds;
mod link_on_hosts;
mod member;
mod membership;
mod needs;
mod partition;
mod partition_any;
mod partition_bridge;
mod partition_given;
mod partition_halves;
mod partition_majority;
mod partition_non_transitive;
mod partition_one;
mod partition_one_way;
mod partition_primaries;
mod partition_ring;
mod pause;
mod plan;
pub mod ports;
mod power_loss;
mod restart;
mod rolling;
mod snapshot_restore;
mod target;
#[cfg(test)]
mod tests;
mod toll;

use async_trait::async_trait;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Map, Name, Value};

use crate::field::Field;
use crate::model::SystemModel;

pub use about::About;
pub use aim::Aim;
pub use family::Family;
pub use needs::{GroundKind, Needs, Place};
use plan::list;
pub use plan::{Plan, PlanError, plan};
pub use toll::Toll;

/// Every fault there is.
pub static FAULTS: &[&dyn Fault] = &[
    &partition_any::FAULT,
    &partition_halves::FAULT,
    &partition_one::FAULT,
    &partition_ring::FAULT,
    &partition_bridge::FAULT,
    &partition_one_way::FAULT,
    &partition_majority::FAULT,
    &partition_primaries::Primaries,
    &partition_non_transitive::FAULT,
    &partition_given::FAULT,
    &pause::Pause,
    &freeze::Freeze,
    &limit_kinds::CPU,
    &limit_kinds::MEMORY,
    &limit_kinds::PROCESSES,
    &limit_kinds::FILES,
    &clock_kinds::JUMP,
    &clock_kinds::DRIFT,
    &clock_kinds::FREEZE,
    &clock_kinds::STROBE,
    &kill::Kill,
    &restart::Restart,
    &crash_loop::CrashLoop,
    &rolling::RESTART,
    &rolling::UPGRADE,
    &member::LEAVE,
    &member::REPLACE,
    &power_loss::PowerLoss,
    &disk::FULL,
    &disk::HUNG,
    &bad_disk_kinds::READ_ERROR,
    &bad_disk_kinds::WRITE_ERROR,
    &bad_disk_kinds::SYNC_ERROR,
    &bad_disk_kinds::NO_SPACE,
    &bad_disk_kinds::SLOW,
    &bad_disk_kinds::BIT_FLIPS,
    &bad_disk_kinds::TORN_WRITES,
    &bad_disk_kinds::LOST_SYNC,
    &damage_kinds::TRUNCATED,
    &damage_kinds::FLIPPED,
    &damage_kinds::LOST,
    &damage_kinds::SWAPPED,
    &snapshot_restore::SnapshotRestore,
    &link_kinds::SLOW,
    &link_kinds::LOSSY,
    &link_kinds::DUPLICATING,
    &link_kinds::REORDERING,
    &link_kinds::CORRUPTING,
    &link_kinds::NARROW,
    &link_kinds::HELD,
    &link_kinds::ALTERING,
    &link_kinds::REPLAYING,
];

/// The fault of this name.
pub fn find(name: &str) -> Result<&'static dyn Fault, PlanError> {
    FAULTS.iter().copied().find(|fault| fault.name() == name).ok_or_else(|| {
        let known = FAULTS.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", ");
        PlanError::Unknown { fault: name.to_owned(), known }
    })
}

/// Something that can be chosen about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultOption {
    /// Its key.
    pub name: &'static str,
    /// What it means, and what it is by default.
    pub doc: &'static str,
}

impl FaultOption {
    /// An option, for a fault's table.
    const fn new(name: &'static str, doc: &'static str) -> Self {
        Self { name, doc }
    }
}

/// What was chosen.
pub type Options = Map<String, Value>;

/// One kind of harm.
#[async_trait]
pub trait Fault: Send + Sync {
    /// What it tells of itself.
    fn about(&self) -> &About;

    /// Its name, as users write it.
    fn name(&self) -> &'static str {
        self.about().name
    }

    /// What it cannot be injected without.
    fn needs(&self) -> Needs {
        self.about().needs
    }

    /// Options that it cannot do without, as an example for these nodes.
    fn example(&self, _: &[Name]) -> Options {
        Options::new()
    }

    /// Why it cannot be injected there with these options, if it certainly cannot.
    fn refuses(&self, _options: &Options, _place: Place) -> Option<String> {
        None
    }

    /// What it harms: no two of a family are drawn to act at once. Where its needs do not tell, it
    /// says so itself.
    fn family(&self) -> Family {
        Family::of(self.needs())
    }

    /// What a model leaves of its plan, where the model allows it at all.
    fn within(&self, _: SystemModel, plan: Plan) -> Plan {
        plan
    }

    /// What it takes from the cluster while it acts. The nodes of its plan, if it does not know better.
    fn toll(&self, plan: &Plan) -> Toll {
        Toll::nodes(plan)
    }

    /// Whether the database must be able to say who is primary.
    fn asks_for_primaries(&self) -> bool {
        false
    }

    /// Draws one. Options are known ones here ([`plan`] checks); their values are
    /// for the fault to judge.
    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError>;

    /// What to do on which node, now.
    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String>;

    /// Does the harm, on all nodes at once: on all of them, or on none.
    async fn inject(&self, field: &Field, id: u64, aim: &Aim) -> Result<(), String> {
        aim::inject(field, id, aim, || self.heal(field, id, aim)).await
    }

    /// Looks at it from inside every victim.
    async fn observe(&self, field: &Field, id: u64, aim: &Aim) -> Effect {
        aim::look(field, id, aim).await
    }

    /// Undoes it on all nodes at once, and tells what was seen at the end.
    async fn heal(&self, field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
        aim::heal(field, id, aim).await
    }
}
