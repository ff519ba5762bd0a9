//! Packets dropped by where they come from: chains of rules per fault, in the agent's own
//! nftables [`table`].
//!
//! Packets are dropped on the way in, so that what a cut costs is seen in the victim's own
//! counters. Each fault counts in chains of its own before any fault drops: of two cuts that
//! both forbid a packet, both see it. Neighbour discovery is to IPv6 what ARP is to IPv4, of which
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
        for hook in HOOKS {
            for (kind, priority, verdict) in [COUNT, DROP] {
                let chain = chain(kind, self.fault, hook);
                script += &format!(
                    "add chain {TABLE} {chain} {{ type filter hook {hook} priority {priority}; policy accept; }}\n\
                     flush chain {TABLE} {chain}\n\
                     add rule {TABLE} {chain} icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept\n"
                );
                for rule in self.rules(verdict) {
                    script += &format!("add rule {TABLE} {chain} {rule}\n");
                }
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

    /// What is matched, one rule a line; the comment tells the counters apart, and an address needs no
    /// quoting.
    fn rules(&self, verdict: &str) -> impl Iterator<Item = String> {
        let ports = self.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        // What goes to a port, and the answers that come from it; each packet in one rule.
        let conversations = match self.ports.is_empty() {
            true => vec![String::new()],
            false => vec![
                format!("meta l4proto {{ tcp, udp }} th dport {{ {ports} }} "),
                format!(
                    "meta l4proto {{ tcp, udp }} th sport {{ {ports} }} th dport != {{ {ports} }} "
                ),
            ],
        };
        let addresses = self.sources.iter().flat_map(|source| &source.addresses);
        addresses.flat_map(move |address| {
            let family = if address.is_ipv4() { "ip" } else { "ip6" };
            let rule = |ports: &String| {
                format!("{family} saddr {address} {ports}{verdict} comment \"{address}\"")
            };
            conversations.iter().map(rule).collect::<Vec<_>>()
        })
    }

    /// What was dropped until now.
    fn count(&self) -> io::Result<Effect> {
        let listing = Listing::read()?;
        let chains: Vec<String> =
            HOOKS.iter().map(|hook| chain(COUNT.0, self.fault, hook)).collect();
        let counted = listing.as_ref().map(|it| it.packets(&chains)).unwrap_or_default();
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
    let chains = HOOKS.iter().flat_map(|hook| [COUNT, DROP].map(|it| chain(it.0, fault, hook)));
    table::remove(&chains.collect::<Vec<_>>())
}

fn names(sources: &[&Source]) -> String {
    sources.iter().map(|source| source.node.as_str()).collect::<Vec<_>>().join(" ")
}

fn chain(kind: &str, fault: u64, hook: &str) -> String {
    format!("{kind}-{fault}-{hook}")
}

/// Whose SSH connection this agent was started through.
fn controller() -> Option<IpAddr> {
    let connection = std::env::var("SSH_CONNECTION").ok()?;
    connection.split(' ').next()?.parse().ok()
}
