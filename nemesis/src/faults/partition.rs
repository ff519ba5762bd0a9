//! What all partitions share: who drops whose packets (Jepsen's grudge), and on which ports.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value, json};
use tribunal_generator::Rng;
use tribunal_history::{Effect, Map, Name};

use super::about::{About, LATE};
use super::aim::look;
use super::given::Given;
use super::{Aim, Fault, FaultOption, Needs, Options, Plan, PlanError, Toll, ports};
use crate::agent::protocol::{Harm, Request, Source};
use crate::field::Field;

/// How all partitions are seen to act.
const SEEN: &str = "the rules' counters on each victim: packets from every source were dropped";

/// What all partitions cost.
const COST: &str = "45-50 ms to inject and see (one `nft` a node), 100 ms on busy cores; a few rules for every packet";

/// Of a shape of which nothing must be chosen.
pub const NONE: fn(&[Name]) -> Options = |_| Options::new();

/// For each node, whose packets it drops.
pub type Cuts = BTreeMap<Name, Vec<Name>>;

/// A partition, as drawn.
pub struct Drawn {
    /// Who drops what.
    pub cuts: Cuts,
    /// The nodes that are harmed: one for a node that is cut off, else all it touches.
    pub nodes: Vec<Name>,
    /// In words.
    pub summary: String,
    /// The shape's name, where it was drawn as well.
    pub shape: Option<&'static str>,
}

impl Drawn {
    /// Where every node that loses a link counts as harmed.
    pub fn of(cuts: Cuts, summary: String) -> Self {
        let nodes = cuts.keys().cloned().collect();
        Self { cuts, nodes, summary, shape: None }
    }
}

/// A shape of partition.
pub struct Partition {
    /// What it tells of itself; among its options are the ports.
    pub about: About,
    /// How many nodes it takes.
    pub needs: usize,
    /// What must be chosen, as an example.
    pub example: fn(&[Name]) -> Options,
    /// Draws one for nodes enough.
    pub draw: fn(&[Name], &Given, &mut Rng) -> Result<Drawn, PlanError>,
}

/// What partitions tell alike, with what is each one's own.
pub const fn about(
    name: &'static str,
    doc: &'static str,
    options: &'static [FaultOption],
) -> About {
    About { name, doc, options, needs: Needs::Nft, assumes: LATE, seen: SEEN, cost: COST }
}

#[async_trait]
impl Fault for Partition {
    fn about(&self) -> &About {
        &self.about
    }

    fn example(&self, nodes: &[Name]) -> Options {
        (self.example)(nodes)
    }

    fn toll(&self, plan: &Plan) -> Toll {
        let cuts: Cuts = serde_json::from_value(plan.data.get("cuts").cloned().unwrap_or_default())
            .unwrap_or_default();
        if cuts.is_empty() {
            return Toll::nodes(plan);
        }
        let links = cuts.iter().flat_map(|(victim, sources)| {
            sources.iter().map(move |source| (source.clone(), victim.clone()))
        });
        Toll { cut: links.collect(), ..Toll::default() }
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        if nodes.len() < self.needs {
            let (needs, has) = (self.needs, nodes.len());
            return Err(PlanError::TooFewNodes { fault: self.about.name, needs, has });
        }
        let given = Given::new(self.about.name, options);
        let ports = ports::of(&given)?;
        let drawn = (self.draw)(nodes, &given, rng)?;
        let mut data = Map::from_iter([("cuts".to_owned(), json!(drawn.cuts))]);
        data.extend(drawn.shape.map(|shape| ("shape".to_owned(), Value::from(shape))));
        if !ports.is_empty() {
            data.insert("ports".to_owned(), json!(ports));
        }
        Ok(Plan { nodes: drawn.nodes, summary: drawn.summary + &ports::words(&ports), data })
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let cuts: Cuts = read(plan, "cuts")?;
        let harms = harms(field, &cuts, &read::<Vec<u16>>(plan, "ports")?)?;
        let (nodes, summary) = (plan.nodes.clone(), plan.summary.clone());
        Ok(Aim { harms, nodes, summary, ..Aim::default() })
    }

    async fn observe(&self, field: &Field, id: u64, aim: &Aim) -> Effect {
        observe(field, id, aim).await
    }
}

/// A part of a plan; what is absent is empty.
pub fn read<T: Default + serde::de::DeserializeOwned>(
    plan: &Plan,
    part: &str,
) -> Result<T, String> {
    let Some(value) = plan.data.get(part) else { return Ok(T::default()) };
    T::deserialize(value).map_err(|error| format!("the plan's `{part}` cannot be read: {error}"))
}

/// What each node is to drop, by the addresses that nodes have now.
pub fn harms(field: &Field, cuts: &Cuts, ports: &[u16]) -> Result<BTreeMap<Name, Harm>, String> {
    let source = |node: &Name| {
        let addresses = field.addresses(node)?.to_vec();
        Ok(Source { node: node.to_string(), addresses })
    };
    let harm = |(node, sources): (&Name, &Vec<Name>)| {
        let sources = sources.iter().map(source).collect::<Result<_, String>>()?;
        Ok((node.clone(), Harm::Cut { sources, ports: ports.to_vec() }))
    };
    cuts.iter().map(harm).collect()
}

/// A quiet database sends nothing that could be dropped, so the sources send
/// something themselves.
pub async fn observe(field: &Field, id: u64, aim: &Aim) -> Effect {
    let mut effect = Effect::default();
    for _ in 0..3 {
        field.ask_all(knocks(field, aim)).await;
        effect = look(field, id, aim).await;
        if effect.observed {
            break;
        }
    }
    effect
}

/// What each source is to send to those who drop its packets, and to which of their ports: one that
/// is cut, if not all are.
fn knocks(field: &Field, aim: &Aim) -> Vec<(Name, Request)> {
    let mut knocks: BTreeMap<(&str, Option<u16>), Vec<_>> = BTreeMap::new();
    for (victim, harm) in &aim.harms {
        let (Harm::Cut { sources, ports }, Ok(addresses)) = (harm, field.addresses(victim)) else {
            continue;
        };
        for source in sources {
            knocks.entry((&source.node, ports.first().copied())).or_default().extend(addresses);
        }
    }
    let knock = |((node, port), addresses): ((&str, _), _)| {
        (node.into(), Request::Knock { addresses, port, count: 3 })
    };
    knocks.into_iter().map(knock).collect()
}

/// Cuts every link between the groups, both ways.
pub fn apart(groups: &[&[Name]]) -> Cuts {
    let mut cuts = Cuts::new();
    for (index, group) in groups.iter().enumerate() {
        let others = groups.iter().enumerate().filter(|(other, _)| *other != index);
        let mut others: Vec<Name> = others.flat_map(|(_, group)| group.iter().cloned()).collect();
        others.sort();
        cuts.extend(group.iter().map(|node| (node.clone(), others.clone())));
    }
    cuts
}

/// Cuts these directed links: each from whom, to whom.
pub fn links<'n>(links: impl IntoIterator<Item = (&'n Name, &'n Name)>) -> Cuts {
    let mut cuts = Cuts::new();
    for (from, to) in links {
        cuts.entry(to.clone()).or_default().push(from.clone());
    }
    cuts.values_mut().for_each(|sources| sources.sort());
    cuts
}

/// The nodes in an order of chance.
pub fn shuffled(nodes: &[Name], rng: &mut Rng) -> Vec<Name> {
    let mut nodes = nodes.to_vec();
    rng.shuffle(&mut nodes);
    nodes
}

/// The nodes of a group in the order of their names.
pub fn sorted(nodes: &[Name]) -> Vec<Name> {
    let mut nodes = nodes.to_vec();
    nodes.sort();
    nodes
}
