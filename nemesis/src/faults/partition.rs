//! What all partitions share: cuts, made as packet filter rules on the nodes.
//!
//! A cut is a node and whose packets it drops. Dropping is on the way in and
//! between nodes only, so the controller and the clients go on talking to all.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;
use tribunal_generator::Rng;
use tribunal_history::{Effect, Map, Name, Value};

use super::{Aim, Fault, Needs, Options, Plan, PlanError, look};
use crate::agent::protocol::{Harm, Request, Source};
use crate::field::Field;

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
    /// Its name, as users write it.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// How many nodes it takes.
    pub needs: usize,
    /// Draws one for nodes enough.
    pub draw: fn(&[Name], &mut Rng) -> Drawn,
}

#[async_trait]
impl Fault for Partition {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn needs(&self) -> Needs {
        Needs::Nft
    }

    fn seen(&self) -> &'static str {
        "the rules' counters on each victim: packets from every source were dropped"
    }

    fn cost(&self) -> &'static str {
        "25-30 ms to inject and see (one `nft` a node), 100 ms on busy cores; one rule for every packet"
    }

    fn draw(&self, nodes: &[Name], _: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        if nodes.len() < self.needs {
            let (needs, has) = (self.needs, nodes.len());
            return Err(PlanError::TooFewNodes { fault: self.name, needs, has });
        }
        let drawn = (self.draw)(nodes, rng);
        let mut data = Map::from_iter([("cuts".to_owned(), json!(drawn.cuts))]);
        data.extend(drawn.shape.map(|shape| ("shape".to_owned(), Value::from(shape))));
        Ok(Plan { nodes: drawn.nodes, summary: drawn.summary, data })
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let cuts = plan.data.get("cuts").cloned().unwrap_or_default();
        let cuts: Cuts = serde_json::from_value(cuts)
            .map_err(|error| format!("the plan's `cuts` cannot be read: {error}"))?;
        let source = |node: &Name| {
            let address = field.address(node)?;
            Ok(Source { node: node.to_string(), address })
        };
        let harm = |(node, sources): (&Name, &Vec<Name>)| {
            let sources = sources.iter().map(source).collect::<Result<_, String>>()?;
            Ok((node.clone(), Harm::Cut { sources }))
        };
        let harms = cuts.iter().map(harm).collect::<Result<_, String>>()?;
        let (nodes, summary) = (plan.nodes.clone(), plan.summary.clone());
        Ok(Aim { harms, nodes, summary, ..Aim::default() })
    }

    /// A quiet database sends nothing that could be dropped, so the sources send
    /// something themselves.
    async fn observe(&self, field: &Field, id: u64, aim: &Aim) -> Effect {
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
}

/// What each source is to send to those who drop its packets.
fn knocks(field: &Field, aim: &Aim) -> Vec<(Name, Request)> {
    let mut addresses: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (victim, harm) in &aim.harms {
        let (Harm::Cut { sources }, Ok(address)) = (harm, field.address(victim)) else { continue };
        for source in sources {
            addresses.entry(&source.node).or_default().push(address);
        }
    }
    let knock =
        |(node, addresses): (&str, _)| (node.into(), Request::Knock { addresses, count: 3 });
    addresses.into_iter().map(knock).collect()
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
