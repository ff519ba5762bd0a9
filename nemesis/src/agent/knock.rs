//! Datagrams that are sent so that a cut has something to drop, and a bad link something to
//! harm; and the addresses that they may go to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Where whatever arrives is discarded (RFC 863).
const DISCARD: u16 = 9;

/// Sends so many datagrams to each address. Whether they arrive is for the
/// counters there to say, so errors do not matter here.
pub fn knock(addresses: &[IpAddr], port: Option<u16>, count: u32) {
    for address in addresses {
        let any = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let Ok(socket) = UdpSocket::bind(SocketAddr::new(any, 0)) else { continue };
        for _ in 0..count {
            let there = SocketAddr::new(*address, port.unwrap_or(DISCARD));
            let _ = socket.send_to(b"tribunal", there);
        }
    }
}

/// The addresses of this node, of both families, but for those that mean something else elsewhere:
/// the loopback's, and those of one link.
pub fn own_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let addresses = interfaces.iter().filter(|it| !it.is_loopback()).map(if_addrs::Interface::ip);
    let of_one_link = |address: &IpAddr| match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address.is_loopback(),
    };
    let mut addresses: Vec<IpAddr> = addresses.filter(|it| !of_one_link(it)).collect();
    addresses.sort();
    addresses.dedup();
    addresses
}
