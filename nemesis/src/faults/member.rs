//! `member-leave` and `member-replace`: a node leaves the cluster, and joins it with nothing on its disk:
//! at the end, or at once, as a new node of the same address.

use async_trait::async_trait;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Name};

use super::about::{About, ENDING};
use super::target::{self, Target};
use super::{Aim, Fault, FaultOption, Needs, Options, Plan, PlanError, membership};
use crate::field::Field;

/// Who leaves.
const TARGET: FaultOption = FaultOption {
    name: "target",
    doc: "One, primaries (one of them) or a node; by default drawn anew.",
};

/// A node that leaves, and comes back knowing nothing.
pub(super) struct Member {
    about: About,
    back: Back,
}

/// When it joins again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Back {
    AtOnce,
    AtTheEnd,
}

/// What both tell alike, with what is each one's own.
const fn about(name: &'static str, doc: &'static str, seen: &'static str) -> About {
    About {
        name,
        doc,
        options: &[TARGET],
        needs: Needs::Membership,
        assumes: ENDING,
        seen,
        cost: "nothing but the database's own commands, which another node runs",
    }
}

/// A smaller cluster, for a while.
pub(super) static LEAVE: Member = Member {
    about: about(
        "member-leave",
        "Has a node leave the cluster, and join it again without any data at the end.",
        "the database's own `status`, on another node: the node is no member, and is one again at the end",
    ),
    back: Back::AtTheEnd,
};

/// A node that knows nothing in the place of one that did.
pub(super) static REPLACE: Member = Member {
    about: about(
        "member-replace",
        "Has a node leave the cluster and a new one without any data join in its place, at once.",
        "the database's own `status`, on another node: the node was no member, and then was one again",
    ),
    back: Back::AtOnce,
};

#[async_trait]
impl Fault for Member {
    fn about(&self) -> &About {
        &self.about
    }

    /// Draws who leaves: one node, or the one that is primary then.
    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        let fault = self.about.name;
        if nodes.len() < 2 {
            return Err(PlanError::TooFewNodes { fault, needs: 2, has: nodes.len() });
        }
        let usual = [Target::One, Target::Primaries];
        let target = Target::choose(fault, options, &usual, nodes, rng)?;
        let one = match &target {
            Target::One | Target::Primaries => true,
            Target::Given(given) => given.len() == 1,
            Target::Minority | Target::AllButOne | Target::All => false,
        };
        if !one {
            let (option, wanted) = (TARGET.name, "one, primaries or a node");
            let value = options.get(option).cloned().unwrap_or_default();
            return Err(PlanError::BadOption { fault, option, value, wanted });
        }
        Ok(target::plan(&target, &target.draw(nodes, rng)))
    }

    /// Who leaves, now: one node.
    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let (nodes, summary) = target::resolve(field, plan).await?;
        let node = nodes.into_iter().next().ok_or("nobody is there to leave")?;
        field.daemon(&node)?;
        Ok(Aim { nodes: vec![node], summary, ..Aim::default() })
    }

    /// Succeeds only if the node was seen to be no member, and is one again where it is to be.
    async fn inject(&self, field: &Field, _: u64, aim: &Aim) -> Result<(), String> {
        for node in &aim.nodes {
            membership::leave(field, node).await?;
            if self.back == Back::AtOnce {
                membership::join(field, node).await?;
            }
        }
        Ok(())
    }

    async fn observe(&self, field: &Field, _: u64, aim: &Aim) -> Effect {
        match aim.nodes.first() {
            Some(node) => membership::seen(field, node, self.back == Back::AtOnce).await,
            None => Effect::default(),
        }
    }

    /// What was begun and not brought to an end is, here; a node that never left stays as it is.
    async fn heal(&self, field: &Field, _: u64, aim: &Aim) -> Result<Effect, String> {
        let mut evidence = Vec::new();
        for node in &aim.nodes {
            evidence.extend(membership::join(field, node).await?);
        }
        Ok(Effect { observed: false, evidence })
    }
}
