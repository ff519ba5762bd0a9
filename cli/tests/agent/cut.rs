//! Cuts, seen by sockets on both sides of them.

use std::net::{IpAddr, UdpSocket};

use tempfile::TempDir;
use tribunal_nemesis::agent::protocol::{Harm, Reply, Request, Source};

use crate::process::{Agent, heal};
use crate::wire::Wire;

fn cut(node: &str, address: IpAddr) -> Harm {
    Harm::Cut { sources: vec![from(node, address)], ports: Vec::new() }
}

fn from(node: &str, address: IpAddr) -> Source {
    Source { node: node.to_owned(), addresses: vec![address] }
}

/// What arrives at `to` when the one who may be cut off speaks first, and one
/// who never is speaks last.
fn heard(to: &UdpSocket, doubtful: &UdpSocket, certain: &UdpSocket) -> Vec<String> {
    let address = to.local_addr().unwrap();
    doubtful.send_to(b"doubtful", address).unwrap();
    certain.send_to(b"certain", address).unwrap();
    let mut heard = Vec::new();
    let mut buffer = [0; 64];
    loop {
        let length = to.recv(&mut buffer).expect("who is not cut off is heard");
        heard.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        if heard.last().is_some_and(|text| text == "certain") {
            return heard;
        }
    }
}

pub fn packets_stop_one_way_in_both_families() {
    let Some(wire) = Wire::new(3) else { return };
    let folder = TempDir::new().unwrap();
    let (n1, n2) = (wire.name(1), wire.name(2));
    let mut victim = Agent::start(&folder.path().join("n1"), 10, &["ip", "netns", "exec", &n1]);
    let mut source = Agent::start(&folder.path().join("n2"), 10, &["ip", "netns", "exec", &n2]);
    let families: [fn(&Wire, u8) -> IpAddr; 2] = [Wire::address, Wire::address6];
    for (fault, address) in families.into_iter().enumerate() {
        let fault = fault as u64;
        let sockets: Vec<_> = (1..=3).map(|node| wire.socket(node, address(&wire, node))).collect();
        let [one, two, three] = sockets.as_slice() else { unreachable!() };
        assert_eq!(heard(one, two, three), ["doubtful", "certain"]);

        victim.inject(fault, cut("n2", address(&wire, 2)));
        // Who is deaf is heard, and has nobody's hardware address in mind.
        wire.forget_neighbours(1);
        wire.forget_neighbours(2);
        let (observed, evidence) = victim.observe(fault);
        assert!(!observed, "nobody has spoken yet: {evidence}");
        assert_eq!(heard(one, two, three), ["certain"]);
        assert_eq!(heard(two, one, three), ["doubtful", "certain"], "the other way is open");
        let addresses = vec![address(&wire, 1)];
        assert_eq!(source.ask(Request::Knock { addresses, port: None, count: 3 }), Reply::Done);
        let (observed, evidence) = victim.observe(fault);
        assert!(observed && evidence.ends_with(" packets dropped from n2"), "{evidence}");

        assert!(victim.heal(fault).ends_with(" packets dropped from n2"));
        assert_eq!(heard(one, two, three), ["doubtful", "certain"]);
        assert_eq!(wire.rules(1), "", "the table goes with its last rule");
    }
}

pub fn two_cuts_are_healed_one_by_one() {
    let Some(wire) = Wire::new(1) else { return };
    let folder = TempDir::new().unwrap();
    let name = wire.name(1);
    let mut agent = Agent::start(folder.path(), 10, &["ip", "netns", "exec", &name]);
    for (fault, node) in [(3, 2), (4, 3)] {
        agent.inject(fault, cut("other", wire.address(node)));
    }
    agent.heal(3);
    let rules = wire.rules(1);
    assert!(rules.contains("10.99.0.3") && !rules.contains("10.99.0.2"), "{rules}");
    assert_eq!(agent.ask(Request::HealAll), Reply::Left { left: vec![] });
    assert_eq!(wire.rules(1), "");
}

/// Of two cuts that both forbid a packet, both have seen it, and one of them is enough.
pub fn two_cuts_of_one_link_both_count_and_either_holds() {
    let Some(wire) = Wire::new(3) else { return };
    let folder = TempDir::new().unwrap();
    let name = wire.name(1);
    let mut agent = Agent::start(folder.path(), 10, &["ip", "netns", "exec", &name]);
    let sockets: Vec<_> = (1..=3).map(|node| wire.socket(node, wire.address(node))).collect();
    let [one, two, three] = sockets.as_slice() else { unreachable!() };
    for fault in [5, 6] {
        agent.inject(fault, cut("n2", wire.address(2)));
    }
    assert_eq!(heard(one, two, three), ["certain"]);
    for fault in [5, 6] {
        assert_eq!(agent.observe(fault), (true, "1 packets dropped from n2".to_owned()));
    }
    agent.heal(5);
    assert_eq!(heard(one, two, three), ["certain"]);
    assert_eq!(agent.heal(6), "2 packets dropped from n2");
    assert_eq!(heard(one, two, three), ["doubtful", "certain"]);
    assert_eq!(wire.rules(1), "");
}

/// What goes to the port is dropped, and what comes from it; all else is let through.
pub fn only_conversations_with_a_port_are_cut() {
    let Some(wire) = Wire::new(3) else { return };
    let folder = TempDir::new().unwrap();
    let name = wire.name(1);
    let mut victim = Agent::start(folder.path(), 10, &["ip", "netns", "exec", &name]);
    let families: [fn(&Wire, u8) -> IpAddr; 2] = [Wire::address, Wire::address6];
    for (fault, address) in families.into_iter().enumerate() {
        let fault = fault as u64;
        let sockets: Vec<_> = (1..=3).map(|node| wire.socket(node, address(&wire, node))).collect();
        let [one, two, three] = sockets.as_slice() else { unreachable!() };
        let (peers, here) = (wire.socket(1, address(&wire, 1)), one.local_addr().unwrap());
        let port = peers.local_addr().unwrap().port();
        let there = two.local_addr().unwrap().port();
        let sources = vec![from("n2", address(&wire, 2)), from("n3", address(&wire, 3))];
        victim.inject(fault, Harm::Cut { sources, ports: vec![port] });
        // Not to that port: both are heard.
        assert_eq!(heard(one, two, three), ["doubtful", "certain"]);
        two.send_to(b"cut", peers.local_addr().unwrap()).unwrap();
        let (observed, evidence) = victim.observe(fault);
        assert!(!observed, "{evidence}");
        assert_eq!(evidence, "1 packets dropped from n2; no packet came from n3 to be dropped");
        three.send_to(b"cut", peers.local_addr().unwrap()).unwrap();
        assert_eq!(victim.observe(fault), (true, "2 packets dropped from n2 n3".to_owned()));
        peers.set_nonblocking(true).unwrap();
        assert!(peers.recv(&mut [0; 8]).is_err(), "it came through");
        victim.heal(fault);
        two.send_to(b"whole", peers.local_addr().unwrap()).unwrap();
        peers.set_nonblocking(false).unwrap();
        assert_eq!(peers.recv(&mut [0; 8]).unwrap(), 5);

        // The answers of a port that is cut, though they go to another.
        victim.inject(
            fault,
            Harm::Cut { sources: vec![from("n2", address(&wire, 2))], ports: vec![there] },
        );
        assert_eq!(heard(one, two, three), ["certain"], "to {here}");
        assert_eq!(victim.observe(fault), (true, "1 packets dropped from n2".to_owned()));
        victim.heal(fault);
    }
    assert_eq!(wire.rules(1), "");
}

pub fn a_killed_agents_rules_are_healed_and_foreign_ones_left_alone() {
    let Some(wire) = Wire::new(1) else { return };
    let folder = TempDir::new().unwrap();
    let name = wire.name(1);
    let inside = ["ip", "netns", "exec", &name];
    let nft = |words: &[&str]| {
        let done =
            std::process::Command::new("ip").args(&inside[1..]).arg("nft").args(words).status();
        assert!(done.unwrap().success());
    };
    nft(&["add table inet filter { chain input { type filter hook input priority 0; }; }"]);
    let before = wire.rules(1);
    let mut agent = Agent::start(folder.path(), 100, &inside);
    agent.inject(0, cut("n2", wire.address(2)));
    assert!(wire.rules(1).contains("10.99.0.2"));
    agent.kill_with_guard();
    assert_eq!(heal(folder.path(), &inside), "undone: packets dropped\n");
    assert_eq!(wire.rules(1), before);

    nft(&["add table inet tribunal"]);
    let mut command = std::process::Command::new("ip");
    command.args(&inside[1..]).args([crate::process::TRIBUNAL, "agent", "--heal", "--state"]);
    let refused = command.arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("an nftables table `inet tribunal` is there that is not"), "{said}");
    assert_eq!(refused.status.code(), Some(3));
    assert!(wire.rules(1).contains("table inet tribunal"));
}
