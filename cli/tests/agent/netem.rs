//! Bad links by the kernel's netem, in nodes of this kernel: what is refused, and that nothing of
//! it is left. That packets are harmed is for kernels that can: `make real-hosts`.

use std::process::Command;

use tempfile::TempDir;
use tribunal_harness::cluster::local::wire::Rule;
use tribunal_nemesis::agent::protocol::{Harm, Reply, Request, Toward};

use crate::process::Agent;
use crate::wire::Wire;

/// What `tc` lists on a node, or says of what it is told.
fn tc(wire: &Wire, words: &str) -> String {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &wire.name(1), "tc"]).args(words.split(' '));
    let output = command.output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

fn slow(wire: &Wire, rule: Rule) -> Request {
    let link = Toward { node: "n2".to_owned(), address: wire.address(2), rule };
    Request::Inject { fault: 0, harm: Harm::Links { links: vec![link] } }
}

fn agent(wire: &Wire, folder: &TempDir) -> Agent {
    Agent::start(&folder.path().join("state"), 10, &["ip", "netns", "exec", &wire.name(1)])
}

pub fn a_kernel_without_netem_is_refused_before_anything_is_touched() {
    let Some(wire) = Wire::new(2) else { return };
    let folder = TempDir::new().unwrap();
    let mut agent = agent(&wire, &folder);
    let before = tc(&wire, "qdisc show");
    let rule = Rule { delay_ns: 1_000_000, ..Rule::default() };
    match agent.ask(slow(&wire, rule)) {
        Reply::Failed { why } => {
            let sentence = "this node's kernel cannot harm links: it needs sch_netem, ";
            assert!(why.starts_with(sentence), "{why}");
        }
        _ => crate::runner::skip("this kernel has netem, which `make real-hosts` tests"),
    }
    agent.heal(0);
    assert_eq!(tc(&wire, "qdisc show"), before);
    let hold = Rule { hold: true, ..Rule::default() };
    let why = "the kernel's netem cannot hold packets until it is healed".to_owned();
    assert_eq!(agent.ask(slow(&wire, hold)), Reply::Failed { why });
}

pub fn foreign_qdiscs_stay_and_ours_go() {
    let Some(wire) = Wire::new(2) else { return };
    let folder = TempDir::new().unwrap();
    let said = tc(&wire, "qdisc add dev eth0 root handle 5: tbf rate 1gbit burst 1mb limit 1mb");
    if !said.is_empty() {
        crate::runner::skip(format!("this kernel has no tbf: {said}"));
        return;
    }
    let mut one = agent(&wire, &folder);
    let rule = Rule { loss: 0.5, ..Rule::default() };
    match one.ask(slow(&wire, rule)) {
        Reply::Failed { why } => assert!(
            why.starts_with("eth0 has a qdisc that somebody set up (tbf), which is not replaced"),
            "{why}"
        ),
        other => panic!("{other:?}"),
    }
    drop(one);
    assert!(tc(&wire, "qdisc show dev eth0").starts_with("qdisc tbf 5: root"));
    // What an agent leaves that is killed with its journal: known by the handle alone.
    tc(&wire, "qdisc del dev eth0 root");
    assert_eq!(
        tc(&wire, "qdisc add dev eth0 root handle 7472: tbf rate 1gbit burst 1mb limit 1mb"),
        ""
    );
    let successor = agent(&wire, &folder);
    assert_eq!(successor.undone, ["bad links that no journal knew of"]);
    assert!(!tc(&wire, "qdisc show dev eth0").contains("7472"));
}
