//! What all faults of links share: directed links between nodes, and a rule for each. Between
//! local nodes the wire keeps it; a real host's kernel keeps the rules of the links from there,
//! as far as it can (`link_on_hosts`).

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tribunal_generator::Rng;
use tribunal_harness::cluster::local::wire::{Rule, Ruled, Tallied};
use tribunal_history::{Effect, Map, Name, Value};

use super::about::About;
use super::aim::look;
use super::given::{Drawn, Given};
use super::partition::shuffled;
use super::target::{directed, written};
use super::{Aim, Fault, FaultOption, Needs, Options, Place, Plan, PlanError, Toll, link_on_hosts};
use crate::agent::protocol::Request;
use crate::field::Field;

/// Datagrams that are sent at most so that a rule has something to act on.
const MOST_KNOCKS: u32 = 4000;

/// One kind of bad link.
pub struct LinkFault {
    /// What it tells of itself; among its options are the links.
    pub about: About,
    /// The rule, and what it is in words.
    pub draw: fn(&Given, &mut Rng) -> Drawn<Rule>,
}

/// How all of them are seen to act.
pub const SEEN: &str = "the wire's counters: on every link a packet was harmed; on hosts by datagrams that are \
                        counted where they arrive, and by the counters of `tc`. The agents send some where the \
                        database is quiet";
/// What a rule costs that leaves joined frames joined.
pub const FRAMES: &str = "2-10 ms to inject, 30 ms on busy cores; nothing on any other link";
/// What a rule costs that needs single frames.
pub const SINGLE_FRAMES: &str = "2-10 ms to inject, 30 ms on busy cores; the sender's nodes lose segmentation offload, \
     and with it throughput, for as long as it acts";

/// What chooses the links.
pub const LINKS: FaultOption = FaultOption {
    name: "links",
    doc: "One (directed), pair (both ways), node (all of one node's), all, or a list of links, [\"n1>n2\"]: what n1 sends to n2; by default drawn anew.",
};

const WANTED: &str = "one, pair, node, all, or a list of links, as in [\"n1>n2\", \"n2>n1\"]";

/// As a plan holds it: with it alone the fault can be injected again.
#[derive(Debug, Serialize, Deserialize)]
struct Planned {
    seed: u64,
    links: Vec<Ruled>,
}

#[async_trait]
impl Fault for LinkFault {
    fn about(&self) -> &About {
        &self.about
    }

    fn refuses(&self, _: &Options, place: Place) -> Option<String> {
        (self.about.needs == Needs::Wire && place == Place::Hosts).then(|| {
            "it harms the links of local nodes; no kernel of a host can do it: leave it out, or \
             use --local"
                .to_owned()
        })
    }

    /// A link is as good as cut where nothing comes, or less than half: no connection outlives that.
    fn toll(&self, plan: &Plan) -> Toll {
        let planned = serde_json::from_value(Value::Object(plan.data.clone()));
        let links = planned.map_or_else(|_| Vec::new(), |planned: Planned| planned.links);
        let dead = |it: &Ruled| it.rule.hold || it.rule.loss > 0.5 || it.rule.corrupt > 0.5;
        let cut = links.iter().filter(|it| dead(it));
        let cut = cut.map(|it| (it.from.as_str().into(), it.to.as_str().into())).collect();
        Toll { cut, ..Toll::default() }
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        if nodes.len() < 2 {
            return Err(PlanError::TooFewNodes {
                fault: self.about.name,
                needs: 2,
                has: nodes.len(),
            });
        }
        let (pairs, which) = self.links(nodes, options, rng)?;
        let (rule, what) = (self.draw)(&Given::new(self.about.name, options), rng)?;
        let ruled = |(from, to): &(Name, Name)| Ruled {
            from: from.to_string(),
            to: to.to_string(),
            rule: rule.clone(),
        };
        // 53 bits: what JSON carries exactly everywhere.
        let planned = Planned { seed: rng.bits() >> 11, links: pairs.iter().map(ruled).collect() };
        let touched: BTreeSet<&Name> = pairs.iter().flat_map(|(from, to)| [from, to]).collect();
        let data = match json!(planned) {
            Value::Object(data) => data,
            _ => Map::new(),
        };
        let nodes = touched.into_iter().cloned().collect();
        Ok(Plan { nodes, summary: format!("{which}: {what}"), data })
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let Planned { seed, links } = serde_json::from_value(Value::Object(plan.data.clone()))
            .map_err(|error| format!("the plan's links cannot be read: {error}"))?;
        let (nodes, summary) = (plan.nodes.clone(), plan.summary.clone());
        if !field.has_wire() {
            let harms = link_on_hosts::harms(field, &links)?;
            return Ok(Aim { harms, nodes, summary, ..Aim::default() });
        }
        Ok(Aim { links, seed, nodes, summary, ..Aim::default() })
    }

    /// A quiet database sends nothing that could be harmed, so the senders send something themselves.
    async fn observe(&self, field: &Field, id: u64, aim: &Aim) -> Effect {
        if !field.has_wire() {
            return link_on_hosts::observe(field, id, aim).await;
        }
        let mut effect = look(field, id, aim).await;
        for _ in 0..3 {
            if effect.observed {
                break;
            }
            field.ask_all(knocks(field, aim)).await;
            effect = look(field, id, aim).await;
        }
        effect
    }
}

impl LinkFault {
    fn links(
        &self,
        nodes: &[Name],
        options: &Options,
        rng: &mut Rng,
    ) -> Result<(Vec<(Name, Name)>, String), PlanError> {
        const KINDS: [&str; 4] = ["one", "pair", "node", "all"];
        let drawn = *rng.pick(&KINDS);
        let order = shuffled(nodes, rng);
        let given = Given::new(self.about.name, options);
        let kind = match given.value(LINKS.name) {
            None => drawn,
            Some(Value::Array(links)) => {
                let links = links.iter().map(Value::as_str).collect::<Option<Vec<&str>>>();
                let links = links.filter(|links| !links.is_empty());
                let links = links.ok_or_else(|| given.refusal(LINKS.name, WANTED))?;
                let links = directed(nodes, &links);
                let links = links.map_err(|why| given.nonsense(LINKS.name, why))?;
                let told = written(&links);
                return Ok((links, told));
            }
            Some(value) => KINDS
                .into_iter()
                .find(|kind| value == kind)
                .ok_or_else(|| given.refusal(LINKS.name, WANTED))?,
        };
        let (first, second) = (&order[0], &order[1]);
        let all = nodes.iter().flat_map(|from| nodes.iter().map(move |to| (from, to)));
        let all = all.filter(|(from, to)| from != to).map(|(from, to)| (from.clone(), to.clone()));
        Ok(match kind {
            "one" => (vec![(first.clone(), second.clone())], format!("{first} to {second}")),
            "pair" => {
                let there = (first.clone(), second.clone());
                let back = (second.clone(), first.clone());
                (vec![there, back], format!("between {first} and {second}"))
            }
            "node" => {
                let of_first = |(from, to): &(Name, Name)| from == first || to == first;
                (all.filter(of_first).collect(), format!("to and from {first}"))
            }
            _ => (all.collect(), "all links".to_owned()),
        })
    }
}

/// What each sender is to send, so often that the rarest chance of the rule comes up.
fn knocks(field: &Field, aim: &Aim) -> Vec<(Name, Request)> {
    let mut addresses: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    let mut count = 3;
    for Ruled { from, to, rule } in &aim.links {
        let Ok(address) = field.address(&Name::from(to.as_str())) else { continue };
        addresses.entry(from).or_default().push(address);
        let shares = [rule.loss, rule.duplicate, rule.corrupt, rule.reorder, rule.replay];
        let rarest = shares.into_iter().filter(|&it| it > 0.0).fold(1.0, f64::min);
        count = count.max(((6.0 / rarest) as u32).min(MOST_KNOCKS));
    }
    let knock = |(node, addresses): (&str, _)| {
        (node.into(), Request::Knock { addresses, port: None, count })
    };
    addresses.into_iter().map(knock).collect()
}

/// What rules did, as an effect: observed where every link harmed a frame.
pub fn effect(links: &[Tallied]) -> Effect {
    let observed = !links.is_empty() && links.iter().all(|link| link.tally.harmed() > 0);
    let evidence = links.iter().map(|Tallied { from, to, tally }| {
        let harms = [
            (tally.delayed, "delayed"),
            (tally.lost, "lost"),
            (tally.duplicated, "doubled"),
            (tally.corrupted, "altered"),
            (tally.reordered, "overtaken"),
            (tally.replayed, "replayed"),
            (tally.held, "held"),
        ];
        let harms: Vec<String> = harms
            .into_iter()
            .filter(|&(count, _)| count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let harms = if harms.is_empty() { "none harmed".to_owned() } else { harms.join(", ") };
        format!("{from} to {to}: {} frames, {harms}", tally.frames)
    });
    Effect { observed, evidence: evidence.collect() }
}

#[cfg(test)]
mod tests {
    use tribunal_generator::Seed;

    use super::super::tests::nodes;
    use super::super::{find, plan};
    use super::*;

    fn planned(links: Value) -> Result<Plan, String> {
        let options = Options::from_iter([(LINKS.name.to_owned(), links)]);
        let fault = find("link-slow").expect("there is one");
        let plan = plan(fault, &nodes(3), &options, &mut Seed(1).stream("t"));
        plan.map_err(|error| error.to_string())
    }

    #[test]
    fn links_may_be_given_by_name() {
        let plan = planned(json!(["n3>n1", "n1>n3"])).expect("a plan");
        assert!(plan.summary.starts_with("n3>n1 n1>n3: "), "{}", plan.summary);
        assert_eq!(plan.nodes, ["n1".into(), "n3".into()]);
        let ends: Vec<[&Value; 2]> = plan.data["links"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|link| [&link["from"], &link["to"]])
            .collect();
        assert_eq!(ends, [[&json!("n3"), &json!("n1")], [&json!("n1"), &json!("n3")]]);
    }

    #[test]
    fn what_is_no_link_is_named() {
        let told = |links| planned(links).expect_err("no plan");
        assert!(told(json!(["n1>n9"])).ends_with(": there is no node `n9` among n1 n2 n3"));
        assert!(told(json!(["n1>n1"])).ends_with(": there is no link from n1 to itself"));
        assert!(told(json!(["n1>n2", "n1>n2"])).ends_with(": n1>n2 is in it twice"));
        let wanted = "it must be one, pair, node, all, or a list of links, as in [\"n1>n2\"";
        for bad in [json!([]), json!([7]), json!("n1>n2"), json!(true)] {
            let told = told(bad);
            assert!(told.contains(wanted), "{told}");
        }
    }
}
