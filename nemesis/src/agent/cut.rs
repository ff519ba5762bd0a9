//! Packets dropped by where they come from: chains of rules per fault, in the agent's own
//! nftables [`table`].
//!
//! Packets are dropped on the way in, so that what a cut costs is seen in the victim's own
//! counters. Each fault counts in chains of its own before any fault drops: of two cuts that
//! both forbid a packet, both see it. A chain at a hook looks once at the ports, and leads to the one
//! that has a rule for each address. No rule has a set in it: each costs a question of its own whenever
//! rules are made or listed, and sets made a cut by ports half as dear again. Neighbour discovery is to IPv6 what ARP is to IPv4, of which
//! rules on IP know nothing: without it whoever is deaf could not be heard either.

use std::io;
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use tribunal_history::Effect;

use super::act::Act;
use super::journal::Undo;
use super::protocol::Source;
use super::table::{self, Listing, TABLE};

/// Both hooks: a node may route for what runs on it.
const HOOKS: [&str; 2] = ["input", "forward"];
/// What is done in a chain, and when: all counting comes before all dropping.
const COUNT: (&str, i32, &str) = ("count", -301, "counter");
const DROP: (&str, i32, &str) = ("cut", -300, "drop");
/// Solicitations and advertisements, as a range of types.
const NEIGHBOUR_DISCOVERY: &str = "135-136";
/// How long a counter gets to move after something was sent.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between two looks at the counters.
const LOOK: Duration = Duration::from_millis(5);

/// Packets from some nodes, dropped.
pub struct Cut {
    /// On whose behalf.
    pub fault: u64,
    /// Whose packets.
    pub sources: Vec<Source>,
    /// Only those of conversations with these ports; of all, if there are none.
    pub ports: Vec<u16>,
}

impl Act for Cut {
    fn undo(&self) -> Undo {
        Undo::Mend
    }

    fn perform(&mut self) -> io::Result<()> {
        self.refuse_controller()?;
        let mut script = String::new();
        for (kind, priority, verdict) in [COUNT, DROP] {
            let to = addresses(kind, self.fault);
            script += &format!("add chain {TABLE} {to}\nflush chain {TABLE} {to}\n");
            script += &rules(&to, self.by_address(verdict));
            for hook in HOOKS {
                let at = chain(kind, self.fault, hook);
                script += &format!(
                    "add chain {TABLE} {at} {{ type filter hook {hook} priority {priority}; policy accept; }}\n\
                     flush chain {TABLE} {at}\n"
                );
                script += &rules(&at, self.by_port(&to));
            }
        }
        table::change(&script)
    }

    /// Awaits drops from every source, and tells what was counted.
    fn look(&mut self) -> io::Result<Effect> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let effect = self.count()?;
            if effect.observed || Instant::now() > deadline {
                return Ok(effect);
            }
            thread::sleep(LOOK);
        }
    }

    /// The counters, as far as they can still be read.
    fn last_look(&mut self) -> Effect {
        self.count().unwrap_or_default()
    }
}

impl Cut {
    /// Whoever drops the controller's packets drops his own orders.
    fn refuse_controller(&self) -> io::Result<()> {
        let Some(controller) = controller() else { return Ok(()) };
        match self.sources.iter().find(|source| source.addresses.contains(&controller)) {
            None => Ok(()),
            Some(source) => Err(io::Error::other(format!(
                "cannot drop packets from {}: the controller itself speaks from {controller}",
                source.node
            ))),
        }
    }

    /// What leads to the rules of addresses: all but neighbour discovery; with ports, what goes to one, and
    /// the answers that come from one. A packet goes there once, and does not come back.
    fn by_port(&self, to: &str) -> Vec<String> {
        let mut rules = vec![format!("icmpv6 type {NEIGHBOUR_DISCOVERY} accept")];
        if self.ports.is_empty() {
            rules.push(format!("goto {to}"));
            return rules;
        }
        rules.push("meta l4proto != tcp meta l4proto != udp accept".to_owned());
        for port in &self.ports {
            rules.extend(["dport", "sport"].map(|end| format!("th {end} {port} goto {to}")));
        }
        rules
    }

    /// A rule for each address; the comment tells the counters apart, and an address needs no quoting.
    fn by_address(&self, verdict: &str) -> Vec<String> {
        let addresses = self.sources.iter().flat_map(|source| &source.addresses);
        let rule = |address: &IpAddr| {
            let family = if address.is_ipv4() { "ip" } else { "ip6" };
            format!("{family} saddr {address} {verdict} comment \"{address}\"")
        };
        addresses.map(rule).collect()
    }

    /// What was dropped until now.
    fn count(&self) -> io::Result<Effect> {
        let listing = Listing::read()?;
        let chain = addresses(COUNT.0, self.fault);
        let counted = listing.as_ref().map(|it| it.packets(&chain)).unwrap_or_default();
        let of = |source: &Source| -> u64 {
            let addresses = source.addresses.iter().map(IpAddr::to_string);
            addresses.filter_map(|address| counted.get(&*address)).sum()
        };
        let (from, silent): (Vec<&Source>, Vec<&Source>) =
            self.sources.iter().partition(|source| of(source) > 0);
        let mut evidence = Vec::new();
        if !from.is_empty() {
            let total: u64 = from.iter().map(|source| of(source)).sum();
            evidence.push(format!("{total} packets dropped from {}", names(&from)));
        }
        if !silent.is_empty() {
            evidence.push(format!("no packet came from {} to be dropped", names(&silent)));
        }
        Ok(Effect { observed: silent.is_empty(), evidence })
    }
}

/// Takes the rules of `fault` away.
pub fn mend(fault: u64) -> io::Result<()> {
    let chains = [COUNT, DROP].into_iter().flat_map(|(kind, ..)| {
        let at_hooks = HOOKS.map(|hook| chain(kind, fault, hook));
        at_hooks.into_iter().chain([addresses(kind, fault)])
    });
    table::remove(&chains.collect::<Vec<_>>())
}

fn names(sources: &[&Source]) -> String {
    sources.iter().map(|source| source.node.as_str()).collect::<Vec<_>>().join(" ")
}

/// The lines that add rules to a chain.
fn rules(chain: &str, rules: Vec<String>) -> String {
    rules.iter().map(|rule| format!("add rule {TABLE} {chain} {rule}\n")).collect()
}

/// The chain at a hook.
fn chain(kind: &str, fault: u64, hook: &str) -> String {
    format!("{kind}-{fault}-{hook}")
}

/// The chain with the rules of addresses, to which those at the hooks lead.
fn addresses(kind: &str, fault: u64) -> String {
    format!("{kind}-{fault}")
}

/// Whose SSH connection this agent was started through.
pub fn controller() -> Option<IpAddr> {
    let connection = std::env::var("SSH_CONNECTION").ok()?;
    connection.split(' ').next()?.parse().ok()
}
