//! `snapshot-restore`: a node that is restored from an old snapshot, and knows nothing of what it
//! has done since. To the others it is Byzantine: it breaks its word.

use async_trait::async_trait;
use serde_json::json;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Name};

use super::about::{About, LYING};
use super::target::{self, Target};
use super::{Aim, Fault, FaultOption, Needs, Options, Plan, PlanError, aim, damage, given};
use crate::agent::protocol::Harm;
use crate::field::Field;

/// The folder of the data, put back as it was.
pub(super) struct SnapshotRestore;

const ABOUT: About = About {
    name: "snapshot-restore",
    doc: "Copies the database's data, and later kills it and puts the copy back; starts it again at the end.",
    options: &[
        target::OPTION,
        FaultOption {
            name: "age_ms",
            doc: "How old the copy is when it is put back, less than the fault lasts; by default drawn from 500 to 4000.",
        },
        damage::DATA_DIR,
    ],
    needs: Needs::Data,
    assumes: LYING,
    seen: "some file had changed since, and is put back as it was",
    cost: "the database stands still while its folder is copied, and is down while that is put back",
};

#[async_trait]
impl Fault for SnapshotRestore {
    fn about(&self) -> &About {
        &ABOUT
    }

    /// A majority is harmed only where that is asked for.
    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        let usual = [Target::One, Target::Minority];
        let mut plan = target::draw_of(&usual, ABOUT.name, nodes, options, rng)?;
        let drawn = given::magnitude(500, 4000, rng);
        let age = given::Given::new(ABOUT.name, options).milliseconds("age_ms")?;
        let age_ms = age.map_or(drawn, |nanos| nanos / 1_000_000);
        plan.data.insert("age_ms".to_owned(), json!(age_ms));
        if let Some(folder) = damage::data_dir(ABOUT.name, options)? {
            plan.data.insert("data_dir".to_owned(), folder.into());
        }
        Ok(plan)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let (nodes, summary) = target::resolve(field, plan).await?;
        let age = plan.data.get("age_ms").and_then(|age| age.as_u64());
        let after_ms = age.ok_or("the plan has no `age_ms`")?;
        let harm = |node: &Name| {
            let (pid, at) = (field.daemon(node)?, damage::folder(field, plan, node)?);
            Ok((node.clone(), Harm::RollBack { pid, at, after_ms }))
        };
        let harms = nodes.iter().map(harm).collect::<Result<_, String>>()?;
        Ok(Aim { harms, nodes, summary, ..Aim::default() })
    }

    async fn heal(&self, field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
        aim::heal_and_start(field, id, aim).await
    }
}
