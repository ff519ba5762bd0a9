//! An address range of its own for every cluster: a /24 that no route of this
//! machine overlaps, and the /64 of IPv6 that goes with it.

use std::fs::File;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::cluster::ClusterError;

/// A /24, by its first three bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Subnet([u8; 3]);

impl Subnet {
    /// The node at `index`, from 0.
    pub fn node(self, index: usize) -> Ipv4Addr {
        self.address(u8::try_from(index + 1).expect("a cluster has at most 200 nodes"))
    }

    /// This machine's end of the wire.
    pub fn controller(self) -> Ipv4Addr {
        self.address(254)
    }

    /// The IPv6 address of the node at `index`, from 0: a unique local one (RFC 4193).
    pub fn node6(self, index: usize) -> Ipv6Addr {
        self.address6(u8::try_from(index + 1).expect("a cluster has at most 200 nodes"))
    }

    /// This machine's end of the wire, in IPv6.
    pub fn controller6(self) -> Ipv6Addr {
        self.address6(254)
    }

    /// The name of this machine's interface to the wire. Unique, since the subnet is.
    pub fn uplink(self) -> String {
        let [_, b, c] = self.0;
        format!("tribunal{b:02x}{c:02x}")
    }

    fn address(self, last: u8) -> Ipv4Addr {
        let [a, b, c] = self.0;
        Ipv4Addr::new(a, b, c, last)
    }

    /// As unique as the subnet is.
    fn address6(self, last: u8) -> Ipv6Addr {
        let [_, b, c] = self.0;
        Ipv6Addr::new(0xfd74, 0x7262, 0, u16::from_be_bytes([b, c]), 0, 0, 0, last.into())
    }
}

/// Whether the kernel has IPv6.
pub(super) fn has_ipv6() -> bool {
    Path::new("/proc/net/if_inet6").exists()
}

impl std::fmt::Display for Subnet {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/24", self.address(0))
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> Self {
        subnet.to_string()
    }
}

impl TryFrom<String> for Subnet {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = text.strip_suffix("/24").and_then(|address| address.parse::<Ipv4Addr>().ok());
        let [a, b, c, _] = address.ok_or_else(|| format!("`{text}` is not a /24"))?.octets();
        Ok(Self([a, b, c]))
    }
}

/// The right to choose a subnet. It is a lock on this network namespace's own
/// file: what is chosen from are its routes, so whoever sees the same routes
/// waits at the same lock, wherever its state is kept, and no lock file stays.
pub(super) struct Choice {
    _lock: File,
}

impl Choice {
    /// Waits until nobody else is choosing. Hold it until the route is there.
    pub fn begin() -> Result<Self, ClusterError> {
        let path = Path::new("/proc/self/ns/net");
        let lock = File::open(path).map_err(ClusterError::file(path))?;
        rustix::fs::flock(&lock, FlockOperation::LockExclusive)
            .map_err(|error| ClusterError::file(path)(error.into()))?;
        Ok(Self { _lock: lock })
    }

    /// The first subnet of 10.66.0.0 … 10.255.255.0, 10.0.0.0 … 10.65.255.0
    /// that is neither routed nor `taken`.
    pub fn first_free(&self, taken: &[Subnet]) -> Result<Subnet, ClusterError> {
        let path = Path::new("/proc/net/route");
        let table = std::fs::read_to_string(path).map_err(ClusterError::file(path))?;
        first_free(&routes(&table), taken).ok_or(ClusterError::NoSubnet)
    }
}

/// A route's destination and mask.
type Route = (u32, u32);

fn first_free(routes: &[Route], taken: &[Subnet]) -> Option<Subnet> {
    (66..=255).chain(0..66).flat_map(|b| (0..=255).map(move |c| Subnet([10, b, c]))).find(
        |subnet| !taken.contains(subnet) && !routes.iter().any(|&route| overlaps(*subnet, route)),
    )
}

fn overlaps(subnet: Subnet, (destination, mask): Route) -> bool {
    let ours = u32::from(subnet.address(0));
    let both = mask & 0xffff_ff00;
    ours & both == destination & both
}

/// `/proc/net/route`: addresses are hexadecimal, in the machine's byte order as
/// they lie in memory. The default route overlaps everything and counts for nothing.
fn routes(table: &str) -> Vec<Route> {
    let address = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::to_be);
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            Some((address(fields.get(1)?)?, address(fields.get(7)?)?))
        })
        .filter(|&(_, mask)| mask != 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_is_free_when_no_route_touches_it() {
        let line = |destination: Ipv4Addr, mask: Ipv4Addr| {
            let hex = |address: Ipv4Addr| format!("{:08X}", u32::from(address).to_be());
            format!("eth0\t{}\t00000000\t0001\t0\t0\t0\t{}\t0\t0\t0\n", hex(destination), hex(mask))
        };
        let chosen = |lines: &[String], taken: &[Subnet]| {
            let table = format!("Iface\tDestination\n{}", lines.concat());
            first_free(&routes(&table), taken).map(|subnet| subnet.to_string())
        };
        let default = line(Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED);
        let host = line(Ipv4Addr::new(10, 66, 0, 9), Ipv4Addr::BROADCAST);
        let wide = line(Ipv4Addr::new(10, 64, 0, 0), Ipv4Addr::new(255, 192, 0, 0));
        let all = line(Ipv4Addr::new(10, 0, 0, 0), Ipv4Addr::new(255, 0, 0, 0));
        assert_eq!(chosen(std::slice::from_ref(&default), &[]).unwrap(), "10.66.0.0/24");
        assert_eq!(chosen(&[default.clone(), host], &[]).unwrap(), "10.66.1.0/24");
        assert_eq!(chosen(&[], &[Subnet([10, 66, 0])]).unwrap(), "10.66.1.0/24");
        assert_eq!(chosen(&[default, wide], &[]).unwrap(), "10.128.0.0/24");
        assert_eq!(chosen(&[all], &[]), None);
    }
}
