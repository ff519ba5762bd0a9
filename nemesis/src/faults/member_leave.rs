//! `member-leave`: a node leaves the cluster, and joins it again at the end, with nothing on its disk.

use async_trait::async_trait;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Name};

use super::member;
use super::{Aim, Fault, FaultOption, Needs, Options, Plan, PlanError};
use crate::field::Field;
use crate::model::{Failures, Synchrony, SystemModel};

/// A smaller cluster, for a while.
pub(super) struct MemberLeave;

#[async_trait]
impl Fault for MemberLeave {
    fn name(&self) -> &'static str {
        "member-leave"
    }

    fn doc(&self) -> &'static str {
        "Has a node leave the cluster, and join it again without any data at the end."
    }

    fn options(&self) -> &'static [FaultOption] {
        &[member::TARGET]
    }

    fn needs(&self) -> Needs {
        Needs::Membership
    }

    fn assumes(&self) -> SystemModel {
        SystemModel::new(Synchrony::Synchronous, Failures::CrashRecovery)
    }

    fn seen(&self) -> &'static str {
        "the database's own `status`, on another node: the node is no member, and is one again at the end"
    }

    fn cost(&self) -> &'static str {
        "nothing but the database's own commands, which another node runs"
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        member::draw(self.name(), nodes, options, rng)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let (node, summary) = member::resolve(field, plan).await?;
        Ok(Aim { nodes: vec![node], summary, ..Aim::default() })
    }

    async fn inject(&self, field: &Field, _: u64, aim: &Aim) -> Result<(), String> {
        for node in &aim.nodes {
            member::leave(field, node).await?;
        }
        Ok(())
    }

    async fn observe(&self, field: &Field, _: u64, aim: &Aim) -> Effect {
        match aim.nodes.first() {
            Some(node) => member::seen(field, node, false).await,
            None => Effect::default(),
        }
    }

    async fn heal(&self, field: &Field, _: u64, aim: &Aim) -> Result<Effect, String> {
        let mut evidence = Vec::new();
        for node in &aim.nodes {
            evidence.extend(member::join(field, node).await?);
        }
        Ok(Effect { observed: false, evidence })
    }
}
