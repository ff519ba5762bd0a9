//! What all faults share that leave the database's processes too little of something: a limit
//! that the agent sets, and a database that is started again if it could not live with it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Name, Value};

use super::about::About;
use super::given::{Drawn, Given};
use super::target;
use super::{Aim, Fault, Options, Plan, PlanError, aim};
use crate::agent::protocol::Harm;
use crate::field::Field;

/// Too little of something.
pub struct LimitFault {
    /// What it tells of itself.
    pub about: About,
    /// The limit, and what it is in words.
    pub draw: fn(&Given, &mut Rng) -> Drawn<Limit>,
}

/// A limit, as plans hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Of the processors.
    Cpu {
        /// One part in so many of what is used.
        part: u64,
        /// Instead: so many millionths of a core.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        core_ppm: Option<u64>,
    },
    /// Of memory, in bytes.
    Memory {
        /// More than there is.
        room: u64,
        /// Instead: in all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u64>,
    },
    /// Of processes and threads.
    Processes {
        /// More than there are.
        room: u64,
    },
    /// Of open files.
    Files {
        /// More than there are.
        room: u64,
    },
}

impl Limit {
    fn harm(self, pid: u32) -> Harm {
        match self {
            Self::Cpu { part, core_ppm } => Harm::CpuLimit { pid, part, core_ppm },
            Self::Memory { room, limit } => Harm::MemoryLimit { pid, room, limit },
            Self::Processes { room } => Harm::ProcessLimit { pid, room },
            Self::Files { room } => Harm::FileLimit { pid, room },
        }
    }
}

#[async_trait]
impl Fault for LimitFault {
    fn about(&self) -> &About {
        &self.about
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        let mut plan = target::draw(self.about.name, nodes, options, rng)?;
        let (limit, what) = (self.draw)(&Given::new(self.about.name, options), rng)?;
        plan.data.insert("limit".to_owned(), json!(limit));
        plan.data.insert("what".to_owned(), json!(what));
        plan.summary = format!("{}: {what}", plan.summary);
        Ok(plan)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let limit = plan.data.get("limit").cloned().unwrap_or_default();
        let limit: Limit = serde_json::from_value(limit)
            .map_err(|error| format!("the plan's `limit` cannot be read: {error}"))?;
        let aim = target::aim(field, plan, |pid| limit.harm(pid)).await?;
        let what = plan.data.get("what").and_then(Value::as_str).unwrap_or_default();
        // Primaries have names now; other plans say it all already.
        let summary = match plan.nodes.is_empty() {
            true => format!("{}: {what}", aim.summary),
            false => aim.summary,
        };
        Ok(Aim { summary, ..aim })
    }

    /// A database may not be able to live with so little.
    async fn heal(&self, field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
        aim::heal_and_start(field, id, aim).await
    }
}
