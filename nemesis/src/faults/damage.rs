//! Files of the database are damaged while it is down; it is started on them at once, and has to
//! see for itself.

use std::path::PathBuf;

use async_trait::async_trait;
use glob::Pattern;
use serde_json::json;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Name, Value};

use super::about::About;
use super::target::{self, Target};
use super::{Aim, Fault, FaultOption, Options, Plan, PlanError, aim};
use crate::agent::protocol::{self, Harm};
use crate::field::Field;

/// Where the files are.
pub const DATA_DIR: FaultOption = FaultOption::new(
    "data_dir",
    "The folder of the data, where it is not a run's: an absolute path.",
);
/// Options that every kind has.
pub const FILES: FaultOption = FaultOption::new(
    "files",
    "Which files it may be, by a pattern such as wal/*.log or **/*.sst; by default any with content.",
);
pub const RESTORE: FaultOption = FaultOption::new(
    "restore",
    "True: where the database has ended on what it found, the files are put back as they were at the end; else they stay as they are.",
);

/// One kind of damage.
pub(super) struct Damage {
    /// What it tells of itself.
    pub about: About,
    /// What it is, by the options.
    pub kind: fn(&'static str, &Options) -> Result<protocol::Damage, PlanError>,
}

/// The folder that was chosen, if any.
pub fn data_dir(fault: &'static str, options: &Options) -> Result<Option<String>, PlanError> {
    let absolute = |it: &&str| it.starts_with('/') && it.len() > 1;
    chosen(fault, options, "data_dir", "an absolute path", |it| it.as_str().filter(absolute))
        .map(|found| found.map(str::to_owned))
}

/// Where a node's data are.
pub fn folder(field: &Field, plan: &Plan, node: &Name) -> Result<PathBuf, String> {
    match plan.data.get("data_dir").and_then(Value::as_str) {
        Some(folder) => Ok(folder.into()),
        None => field.data_dir(node).map(PathBuf::from).map_err(|why| {
            format!("{why}: set [db] data_dir in a run, and by hand say -o data_dir=/folder")
        }),
    }
}

/// What was given to an option, if it is of use.
fn chosen<'o, T>(
    fault: &'static str,
    options: &'o Options,
    option: &'static str,
    wanted: &'static str,
    of_use: impl FnOnce(&'o Value) -> Option<T>,
) -> Result<Option<T>, PlanError> {
    let Some(value) = options.get(option) else { return Ok(None) };
    let refused = || PlanError::BadOption { fault, option, value: value.clone(), wanted };
    of_use(value).map(Some).ok_or_else(refused)
}

#[async_trait]
impl Fault for Damage {
    fn about(&self) -> &About {
        &self.about
    }

    /// A majority is damaged only where that is asked for.
    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        let usual = [Target::One, Target::Minority];
        let mut plan = target::draw_of(&usual, self.about.name, nodes, options, rng)?;
        let files =
            chosen(self.about.name, options, "files", "a pattern such as wal/*.log", |it| {
                it.as_str().filter(|it| Pattern::new(it).is_ok())
            })?;
        let restore = chosen(self.about.name, options, "restore", "true or false", Value::as_bool)?;
        plan.data.insert("files".to_owned(), json!(files.unwrap_or("**/*")));
        plan.data.insert("restore".to_owned(), json!(restore.unwrap_or(false)));
        plan.data.insert("damage".to_owned(), json!((self.kind)(self.about.name, options)?));
        // Chance is recorded as a number that any reader of JSON keeps whole.
        plan.data.insert("seed".to_owned(), json!(rng.bits() >> 11));
        if let Some(folder) = data_dir(self.about.name, options)? {
            plan.data.insert("data_dir".to_owned(), folder.into());
        }
        Ok(plan)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let (nodes, summary) = target::resolve(field, plan).await?;
        let told = |key: &str| plan.data.get(key).ok_or_else(|| format!("the plan has no `{key}`"));
        let damage: protocol::Damage = serde_json::from_value(told("damage")?.clone())
            .map_err(|error| format!("the plan's `damage` cannot be read: {error}"))?;
        let seed = told("seed")?.as_u64().ok_or("the plan's `seed` is no number")?;
        let files = told("files")?.as_str().unwrap_or_default().to_owned();
        let restore = told("restore")? == &Value::Bool(true);
        let harm = |(index, node): (usize, &Name)| {
            let (at, files) = (folder(field, plan, node)?, files.clone());
            // By hand the files may be nobody's; no two nodes have the same bad luck.
            let (pid, seed) = (field.daemon(node).ok(), seed + index as u64);
            Ok((node.clone(), Harm::Damage { pid, at, files, damage, seed, restore }))
        };
        let harms = nodes.iter().enumerate().map(harm).collect::<Result<_, String>>()?;
        Ok(Aim { harms, nodes, summary, ..Aim::default() })
    }

    async fn inject(&self, field: &Field, id: u64, aim: &Aim) -> Result<(), String> {
        aim::inject(field, id, aim, || self.heal(field, id, aim)).await?;
        aim::start_again(field, &aim.nodes).await.map(drop)
    }

    async fn heal(&self, field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
        aim::heal_and_start(field, id, aim).await
    }
}
