//! `kill`: SIGKILL to the database's processes; the database is started again when it is healed.

use async_trait::async_trait;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Name};

use super::about::{About, MILDEST};
use super::plan::STAYS_DEAD;
use super::target;
use super::{Aim, Fault, Needs, Options, Plan, PlanError, aim};
use crate::agent::protocol::Harm;
use crate::field::Field;
use crate::model::{Failures, SystemModel};

/// A process that dies without a word. What it had only in memory is gone; the operating
/// system, and what it was given to write, live on.
pub(super) struct Kill;

const ABOUT: About = About {
    name: "kill",
    doc: "Kills the database's processes with SIGKILL, and starts the database again at the end.",
    options: &[target::OPTION],
    needs: Needs::Start,
    assumes: MILDEST,
    seen: "no process of the database is left",
    cost: "7 ms to kill and confirm, 60-90 ms until the database is started again; then its own start-up",
};

#[async_trait]
impl Fault for Kill {
    fn about(&self) -> &About {
        &ABOUT
    }

    /// Where nodes stop for good, it is not started again.
    fn within(&self, model: SystemModel, mut plan: Plan) -> Plan {
        if model.failures == Failures::CrashStop {
            plan.data.insert(STAYS_DEAD.to_owned(), true.into());
        }
        plan
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        target::draw(ABOUT.name, nodes, options, rng)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let aim = target::aim(field, plan, |pid| Harm::Kill { pid }).await?;
        Ok(Aim { stays_dead: plan.stays_dead(), ..aim })
    }

    async fn heal(&self, field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
        if !aim.stays_dead {
            return aim::heal_and_start(field, id, aim).await;
        }
        let killed = aim::heal(field, id, aim).await;
        field.bury(&aim.nodes);
        let evidence = aim.nodes.iter().map(|node| format!("{node}: it stays dead")).collect();
        killed.map(|effect| Effect { observed: effect.observed, evidence })
    }
}
