//! What all faults of a bad disk share: a rule on what the database asks of it, kept by a filesystem of ours
//! between the two.

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::json;
use tribunal_generator::{Rng, Seed};
use tribunal_history::{Effect, Name};

use super::about::About;
use super::given::{Drawn, Given};
use super::target;
use super::{Aim, Fault, Options, Plan, PlanError, aim};
use crate::agent::protocol::Harm;
use crate::disk::{Order, Rule};
use crate::field::Field;

/// One way for a disk to be bad.
pub struct DiskFault {
    /// What it tells of itself; among its options is whose disk.
    pub about: About,
    /// The rule, and in which order writes reach the disk, where it matters; and what it is in words.
    pub draw: fn(&Given, &mut Rng) -> Drawn<(Rule, Order)>,
}

#[async_trait]
impl Fault for DiskFault {
    fn about(&self) -> &About {
        &self.about
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        let mut plan = target::draw(self.about.name, nodes, options, rng)?;
        let ((mut rule, order), what) = (self.draw)(&Given::new(self.about.name, options), rng)?;
        // 53 bits: what JSON carries exactly everywhere.
        rule.seed = rng.bits() >> 11;
        let files = rule.files.as_deref().map_or(String::new(), |files| format!(" of {files}"));
        plan.summary = format!("{}: {what}{files}", plan.summary);
        plan.data.insert("rule".to_owned(), json!(rule));
        plan.data.insert("order".to_owned(), json!(order));
        Ok(plan)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let (nodes, summary) = target::resolve(field, plan).await?;
        let (rule, order): (Rule, Order) = (read(plan, "rule")?, read(plan, "order")?);
        let harm = |node: &Name| {
            // Every node's disk has chance of its own.
            let seed = Seed(rule.seed).stream(node).bits() >> 11;
            let rule = Rule { seed, ..rule.clone() };
            Ok((node.clone(), Harm::BadDisk { pid: field.daemon(node)?, rule, order }))
        };
        let harms = nodes.iter().map(harm).collect::<Result<_, String>>()?;
        Ok(Aim { harms, nodes, summary, ..Aim::default() })
    }

    /// Databases are right to end when their disk fails: one that did is started again.
    async fn heal(&self, field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
        aim::heal_and_start(field, id, aim).await
    }
}

fn read<T: DeserializeOwned>(plan: &Plan, key: &str) -> Result<T, String> {
    serde_json::from_value(plan.data.get(key).cloned().unwrap_or_default())
        .map_err(|error| format!("the plan's `{key}` cannot be read: {error}"))
}
