//! What all faults of a bad disk share: a rule on what the database asks of it, kept by a filesystem of ours
//! between the two.

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::json;
use tribunal_generator::{Rng, Seed};
use tribunal_history::{Effect, Name};

use super::given::{Drawn, Given};
use super::target;
use super::{Aim, Fault, FaultOption, Needs, Options, Plan, PlanError, aim};
use crate::agent::protocol::Harm;
use crate::disk::{Order, Rule};
use crate::field::Field;
use crate::model::SystemModel;

/// One way for a disk to be bad.
pub struct DiskFault {
    /// Its name, as users write it.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// The mildest model in which it can happen.
    pub assumes: SystemModel,
    /// How it is seen to act.
    pub seen: &'static str,
    /// What it costs, beside what the filesystem costs.
    pub cost: &'static str,
    /// What can be chosen, whose disk with it.
    pub options: &'static [FaultOption],
    /// The rule, and in which order writes reach the disk, where it matters; and what it is in words.
    pub draw: fn(&Given, &mut Rng) -> Drawn<(Rule, Order)>,
}

#[async_trait]
impl Fault for DiskFault {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn options(&self) -> &'static [FaultOption] {
        self.options
    }

    fn needs(&self) -> Needs {
        Needs::Fuse
    }

    fn assumes(&self) -> SystemModel {
        self.assumes
    }

    fn seen(&self) -> &'static str {
        self.seen
    }

    fn cost(&self) -> &'static str {
        self.cost
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        let mut plan = target::draw(self.name, nodes, options, rng)?;
        let ((mut rule, order), what) = (self.draw)(&Given::new(self.name, options), rng)?;
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
