//! `restart`: the database is asked to end, as for an upgrade, and started again when it is healed.

use async_trait::async_trait;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Name};

use super::about::{About, ENDING};
use super::target;
use super::{Aim, Fault, Needs, Options, Plan, PlanError, aim};
use crate::field::Field;

/// A process that ends in good order.
pub(super) struct Restart;

const ABOUT: About = About {
    name: "restart",
    doc: "Ends the database in good order (its `stop`, or SIGTERM), and starts it again at the end.",
    options: &[target::OPTION],
    needs: Needs::Start,
    assumes: ENDING,
    seen: "the process that led the database's session is no more",
    cost: "95-125 ms to end, of which the database's own, and 60-90 ms to start it again; then its own start-up",
};

#[async_trait]
impl Fault for Restart {
    fn about(&self) -> &About {
        &ABOUT
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        target::draw(ABOUT.name, nodes, options, rng)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let (nodes, summary) = target::resolve(field, plan).await?;
        for node in &nodes {
            field.daemon(node)?;
        }
        Ok(Aim { nodes, summary, ..Aim::default() })
    }

    async fn inject(&self, field: &Field, _: u64, aim: &Aim) -> Result<(), String> {
        field.on_each(&aim.nodes, |field, node| async move { field.stop(&node).await }).await?;
        Ok(())
    }

    async fn observe(&self, field: &Field, _: u64, aim: &Aim) -> Effect {
        let gone =
            field.on_each(&aim.nodes, |field, node| async move { field.has_ended(&node).await });
        match gone.await {
            Ok(gone) => Effect {
                observed: !gone.is_empty() && gone.iter().all(|(_, gone)| *gone),
                evidence: gone
                    .iter()
                    .map(|(node, gone)| {
                        format!("{node}: {}", if *gone { "it has ended" } else { "it lives on" })
                    })
                    .collect(),
            },
            Err(error) => Effect { observed: false, evidence: vec![error] },
        }
    }

    async fn heal(&self, field: &Field, _: u64, aim: &Aim) -> Result<Effect, String> {
        let evidence = aim::start_again(field, &aim.nodes).await?;
        Ok(Effect { observed: false, evidence })
    }
}
