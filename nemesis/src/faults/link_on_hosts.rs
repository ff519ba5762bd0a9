//! Bad links between real hosts: what each sender's agent is to do, and how it is seen.
//!
//! A netem counts what it drops and nothing else, so the agents also exchange datagrams over the
//! links: counted where they arrive, and timed where they come back. That some do not arrive shows
//! nothing: a busy host, or a switch between, loses some of its own accord.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

use tribunal_harness::cluster::local::wire::{Rule, Ruled};
use tribunal_history::{Effect, Name};

use super::aim::{Aim, look};
use crate::agent::datagrams::{Count, Echoes, Heard};
use crate::agent::protocol::{Harm, Reply, Request, Toward};
use crate::field::Field;

/// Datagrams that are sent at most over a link.
const MOST: u32 = 2000;
/// Their size: a narrow link is to be narrow for them.
const BYTES: u16 = 400;
/// How long the last ones are waited for at most, in milliseconds.
const LONGEST_MS: u64 = 3000;
/// A round trip that is this much of the delay longer is a late one: clocks and netem round.
const LATE: f64 = 0.9;

/// The harms on each sender.
pub fn harms(field: &Field, links: &[Ruled]) -> Result<BTreeMap<Name, Harm>, String> {
    let mut by_sender: BTreeMap<Name, Vec<Toward>> = BTreeMap::new();
    for Ruled { from, to, rule } in links {
        let address = field.address(&Name::from(to.as_str()))?;
        let link = Toward { node: to.clone(), address, rule: rule.clone() };
        by_sender.entry(from.as_str().into()).or_default().push(link);
    }
    Ok(by_sender.into_iter().map(|(from, links)| (from, Harm::Links { links })).collect())
}

/// A link, and what came of the datagrams over it.
struct Probe {
    from: Name,
    link: Toward,
    heard: Option<(Count, u64)>,
    echoes: Echoes,
}

/// Looks at the kernel's counters, and sends datagrams over every link.
pub async fn observe(field: &Field, id: u64, aim: &Aim) -> Effect {
    let links = links(aim);
    let count = links.iter().map(|(_, link)| enough(&link.rule)).max().unwrap_or(0);
    let probed = probe(field, links, count).await;
    // After the datagrams, so that the counters have counted some.
    let mut effect = look(field, id, aim).await;
    let probes = match probed {
        Ok(probes) => probes,
        Err(why) => {
            effect.evidence.push(why);
            return effect;
        }
    };
    let counted = effect.observed;
    let seen = probes.iter().all(|probe| probe.shows(count));
    let told = probes.iter().map(|probe| probe.in_words(count));
    effect.evidence = told.chain(effect.evidence).collect();
    effect.observed = counted || seen;
    effect
}

/// The links of an aim, each with its sender.
fn links(aim: &Aim) -> Vec<(Name, Toward)> {
    let mut all = Vec::new();
    for (from, harm) in &aim.harms {
        if let Harm::Links { links } = harm {
            all.extend(links.iter().map(|link| (from.clone(), link.clone())));
        }
    }
    all
}

/// So many that the rarest chance of a rule comes up.
fn enough(rule: &Rule) -> u32 {
    let shares = [rule.loss, rule.duplicate, rule.corrupt, rule.reorder];
    let rarest = shares.into_iter().filter(|&it| it > 0.0).fold(1.0, f64::min);
    ((8.0 / rarest) as u32).clamp(50, MOST)
}

async fn probe(
    field: &Field,
    links: Vec<(Name, Toward)>,
    count: u32,
) -> Result<Vec<Probe>, String> {
    let receivers: BTreeSet<Name> = links.iter().map(|(_, to)| to.node.as_str().into()).collect();
    let asked = |request: Request| {
        receivers.iter().map(move |node| (node.clone(), request.clone())).collect::<Vec<_>>()
    };
    let mut ports = BTreeMap::new();
    for (node, reply) in field.ask_all(asked(Request::Listen)).await {
        match reply? {
            Reply::Listening { port } => drop(ports.insert(node, port)),
            other => return Err(format!("{node}: the agent says {other:?}")),
        }
    }
    let mut back = exchange(field, &links, &ports, count).await?;
    let mut heard: BTreeMap<Name, Heard> = BTreeMap::new();
    for (node, reply) in field.ask_all(asked(Request::Heard)).await {
        if let Reply::Heard(all) = reply? {
            heard.insert(node, all);
        }
    }
    let mut probes = Vec::new();
    for (from, link) in links {
        let address: Option<IpAddr> = field.address(&from).ok();
        let heard = heard
            .get(&Name::from(link.node.as_str()))
            .and_then(|heard| Some((heard.from.get(&address?).cloned()?, heard.bad_checksums)));
        let echoes = back.get_mut(&from).and_then(VecDeque::pop_front).unwrap_or_default();
        probes.push(Probe { from, link, heard, echoes });
    }
    Ok(probes)
}

/// Has every sender send, at once; what came back, by sender, in the order of its links.
async fn exchange(
    field: &Field,
    links: &[(Name, Toward)],
    ports: &BTreeMap<Name, u16>,
    count: u32,
) -> Result<BTreeMap<Name, VecDeque<Echoes>>, String> {
    let mut to: BTreeMap<Name, Vec<SocketAddr>> = BTreeMap::new();
    let mut wait_ms = 0;
    for (from, link) in links {
        let Some(port) = ports.get(&Name::from(link.node.as_str())) else { continue };
        to.entry(from.clone()).or_default().push(SocketAddr::new(link.address, *port));
        wait_ms = wait_ms.max(patience_ms(&link.rule));
    }
    let mut sends = Vec::new();
    for (from, to) in to {
        sends.push((from, Request::Send { to, count, bytes: BYTES, wait_ms }));
    }
    let mut back = BTreeMap::new();
    for (node, reply) in field.ask_all(sends).await {
        if let Reply::Sent { echoes } = reply? {
            back.insert(node, VecDeque::from(echoes));
        }
    }
    Ok(back)
}

/// Both ways may be late, and the last ones are.
fn patience_ms(rule: &Rule) -> u64 {
    let late = rule.delay_ns + rule.jitter_ns + rule.reorder_ns;
    (300 + 3 * late / 1_000_000).min(LONGEST_MS)
}

impl Probe {
    /// Whether what came shows the rule at work. What is lost is for the netem's own counter to say;
    /// what was corrupted is known by its checksum, where it was refused for that.
    fn shows(&self, sent: u32) -> bool {
        let Some((count, bad)) = &self.heard else { return false };
        let rule = &self.link.rule;
        let lost = count.distinct < sent;
        let delay_us = rule.delay_ns.saturating_sub(rule.jitter_ns) as f64 / 1e3;
        let round_trip = self.echoes.round_trip_us.unwrap_or(0) as f64;
        // What passes a narrow link in its time, and one queue more.
        let bits = f64::from(count.received) * f64::from(BYTES) * 8.0;
        let fastest = bits / (count.span_us.max(1) as f64 / 1e6);
        rule.loss == 0.0
            && (rule.corrupt == 0.0 || (lost && *bad > 0))
            && (rule.duplicate == 0.0 || count.received > count.distinct)
            && (rule.reorder == 0.0 || count.overtaken > 0)
            && (rule.delay_ns == 0 || (round_trip > 0.0 && round_trip >= delay_us * LATE))
            && (rule.rate == 0 || fastest <= rule.rate as f64 * 1.2)
    }

    fn in_words(&self, sent: u32) -> String {
        let (from, to) = (&self.from, &self.link.node);
        let Some((count, bad)) = &self.heard else {
            return format!("{from} to {to}: none of {sent} datagrams came");
        };
        let mut words = format!("{from} to {to}: {} of {sent} datagrams came", count.distinct);
        let again = count.received - count.distinct;
        for (number, what) in [(again, "twice"), (count.overtaken, "overtaken")] {
            if number > 0 {
                words += &format!(", {number} {what}");
            }
        }
        if *bad > 0 {
            words += &format!(", {bad} with a bad checksum there");
        }
        if let Some(round_trip) = self.echoes.round_trip_us {
            words += &format!(", back after {:.1} ms", round_trip as f64 / 1e3);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(rule: Rule, heard: Option<Count>, round_trip_us: u64) -> bool {
        shows_with(rule, heard, round_trip_us, 0)
    }

    fn shows_with(rule: Rule, heard: Option<Count>, round_trip_us: u64, bad: u64) -> bool {
        let link = Toward { node: "n2".into(), address: "10.0.0.2".parse().unwrap(), rule };
        let echoes = Echoes { distinct: 1, round_trip_us: Some(round_trip_us) };
        let heard = heard.map(|count| (count, bad));
        Probe { from: "n1".into(), link, heard, echoes }.shows(100)
    }

    #[test]
    fn a_rule_is_seen_by_what_it_does_and_by_nothing_else() {
        let clean = Count { received: 100, distinct: 100, overtaken: 0, span_us: 30_000 };
        let fewer = Count { distinct: 91, received: 91, ..clean.clone() };
        let lossy = Rule { loss: 0.1, ..Rule::default() };
        assert!(!shows(lossy, Some(fewer.clone()), 300), "they may be lost elsewhere");
        let corrupting = Rule { corrupt: 0.1, ..Rule::default() };
        assert!(!shows(corrupting.clone(), None, 300));
        assert!(!shows(corrupting.clone(), Some(fewer.clone()), 300), "no checksum was bad");
        assert!(!shows_with(corrupting.clone(), Some(clean.clone()), 300, 9), "another sender's");
        assert!(shows_with(corrupting, Some(fewer.clone()), 300, 9));
        let slow = Rule { delay_ns: 100_000_000, jitter_ns: 25_000_000, ..Rule::default() };
        assert!(!shows(slow.clone(), Some(clean.clone()), 60_000));
        assert!(shows(slow, Some(clean.clone()), 76_000));
        let twice = Rule { duplicate: 0.1, ..Rule::default() };
        assert!(!shows(twice.clone(), Some(clean.clone()), 300));
        assert!(shows(twice, Some(Count { received: 110, ..clean.clone() }), 300));
        let narrow = Rule { rate: 64_000, ..Rule::default() };
        assert!(!shows(narrow.clone(), Some(clean.clone()), 300));
        assert!(!shows(narrow.clone(), Some(fewer), 300));
        assert!(shows(narrow, Some(Count { span_us: 5_000_000, ..clean.clone() }), 300));
        let mixed = Rule { reorder: 0.1, reorder_ns: 1_000_000, ..Rule::default() };
        assert!(!shows(mixed.clone(), Some(clean.clone()), 300));
        assert!(shows(mixed, Some(Count { overtaken: 9, ..clean }), 300));
    }

    #[test]
    fn as_many_are_sent_as_it_takes() {
        assert_eq!(enough(&Rule { delay_ns: 1, ..Rule::default() }), 50);
        assert_eq!(enough(&Rule { loss: 0.01, ..Rule::default() }), 800);
        assert_eq!(enough(&Rule { loss: 0.000_1, ..Rule::default() }), MOST);
        assert_eq!(patience_ms(&Rule { delay_ns: 600_000_000_000, ..Rule::default() }), LONGEST_MS);
    }
}
