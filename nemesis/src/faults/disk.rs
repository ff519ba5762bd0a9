//! `disk-full` and `disk-hung`: the disk under the database takes nothing more, or answers nothing.

use async_trait::async_trait;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Name};

use super::about::{About, ENDING, LATE};
use super::target;
use super::{Aim, Fault, Needs, Options, Plan, PlanError, aim};
use crate::agent::protocol::Harm;
use crate::field::Field;

/// A disk that is there and does not do what it is for.
pub(super) struct Disk {
    about: About,
    harm: Harm,
}

/// Where nothing more can be written. It says so, and who cannot go on ends.
pub(super) static FULL: Disk = Disk {
    about: About {
        name: "disk-full",
        doc: "Leaves no byte free on the disk under the database's data; starts it again if that ended it.",
        options: &[target::OPTION],
        needs: Needs::Image,
        assumes: ENDING,
        seen: "a write of the agent to the same disk is told that there is no space",
        cost: "filling a gibibyte takes 10 ms and writes nothing; the ground is that of `power-loss`",
    },
    harm: Harm::Fill,
};

/// Where every write waits, as on a disk that was pulled out: it knows no time.
pub(super) static HUNG: Disk = Disk {
    about: About {
        name: "disk-hung",
        doc: "Lets every write to the disk under the database's data wait, uninterruptible, until the end.",
        options: &[target::OPTION],
        needs: Needs::Image,
        assumes: LATE,
        seen: "a write of the agent to the same disk does not come back",
        cost: "freezing first syncs all that was written; one process of the agent waits, too; \
               the ground is that of `power-loss`",
    },
    harm: Harm::Freeze,
};

#[async_trait]
impl Fault for Disk {
    fn about(&self) -> &About {
        &self.about
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        target::draw(self.about.name, nodes, options, rng)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let (nodes, summary) = target::resolve(field, plan).await?;
        let harms = nodes.iter().map(|node| (node.clone(), self.harm.clone())).collect();
        Ok(Aim { harms, nodes, summary, ..Aim::default() })
    }

    /// A database may end itself rather than serve without a disk.
    async fn heal(&self, field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
        aim::heal_and_start(field, id, aim).await
    }
}
