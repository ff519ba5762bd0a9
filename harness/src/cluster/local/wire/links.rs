//! All directed links of a wire, with the layers that faults have put on them. Pure: it
//! is given frames and the time, and says when they arrive.

use std::collections::BTreeMap;

use tribunal_generator::Seed;

use super::layer::{Layer, Passage};
use super::protocol::{Ruled, Tallied};
use super::tap::PREFIX;

/// A port's place.
pub type Port = usize;

/// Whose rules: a connection to the wire, and its number for the fault.
pub type Owner = (u64, u64);

/// What faults do to which links.
#[derive(Default)]
pub struct Links {
    /// The names of the ports.
    names: Vec<String>,
    /// The layers of each link from port to port, row by row, in the order of their owners.
    layers: Vec<BTreeMap<Owner, Layer>>,
    /// The frames that rules hold: whose, and where they go.
    held: Vec<(Owner, Port, Vec<u8>)>,
    held_bytes: usize,
}

/// Held frames take no more memory than this; what comes then is lost.
const MOST_HELD: usize = 256 << 20;

impl Links {
    /// Whole links between ports of these names.
    pub fn new(names: Vec<String>) -> Self {
        let layers = (0..names.len() * names.len()).map(|_| BTreeMap::new()).collect();
        Self { names, layers, held: Vec::new(), held_bytes: 0 }
    }

    fn port(&self, name: &str) -> Result<Port, String> {
        let there = self.names.iter().position(|it| it == name);
        there.ok_or_else(|| format!("there is no node {name} on this wire"))
    }

    /// Puts a fault's rules on its links: on all of them, or on none.
    pub fn impose(&mut self, owner: Owner, seed: u64, links: &[Ruled]) -> Result<(), String> {
        let mut places = Vec::new();
        for Ruled { from, to, rule } in links {
            let place = self.port(from)? * self.names.len() + self.port(to)?;
            if let Some(why) = rule.fault() {
                return Err(format!("the rule for {from} to {to} makes no sense: {why}"));
            }
            if from == to {
                return Err(format!("there is no link from {from} to itself"));
            }
            if places.contains(&place) || self.layers[place].contains_key(&owner) {
                return Err(format!("fault {} has a rule for {from} to {to} already", owner.1));
            }
            places.push(place);
        }
        for (place, Ruled { from, to, rule }) in places.into_iter().zip(links) {
            let chance = Seed(seed).stream(&format!("{from}>{to}"));
            self.layers[place].insert(owner, Layer::new(rule.clone(), chance));
        }
        Ok(())
    }

    /// What a fault's rules did.
    pub fn tallies(&self, owner: Owner) -> Vec<Tallied> {
        let of = |(place, layers): (usize, &BTreeMap<Owner, Layer>)| {
            let tally = layers.get(&owner)?.tally;
            let name = |port: Port| self.names[port].clone();
            let (from, to) = (name(place / self.names.len()), name(place % self.names.len()));
            Some(Tallied { from, to, tally })
        };
        self.layers.iter().enumerate().filter_map(of).collect()
    }

    /// Takes rules away; the frames that they held are given back, in order, each with where it goes.
    pub fn lift(&mut self, whose: impl Fn(Owner) -> bool) -> Vec<(Port, Vec<u8>)> {
        for layers in &mut self.layers {
            layers.retain(|&owner, _| !whose(owner));
        }
        let held = std::mem::take(&mut self.held);
        let (freed, kept): (Vec<_>, Vec<_>) = held.into_iter().partition(|it| whose(it.0));
        self.held = kept;
        self.held_bytes = self.held.iter().map(|(_, _, frame)| frame.len()).sum();
        freed.into_iter().map(|(_, to, frame)| (to, frame)).collect()
    }

    /// Whether a port must send frames one by one, because of what happens to them.
    pub fn needs_single_frames(&self, from: Port) -> bool {
        let row = &self.layers[from * self.names.len()..(from + 1) * self.names.len()];
        row.iter().any(|layers| layers.values().any(|it| it.rule().needs_single_frames()))
    }

    /// Whether nothing happens to what goes from one port to another.
    pub fn is_whole(&self, from: Port, to: Port) -> bool {
        self.layers[from * self.names.len() + to].is_empty()
    }

    /// Sends a frame through all layers of its link; its passages are added to `out`.
    pub fn pass(&mut self, from: Port, to: Port, now: u64, frame: &[u8], out: &mut Vec<Passage>) {
        // A TAP's prefix is on no wire.
        let bytes = frame.len().saturating_sub(PREFIX);
        out.clear();
        out.push(Passage { due: now, flip: None });
        for (&owner, layer) in &mut self.layers[from * self.names.len() + to] {
            for passage in std::mem::take(out) {
                layer.pass(passage, bytes, &mut |it| out.push(it));
            }
            if layer.rule().hold && self.held_bytes + frame.len() <= MOST_HELD {
                self.held_bytes += frame.len();
                self.held.push((owner, to, frame.to_vec()));
            }
            if out.is_empty() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule::Rule;
    use super::*;

    fn links() -> Links {
        Links::new(["controller", "n1", "n2"].map(str::to_owned).to_vec())
    }

    fn ruled(from: &str, to: &str, rule: Rule) -> Ruled {
        Ruled { from: from.to_owned(), to: to.to_owned(), rule }
    }

    /// How long a frame takes that leaves at `now`, once for each time that it comes.
    fn delays(links: &mut Links, from: Port, to: Port, now: u64) -> Vec<u64> {
        let mut out = Vec::new();
        links.pass(from, to, now, &[0; 60], &mut out);
        out.into_iter().map(|passage| passage.due - now).collect()
    }

    #[test]
    fn rules_are_for_one_direction_and_add_up() {
        let mut links = links();
        let delay = |delay_ns| Rule { delay_ns, ..Rule::default() };
        links.impose((0, 1), 7, &[ruled("n1", "n2", delay(10))]).unwrap();
        assert_eq!(delays(&mut links, 1, 2, 100), [10]);
        assert_eq!(delays(&mut links, 2, 1, 100), [0]);
        links.impose((0, 2), 7, &[ruled("n1", "n2", delay(5))]).unwrap();
        assert_eq!(delays(&mut links, 1, 2, 200), [15]);
        let twice = Rule { duplicate: 1.0, ..Rule::default() };
        links.impose((1, 1), 7, &[ruled("n1", "n2", twice)]).unwrap();
        assert_eq!(delays(&mut links, 1, 2, 300), [15, 15]);
        assert_eq!(links.tallies((0, 1))[0].tally.delayed, 3);
        links.lift(|owner| owner == (0, 1));
        // Nobody overtakes a frame that is still on its way.
        assert_eq!(delays(&mut links, 1, 2, 301), [14, 14]);
        assert_eq!(delays(&mut links, 1, 2, 400), [5, 5]);
        links.lift(|(connection, _)| connection == 0);
        assert_eq!(delays(&mut links, 1, 2, 500), [0, 0]);
        links.lift(|_| true);
        assert!(links.is_whole(1, 2));
    }

    #[test]
    fn held_frames_come_when_the_rule_ends() {
        let mut links = links();
        let hold = Rule { hold: true, ..Rule::default() };
        links.impose((0, 1), 7, &[ruled("n1", "n2", hold)]).unwrap();
        let mut out = Vec::new();
        for byte in [1, 2] {
            links.pass(1, 2, 100, &[byte], &mut out);
            assert_eq!(out, []);
        }
        assert_eq!(links.lift(|owner| owner == (0, 2)), []);
        assert_eq!(links.lift(|owner| owner == (0, 1)), [(2, vec![1]), (2, vec![2])]);
        assert_eq!(delays(&mut links, 1, 2, 100), [0]);
    }

    #[test]
    fn all_rules_of_a_fault_or_none() {
        let mut links = links();
        let loss = || Rule { loss: 0.5, ..Rule::default() };
        let refused =
            |links: &mut Links, ruled: Vec<Ruled>| links.impose((0, 1), 7, &ruled).unwrap_err();
        let stranger = vec![ruled("n1", "n2", loss()), ruled("n1", "n9", loss())];
        assert_eq!(refused(&mut links, stranger), "there is no node n9 on this wire");
        let twice = vec![ruled("n1", "n2", loss()), ruled("n1", "n2", loss())];
        assert_eq!(refused(&mut links, twice), "fault 1 has a rule for n1 to n2 already");
        let none = vec![ruled("n1", "n2", Rule::default())];
        assert_eq!(
            refused(&mut links, none),
            "the rule for n1 to n2 makes no sense: it changes nothing"
        );
        assert_eq!(
            refused(&mut links, vec![ruled("n1", "n1", loss())]),
            "there is no link from n1 to itself"
        );
        assert!(links.is_whole(1, 2));
        links.impose((0, 1), 7, &[ruled("n1", "n2", loss())]).unwrap();
        assert!(links.needs_single_frames(1) && !links.needs_single_frames(2));
    }
}
