//! `power-loss`: the power of a node's disk fails under the database; it is started again when
//! that is healed.

use async_trait::async_trait;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Name};

use super::about::{About, ENDING};
use super::target;
use super::{Aim, Fault, Needs, Options, Plan, PlanError, aim};
use crate::agent::protocol::Harm;
use crate::field::Field;

/// A machine that loses its power: what the database wrote and did not sync is gone.
pub(super) struct PowerLoss;

const ABOUT: About = About {
    name: "power-loss",
    doc: "Kills the database and takes from its disk all that was not synced; starts it again at the end.",
    options: &[target::OPTION],
    needs: Needs::Image,
    assumes: ENDING,
    seen: "of two files written on the disk just before, the synced one is whole, the other is not",
    cost: "unmounting and mounting again takes 50 to 150 ms (busy); the start is the database's own; \
         all run long its data lie on a loop device without barriers: 5,000 fdatasync/s",
};

#[async_trait]
impl Fault for PowerLoss {
    fn about(&self) -> &About {
        &ABOUT
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        target::draw(ABOUT.name, nodes, options, rng)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        target::aim(field, plan, |pid| Harm::PowerOff { pid }).await
    }

    async fn heal(&self, field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
        aim::heal_and_start(field, id, aim).await
    }
}
