//! Which nodes a fault of processes is aimed at.

use serde_json::json;
use tribunal_generator::Rng;
use tribunal_history::{Map, Name, Value};

use super::partition::{shuffled, sorted};
use super::{Aim, FaultOption, Options, Plan, PlanError};
use crate::agent::protocol::Harm;
use crate::field::Field;

const WANTED: &str = "one, minority, primaries, all-but-one, all, a node, or a list of nodes";

/// A choice of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One node.
    One,
    /// As many as may fail at once.
    Minority,
    /// Those that hold themselves primary when the time has come.
    Primaries,
    /// Every node but one.
    AllButOne,
    /// Every node.
    All,
    /// These.
    Given(Vec<Name>),
}

impl Target {
    /// The one that was chosen, or one of `usual`.
    pub fn choose(
        fault: &'static str,
        options: &Options,
        usual: &[Target],
        nodes: &[Name],
        rng: &mut Rng,
    ) -> Result<Target, PlanError> {
        let Some(value) = options.get(OPTION.name) else { return Ok(rng.pick(usual).clone()) };
        let known =
            [Target::One, Target::Minority, Target::Primaries, Target::AllButOne, Target::All];
        if let Some(target) = known.into_iter().find(|target| value == target.name()) {
            return Ok(target);
        }
        let (option, value) = (OPTION.name, value.clone());
        let names = match &value {
            Value::Array(names) => names.iter().map(Value::as_str).collect::<Option<Vec<&str>>>(),
            // A word that is no node's name is more likely a slip in one of the others.
            Value::String(name) if nodes.iter().any(|node| **node == **name) => {
                Some(vec![name.as_str()])
            }
            _ => None,
        };
        match names.filter(|names| !names.is_empty()) {
            None => Err(PlanError::BadOption { fault, option, value, wanted: WANTED }),
            Some(names) => match given(nodes, &names) {
                Ok(given) => Ok(Target::Given(given)),
                Err(why) => Err(PlanError::Nonsense { fault, option, value, why }),
            },
        }
    }

    /// As users write it.
    pub fn name(&self) -> &'static str {
        match self {
            Target::One => "one",
            Target::Minority => "minority",
            Target::Primaries => "primaries",
            Target::AllButOne => "all-but-one",
            Target::All => "all",
            Target::Given(_) => "given",
        }
    }

    /// Nodes of that choice. For primaries: the one that is taken instead where
    /// nobody can say who is primary.
    pub fn draw(&self, nodes: &[Name], rng: &mut Rng) -> Vec<Name> {
        let count = match self {
            Target::Given(given) => return given.clone(),
            Target::One | Target::Primaries => 1,
            Target::Minority => (nodes.len().saturating_sub(1) / 2).max(1),
            Target::AllButOne => (nodes.len() - 1).max(1),
            Target::All => nodes.len(),
        };
        sorted(&shuffled(nodes, rng)[..count])
    }
}

/// The option, for a fault's table.
pub const OPTION: FaultOption = FaultOption {
    name: "target",
    doc: "One, minority, primaries, all-but-one, all, a node (\"n2\") or a list of nodes; by default drawn anew.",
};

/// The nodes of those names, in order.
fn given(nodes: &[Name], names: &[&str]) -> Result<Vec<Name>, String> {
    let mut given: Vec<Name> = Vec::new();
    for name in names {
        let node = node(nodes, name)?;
        if given.contains(&node) {
            return Err(format!("{node} is in it twice"));
        }
        given.push(node);
    }
    Ok(sorted(&given))
}

/// The node of that name.
pub fn node(nodes: &[Name], name: &str) -> Result<Name, String> {
    let found = nodes.iter().find(|node| ***node == *name).cloned();
    found.ok_or_else(|| format!("there is no node `{name}` among {}", super::list(nodes)))
}

/// The directed links that are written as "n1>n2": what n1 sends to n2.
pub fn directed(nodes: &[Name], links: &[&str]) -> Result<Vec<(Name, Name)>, String> {
    let mut directed: Vec<(Name, Name)> = Vec::new();
    for text in links {
        let ends = text
            .split_once('>')
            .ok_or_else(|| format!("`{text}` is no link; say `n1>n2` for what n1 sends to n2"))?;
        let link = (node(nodes, ends.0.trim())?, node(nodes, ends.1.trim())?);
        if link.0 == link.1 {
            return Err(format!("there is no link from {} to itself", link.0));
        }
        if directed.contains(&link) {
            return Err(format!("{}>{} is in it twice", link.0, link.1));
        }
        directed.push(link);
    }
    Ok(directed)
}

/// Links as they are written.
pub fn written(directed: &[(Name, Name)]) -> String {
    let written: Vec<String> = directed.iter().map(|(from, to)| format!("{from}>{to}")).collect();
    written.join(" ")
}

/// Draws a plan for a fault that harms the daemons of some nodes.
pub fn draw(
    fault: &'static str,
    nodes: &[Name],
    options: &Options,
    rng: &mut Rng,
) -> Result<Plan, PlanError> {
    draw_of(&[Target::One, Target::Minority, Target::Primaries], fault, nodes, options, rng)
}

/// The same, of these where nothing is chosen.
pub fn draw_of(
    usual: &[Target],
    fault: &'static str,
    nodes: &[Name],
    options: &Options,
    rng: &mut Rng,
) -> Result<Plan, PlanError> {
    let target = Target::choose(fault, options, usual, nodes, rng)?;
    if nodes.is_empty() {
        return Err(PlanError::TooFewNodes { fault, needs: 1, has: 0 });
    }
    Ok(plan(&target, &target.draw(nodes, rng)))
}

/// A plan aimed at nodes: who they are, and for primaries who is hit otherwise.
pub fn plan(target: &Target, drawn: &[Name]) -> Plan {
    let mut data = Map::from_iter([("target".to_owned(), Value::from(target.name()))]);
    if *target == Target::Primaries {
        data.insert("otherwise".to_owned(), json!(drawn));
        return Plan { nodes: Vec::new(), summary: "primaries".to_owned(), data };
    }
    Plan { nodes: drawn.to_vec(), summary: super::list(drawn), data }
}

/// Who is hit, now.
pub async fn resolve(field: &Field, plan: &Plan) -> Result<(Vec<Name>, String), String> {
    if plan.data.get("target") != Some(&Value::from(Target::Primaries.name())) {
        return Ok((plan.nodes.clone(), plan.summary.clone()));
    }
    let primaries = sorted(&field.primaries().await?);
    if !primaries.is_empty() {
        let summary = format!("primaries: {}", super::list(&primaries));
        return Ok((primaries, summary));
    }
    let otherwise = plan.data.get("otherwise").cloned().unwrap_or_default();
    let otherwise: Vec<Name> = serde_json::from_value(otherwise).unwrap_or_default();
    let summary = format!("{} (no node holds itself primary)", super::list(&otherwise));
    Ok((otherwise, summary))
}

/// Aims at the daemons of those nodes, each with the harm of its process.
pub async fn aim(
    field: &Field,
    plan: &Plan,
    harm: impl Fn(u32) -> Harm + Send,
) -> Result<Aim, String> {
    let (nodes, summary) = resolve(field, plan).await?;
    let harm = |node: &Name| Ok((node.clone(), harm(field.daemon(node)?)));
    let harms = nodes.iter().map(harm).collect::<Result<_, String>>()?;
    Ok(Aim { harms, nodes, summary, ..Aim::default() })
}

#[cfg(test)]
mod tests {
    use tribunal_generator::Seed;

    use super::super::tests::nodes;
    use super::*;

    fn aimed(target: Value) -> Result<Plan, String> {
        let options = Options::from_iter([(OPTION.name.to_owned(), target)]);
        draw("kill", &nodes(3), &options, &mut Seed(1).stream("t"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn nodes_may_be_given_by_name() {
        assert_eq!(aimed(json!("n2")).unwrap().nodes, ["n2".into()]);
        assert_eq!(aimed(json!(["n3", "n1"])).unwrap().nodes, ["n1".into(), "n3".into()]);
    }

    #[test]
    fn who_is_no_node_is_named() {
        let told = |target| aimed(target).unwrap_err();
        assert!(told(json!(["n1", "n9"])).contains("there is no node `n9` among"));
        assert!(told(json!(["n1", "n1"])).contains("n1 is in it twice"));
        for nothing in [json!("n9"), json!([]), json!([1]), json!(2)] {
            assert!(told(nothing).contains("it must be one, minority, primaries"));
        }
    }
}
