//! Packets dropped by where they come from: a chain of rules per fault, in an
//! nftables table of our own.
//!
//! The table is `inet tribunal`, and an empty chain in it says whose it is. A
//! table of that name without the chain is somebody else's and is refused.
//! No other table is ever read or changed, and nothing is ever flushed but a
//! chain of ours. Packets are dropped on the way in, so that what a cut costs
//! is seen in the victim's own counters.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tribunal_history::Effect;

use super::act::Act;
use super::journal::Undo;
use super::protocol::Source;

const TABLE: &str = "inet tribunal";
/// A chain that nothing goes through: the JSON of nft 1.0 leaves comments of tables out.
const TAG: &str = "made-by-the-tribunal-agent";
/// Both hooks: a node may route for what runs on it.
const HOOKS: [&str; 2] = ["input", "forward"];
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
}

impl Act for Cut {
    fn undo(&self) -> Undo {
        Undo::Mend
    }

    fn perform(&mut self) -> io::Result<()> {
        cut(self.fault, &self.sources)
    }

    /// Awaits drops from every source, and tells what was counted.
    fn look(&mut self) -> io::Result<Effect> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let effect = count(self.fault, &self.sources)?;
            if effect.observed || Instant::now() > deadline {
                return Ok(effect);
            }
            thread::sleep(LOOK);
        }
    }

    /// The counters, as far as they can still be read.
    fn last_look(&mut self) -> Effect {
        count(self.fault, &self.sources).unwrap_or_default()
    }
}

/// Drops everything from `sources`, on behalf of `fault`.
fn cut(fault: u64, sources: &[Source]) -> io::Result<()> {
    if let Some(controller) = controller()
        && let Some(source) = sources.iter().find(|source| source.address == controller)
    {
        return Err(io::Error::other(format!(
            "cannot drop packets from {}: the controller itself speaks from {controller}",
            source.node
        )));
    }
    own_table()?;
    let mut script = format!("add table {TABLE}\nadd chain {TABLE} {TAG}\n");
    for hook in HOOKS {
        let chain = chain(fault, hook);
        script += &format!(
            "add chain {TABLE} {chain} {{ type filter hook {hook} priority -300; policy accept; }}\n\
             flush chain {TABLE} {chain}\n"
        );
        for Source { address, .. } in sources {
            let family = if address.is_ipv4() { "ip" } else { "ip6" };
            // The comment tells the counters apart; an address needs no quoting.
            script += &format!(
                "add rule {TABLE} {chain} {family} saddr {address} counter drop comment \"{address}\"\n"
            );
        }
    }
    nft(&["-f", "-"], &script).map(drop)
}

/// Takes the rules of `fault` away; the table goes with its last chain.
pub fn mend(fault: u64) -> io::Result<()> {
    let Some(listing) = own_table()? else { return Ok(()) };
    let mine: Vec<String> = HOOKS.iter().map(|hook| chain(fault, hook)).collect();
    let (ours, others): (Vec<String>, Vec<String>) =
        chains(&listing).filter(|chain| chain != TAG).partition(|chain| mine.contains(chain));
    if others.is_empty() {
        return remove_table();
    }
    let drop_chain = |chain| format!("flush chain {TABLE} {chain}\ndelete chain {TABLE} {chain}\n");
    nft(&["-f", "-"], &ours.into_iter().map(drop_chain).collect::<String>()).map(drop)
}

/// Takes the whole table away, whatever faults its rules belong to.
pub fn sweep() -> io::Result<bool> {
    match own_table() {
        Ok(None) => Ok(false),
        Ok(Some(_)) => remove_table().map(|()| true),
        // Where there is no nft, no agent has ever cut anything.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// What was dropped until now.
fn count(fault: u64, sources: &[Source]) -> io::Result<Effect> {
    let counted = counters(fault)?;
    let of = |source: &Source| counted.get(&source.address).copied().unwrap_or(0);
    let (from, silent): (Vec<&Source>, Vec<&Source>) =
        sources.iter().partition(|source| of(source) > 0);
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

/// Sends so many datagrams to each address. Whether they arrive is for the
/// counters there to say, so errors do not matter here.
pub fn knock(addresses: &[IpAddr], count: u32) {
    for address in addresses {
        let any = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let Ok(socket) = UdpSocket::bind(SocketAddr::new(any, 0)) else { continue };
        for _ in 0..count {
            let _ = socket.send_to(b"tribunal", SocketAddr::new(*address, 9));
        }
    }
}

fn names(sources: &[&Source]) -> String {
    sources.iter().map(|source| source.node.as_str()).collect::<Vec<_>>().join(" ")
}

fn chain(fault: u64, hook: &str) -> String {
    format!("cut-{fault}-{hook}")
}

/// Whose SSH connection this agent was started through.
fn controller() -> Option<IpAddr> {
    let connection = std::env::var("SSH_CONNECTION").ok()?;
    connection.split(' ').next()?.parse().ok()
}

/// Our table as `nft` lists it; `None` when there is none. An error when it is not ours.
fn own_table() -> io::Result<Option<Value>> {
    let listing = match nft(&["-j", "list", "table", "inet", "tribunal"], "") {
        Ok(listing) => serde_json::from_str(&listing)?,
        Err(error) if error.to_string().contains("No such file or directory") => return Ok(None),
        Err(error) => return Err(error),
    };
    if !chains(&listing).any(|chain| chain == TAG) {
        return Err(io::Error::other(
            "an nftables table `inet tribunal` is there that is not the agent's; \
             rename it, or partitions cannot be made on this node",
        ));
    }
    Ok(Some(listing))
}

fn remove_table() -> io::Result<()> {
    nft(&["delete", "table", "inet", "tribunal"], "").map(drop)
}

fn chains(listing: &Value) -> impl Iterator<Item = String> {
    objects(listing, "chain").filter_map(|chain| chain["name"].as_str().map(str::to_owned))
}

/// Packets dropped for `fault`, by the address they came from.
fn counters(fault: u64) -> io::Result<BTreeMap<IpAddr, u64>> {
    let mut counted = BTreeMap::new();
    let Some(listing) = own_table()? else { return Ok(counted) };
    let mine = HOOKS.map(|hook| chain(fault, hook));
    for rule in objects(&listing, "rule") {
        if !mine.iter().any(|chain| rule["chain"] == **chain) {
            continue;
        }
        let mut parts = rule["expr"].as_array().into_iter().flatten();
        let packets = parts.find_map(|part| part["counter"]["packets"].as_u64());
        if let Some(address) = rule["comment"].as_str().and_then(|text| text.parse().ok()) {
            *counted.entry(address).or_default() += packets.unwrap_or(0);
        }
    }
    Ok(counted)
}

fn objects<'v>(listing: &'v Value, kind: &'v str) -> impl Iterator<Item = &'v Value> {
    let all = listing["nftables"].as_array().into_iter().flatten();
    all.filter_map(move |object| object.get(kind))
}

/// Runs `nft`, with `script` on its standard input.
fn nft(arguments: &[&str], script: &str) -> io::Result<String> {
    // An SSH command's PATH may lack the folders of the administrator.
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let child = Command::new("nft")
        .args(arguments)
        .env("PATH", path)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(
            io::ErrorKind::NotFound,
            "`nft` is not installed here; partitions need the package nftables",
        ),
        _ => error,
    })?;
    let written = child.stdin.take().expect("stdin is piped").write_all(script.as_bytes());
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("no reason given").trim();
        return Err(io::Error::other(format!("nft: {said}")));
    }
    written?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
