//! `rolling-restart` and `rolling-upgrade`: one node after the other is stopped and started again, each
//! only when the one before serves; as the other version, for an upgrade, and from then on.

use async_trait::async_trait;
use serde_json::json;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Map, Name};

use super::about::{About, ENDING};
use super::partition::shuffled;
use super::{Aim, Fault, Needs, Options, Plan, PlanError, Toll, aim};
use crate::field::Field;

/// A round over all nodes. It is brought to its end, however long that takes.
pub(super) struct Rolling {
    about: About,
    upgrades: bool,
}

pub(super) static RESTART: Rolling = Rolling {
    about: about(
        "rolling-restart",
        "Stops and starts one node after the other, in good order, each when the one before serves.",
        Needs::Start,
    ),
    upgrades: false,
};

pub(super) static UPGRADE: Rolling = Rolling {
    about: about(
        "rolling-upgrade",
        "Stops one node after the other and starts the other version (`[db.upgrade]`) from then on.",
        Needs::Upgrade,
    ),
    upgrades: true,
};

/// What both tell alike, with what is each one's own.
const fn about(name: &'static str, doc: &'static str, needs: Needs) -> About {
    About {
        name,
        doc,
        options: &[],
        needs,
        assumes: ENDING,
        seen: "on every node another process leads the database's session, and it serves",
        cost: "nothing; the round takes as long as all nodes together take to stop and start",
    }
}

#[async_trait]
impl Fault for Rolling {
    fn about(&self) -> &About {
        &self.about
    }

    /// One node at a time.
    fn toll(&self, _: &Plan) -> Toll {
        Toll { somebody: 1, ..Toll::default() }
    }

    fn draw(&self, nodes: &[Name], _: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        if nodes.is_empty() {
            return Err(PlanError::TooFewNodes { fault: self.about.name, needs: 1, has: 0 });
        }
        let order = shuffled(nodes, rng);
        let data = Map::from_iter([("order".to_owned(), json!(order))]);
        Ok(Plan { summary: order.join(", then "), nodes: order, data })
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        for node in &plan.nodes {
            field.daemon(node)?;
        }
        let (nodes, summary) = (plan.nodes.clone(), plan.summary.clone());
        Ok(Aim { nodes, summary, ..Aim::default() })
    }

    async fn inject(&self, field: &Field, id: u64, aim: &Aim) -> Result<(), String> {
        let (roller, nodes, upgrades) = (field.clone(), aim.nodes.clone(), self.upgrades);
        field.background(work(id), |_| async move {
            let mut told = Vec::new();
            for node in nodes {
                told.push(format!("{node}: {}", turn(&roller, &node, upgrades).await?));
            }
            Ok(Effect { observed: true, evidence: vec![told.join("; ")] })
        });
        Ok(())
    }

    /// It has only begun: what came of it is known at the end.
    async fn observe(&self, _: &Field, _: u64, _: &Aim) -> Effect {
        Effect::default()
    }

    async fn heal(&self, field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
        let round = field.end_background(&work(id)).await;
        // Whoever was stopped and not started again is, whatever went wrong.
        let again = aim::start_again(field, &aim.nodes).await;
        match round {
            Some(Ok(effect)) => again.map(|_| effect),
            Some(Err(why)) => Err(why),
            None => Ok(Effect { observed: false, evidence: again? }),
        }
    }
}

fn work(id: u64) -> String {
    format!("{id}/rolling")
}

/// One node's turn, until it serves again.
async fn turn(field: &Field, node: &Name, upgrades: bool) -> Result<String, String> {
    let before = field.daemon(node)?;
    field.stop(node).await?;
    if !field.has_ended(node).await? {
        return Err(format!("{node}: process {before} lives on after it was stopped"));
    }
    if upgrades {
        field.upgrade(node).await?;
    }
    let pid = field.start(node).await?;
    field.ready(node).await?;
    Ok(format!("process {before} has ended, process {pid} serves"))
}
