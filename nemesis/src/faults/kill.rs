//! `kill`: SIGKILL to the database's processes; the database is started again when it is healed.

use async_trait::async_trait;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Name};

use super::plan::STAYS_DEAD;
use super::target;
use super::{Aim, Fault, FaultOption, Needs, Options, Plan, PlanError, aim};
use crate::agent::protocol::Harm;
use crate::field::Field;
use crate::model::{Failures, Synchrony, SystemModel};

/// A process that dies without a word. What it had only in memory is gone; the operating
/// system, and what it was given to write, live on.
pub(super) struct Kill;

#[async_trait]
impl Fault for Kill {
    fn name(&self) -> &'static str {
        "kill"
    }

    fn doc(&self) -> &'static str {
        "Kills the database's processes with SIGKILL, and starts the database again at the end."
    }

    fn options(&self) -> &'static [FaultOption] {
        &[target::OPTION]
    }

    fn needs(&self) -> Needs {
        Needs::Start
    }

    /// Where nodes stop for good, it is not started again.
    fn within(&self, model: SystemModel, mut plan: Plan) -> Plan {
        if model.failures == Failures::CrashStop {
            plan.data.insert(STAYS_DEAD.to_owned(), true.into());
        }
        plan
    }

    fn assumes(&self) -> SystemModel {
        SystemModel::new(Synchrony::Synchronous, Failures::CrashStop)
    }

    fn seen(&self) -> &'static str {
        "no process of the database's session is left"
    }

    fn cost(&self) -> &'static str {
        "7 ms to kill and confirm, 60-90 ms until the database is started again; then its own start-up"
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        target::draw(self.name(), nodes, options, rng)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let (nodes, summary) = target::resolve(field, plan).await?;
        let harm = |node: &Name| Ok((node.clone(), Harm::Kill { pid: field.daemon(node)? }));
        let harms = nodes.iter().map(harm).collect::<Result<_, String>>()?;
        let stays_dead = plan.stays_dead();
        Ok(Aim { harms, nodes, summary, stays_dead, ..Aim::default() })
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
