//! `member-replace`: a node leaves the cluster, and a new one of the same address joins at once.

use async_trait::async_trait;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Name};

use super::member;
use super::{Aim, Fault, FaultOption, Needs, Options, Plan, PlanError};
use crate::field::Field;
use crate::model::{Failures, Synchrony, SystemModel};

/// A node that knows nothing in the place of one that did.
pub(super) struct MemberReplace;

#[async_trait]
impl Fault for MemberReplace {
    fn name(&self) -> &'static str {
        "member-replace"
    }

    fn doc(&self) -> &'static str {
        "Has a node leave the cluster and a new one without any data join in its place, at once."
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
        "the database's own `status`, on another node: the node was no member, and then was one again"
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

    /// Succeeds only if the node was seen to be no member in between.
    async fn inject(&self, field: &Field, _: u64, aim: &Aim) -> Result<(), String> {
        for node in &aim.nodes {
            member::leave(field, node).await?;
            member::join(field, node).await?;
        }
        Ok(())
    }

    async fn observe(&self, field: &Field, _: u64, aim: &Aim) -> Effect {
        match aim.nodes.first() {
            Some(node) => member::seen(field, node, true).await,
            None => Effect::default(),
        }
    }

    /// What was begun and not brought to an end is, here.
    async fn heal(&self, field: &Field, _: u64, aim: &Aim) -> Result<Effect, String> {
        let mut evidence = Vec::new();
        for node in &aim.nodes {
            let there = member::seen(field, node, true).await;
            if !there.observed || field.has_ended(node).await? {
                evidence.extend(member::join(field, node).await?);
            } else {
                evidence.extend(there.evidence);
            }
        }
        Ok(Effect { observed: false, evidence })
    }
}
