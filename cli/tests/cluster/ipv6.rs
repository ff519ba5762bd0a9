//! The other family of addresses: nodes have it, partitions cut it and links harm it.

use std::net::Ipv6Addr;
use std::process::Stdio;

use tribunal_harness::cluster::{SshOptions, hosts};

use crate::links::{Held, Traffic, exchange_by, nodes};
use crate::runner::skip;
use crate::scene::{Scene, text};

/// Prints what is said to a port, until somebody says "certain".
const LISTENER: &str = r#"
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 7071)); s.settimeout(20); heard = []
open("/tmp/listening", "w").close()
while "certain" not in heard: heard.append(s.recv(99).decode())
print(" ".join(heard))
"#;

/// Says a word to an address.
const SPEAKER: &str = r#"
import socket, sys
socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(sys.argv[2].encode(), (sys.argv[1], 7071))
"#;

/// Nodes with IPv6, and their addresses.
fn nodes6(count: &str) -> Option<(Scene, Vec<Ipv6Addr>)> {
    let scene = nodes(count)?;
    let addresses: Option<Vec<_>> = scene.record("c1").nodes.iter().map(|node| node.ip6).collect();
    if addresses.is_none() {
        skip("the kernel has no IPv6");
    }
    Some((scene, addresses?))
}

/// How sshd greets whoever reaches a node by name.
fn greeting(scene: &Scene, from: &str, to: &str) -> String {
    let script = format!("read -r line </dev/tcp/{to}/22; echo $line");
    scene.on(from, &format!("timeout 2 bash -c '{script}' 2>/dev/null; true"))
}

/// What arrives at a node when the one who may not be heard speaks first, and one who is for certain
/// speaks last.
fn heard(scene: &Scene, at: (&str, Ipv6Addr), doubtful: &str, certain: &str) -> String {
    scene.on(at.0, "rm -f /tmp/listening");
    let listens = ["cluster", "exec", at.0, "--", "python3", "-c", LISTENER];
    let listener = scene.command(&listens).stdout(Stdio::piped()).spawn().unwrap();
    scene.on(at.0, "while [ ! -e /tmp/listening ]; do sleep 0.01; done");
    let address = at.1.to_string();
    for (from, word) in [(doubtful, "doubtful"), (certain, "certain")] {
        scene.ok(&["cluster", "exec", from, "--", "python3", "-c", SPEAKER, &address, word]);
    }
    let output = listener.wait_with_output().unwrap();
    assert!(output.status.success(), "who is not cut off was not heard");
    text(&output.stdout).trim().to_owned()
}

pub fn a_name_means_one_address_and_both_families_are_reached() {
    let Some((scene, addresses)) = nodes6("2") else { return };
    assert!(greeting(&scene, "n1", "n2-6").starts_with("SSH-2.0-"));
    assert!(greeting(&scene, "n1", "n2").starts_with("SSH-2.0-"));
    let record = scene.record("c1");
    let meant =
        |name: &str| scene.on("n1", &format!("getent ahosts {name} | cut -d' ' -f1 | uniq"));
    assert_eq!(meant("n2"), record.nodes[1].ip.to_string());
    assert_eq!(meant("n2-6"), addresses[1].to_string());
    // One address of its own, none of the link's, and nobody looks for a router.
    let found = scene.on("n1", "grep -c eth0 /proc/net/if_inet6; ip -6 route show default");
    assert_eq!(found, "1");
    // From outside, as a host that has an IPv6 address.
    let directory = scene.directory("c1");
    let ssh = SshOptions {
        identity: Some(directory.join("key")),
        known_hosts: Some(directory.join("known_hosts")),
        control_directory: Some(directory.join("control")),
        ..SshOptions::default()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let list = format!("root@{},db2=root@[{}]:22", addresses[0], addresses[1]);
        let cluster = hosts::from_list(&list, ssh).await.unwrap();
        for (session, name) in cluster.connect().await.unwrap().iter().zip(["n1\n", "n2\n"]) {
            assert_eq!(session.run_ok("hostname").await.unwrap(), name);
        }
    });
}

pub fn packets_stop_one_way_and_come_back() {
    let Some((scene, addresses)) = nodes6("3") else { return };
    let (n1, n2) = (("n1", addresses[0]), ("n2", addresses[1]));
    assert_eq!(heard(&scene, n2, "n1", "n3"), "doubtful certain");
    let cut = Held::with(&scene, "partition-given", &[r#"cuts=["n1>n2"]"#]);
    // Whoever is deaf finds the others all the same.
    scene.on("n2", "ip neighbour flush dev eth0");
    assert_eq!(heard(&scene, n2, "n1", "n3"), "certain");
    assert_eq!(heard(&scene, n1, "n2", "n3"), "doubtful certain", "the other way is open");
    for name in ["n2", "n2-6"] {
        assert_eq!(greeting(&scene, "n1", name), "", "{name} answers");
    }
    assert!(greeting(&scene, "n3", "n2-6").starts_with("SSH-2.0-"));
    cut.heal();
    assert_eq!(heard(&scene, n2, "n1", "n3"), "doubtful certain");
    for name in ["n2", "n2-6"] {
        assert!(greeting(&scene, "n1", name).starts_with("SSH-2.0-"), "{name}");
    }
    // By port: sshd's and no other.
    let cut = Held::with(&scene, "partition-given", &[r#"cuts=[["n1"],["n2"]]"#, "ports=22"]);
    for name in ["n2", "n2-6"] {
        assert_eq!(greeting(&scene, "n1", name), "", "{name} answers");
    }
    assert_eq!(heard(&scene, n2, "n1", "n3"), "doubtful certain");
    cut.heal();
    assert!(greeting(&scene, "n1", "n2-6").starts_with("SSH-2.0-"));
}

pub fn links_harm_it_and_leave_the_finding_of_neighbours_alone() {
    let Some((scene, addresses)) = nodes6("2") else { return };
    let altering = Held::inject(&scene, "link-altering", &["share=0.5"]);
    let traffic = Traffic { count: 2000, rate: 2000, size: 100, wait: 0.5 };
    let came = exchange_by(&scene, addresses[1].into(), &traffic);
    // The checksum of each was right, or the kernel would not have passed it on.
    let altered = came["altered"].as_f64().unwrap();
    assert!((900.0..1100.0).contains(&altered), "{came}");
    altering.heal();
    let lossy = Held::inject(&scene, "link-lossy", &["loss=1"]);
    scene.on("n1", "ip neighbour flush dev eth0");
    assert_eq!(greeting(&scene, "n1", "n2-6"), "");
    let known = scene.on("n1", &format!("ip -6 neighbour show {}", addresses[1]));
    assert!(known.contains("lladdr 02:74:72:62:00:02"), "{known}");
    lossy.heal();
    assert!(greeting(&scene, "n1", "n2-6").starts_with("SSH-2.0-"));
}
