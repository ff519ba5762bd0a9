//! Nodes for partitions: network namespaces on a bridge in one of their own.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::process::is_root;

/// Namespaces `n1`, `n2`, … with an IPv4 and an IPv6 address each. Removed when dropped.
pub struct Wire {
    prefix: String,
    nodes: u8,
}

impl Wire {
    /// `None`, with the reason printed, where namespaces cannot be made.
    pub fn new(nodes: u8) -> Option<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        if !is_root() {
            return None;
        }
        for tool in ["ip", "nft"] {
            if Command::new(tool).arg("--version").output().is_err() {
                crate::runner::skip(format!("`{tool}` is not installed"));
                return None;
            }
        }
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let wire = Self { prefix: format!("tribunal-{}-{number}", std::process::id()), nodes };
        wire.build();
        Some(wire)
    }

    fn build(&self) {
        let bridge = format!("{}-bridge", self.prefix);
        ip(&format!("netns add {bridge}"));
        ip(&format!("-n {bridge} link add wire type bridge"));
        ip(&format!("-n {bridge} link set wire up"));
        for node in 1..=self.nodes {
            let name = self.name(node);
            ip(&format!("netns add {name}"));
            ip(&format!("-n {name} link add eth0 type veth peer name port{node} netns {bridge}"));
            ip(&format!("-n {bridge} link set port{node} master wire up"));
            ip(&format!("-n {name} address add {}/24 dev eth0", self.address(node)));
            ip(&format!("-n {name} address add {}/64 dev eth0 nodad", self.address6(node)));
            ip(&format!("-n {name} link set lo up"));
            ip(&format!("-n {name} link set eth0 up"));
        }
    }

    pub fn name(&self, node: u8) -> String {
        format!("{}-n{node}", self.prefix)
    }

    pub fn address(&self, node: u8) -> IpAddr {
        IpAddr::from([10, 99, 0, node])
    }

    pub fn address6(&self, node: u8) -> IpAddr {
        IpAddr::from([0xfd00, 0x99, 0, 0, 0, 0, 0, u16::from(node)])
    }

    /// A socket of a node, made by a thread that moves there.
    pub fn socket(&self, node: u8, address: IpAddr) -> UdpSocket {
        let path = format!("/run/netns/{}", self.name(node));
        let made = std::thread::spawn(move || {
            let namespace = std::fs::File::open(path).unwrap();
            let network = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), network).unwrap();
            UdpSocket::bind(SocketAddr::new(address, 0)).unwrap()
        });
        let socket = made.join().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket
    }

    /// Has a node forget whose hardware address is which.
    pub fn forget_neighbours(&self, node: u8) {
        ip(&format!("-n {} neighbour flush dev eth0", self.name(node)));
    }

    /// What `nft` lists on a node.
    pub fn rules(&self, node: u8) -> String {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name(node), "nft", "list", "ruleset"]);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for node in 1..=self.nodes {
            ip(&format!("netns del {}", self.name(node)));
        }
        ip(&format!("netns del {}-bridge", self.prefix));
    }
}

/// Runs `ip`. Failing is told and no panic: whoever drops a wire may be panicking.
fn ip(words: &str) {
    let output = Command::new("ip").args(words.split(' ')).output().unwrap();
    if !output.status.success() {
        eprintln!("ip {words}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
