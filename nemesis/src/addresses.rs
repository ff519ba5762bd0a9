//! Which addresses a node's packets can be told by. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use tribunal_history::Name;

/// Of all addresses that nodes have, those that only one of them has: what several have (a bridge for
/// containers, the loopback) says nothing about where a packet comes from.
pub fn told_apart(all: BTreeMap<Name, Vec<IpAddr>>) -> BTreeMap<Name, Vec<IpAddr>> {
    let owners = |address: &IpAddr| all.values().filter(|it| it.contains(address)).count();
    let own = |addresses: &Vec<IpAddr>| {
        let mut own: Vec<IpAddr> = Vec::new();
        for address in addresses.iter().filter(|it| !it.is_loopback() && owners(it) == 1) {
            if !own.contains(address) {
                own.push(*address);
            }
        }
        own
    };
    all.iter().map(|(node, addresses)| (node.clone(), own(addresses))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(all: &[(&str, &[&str])]) -> Vec<String> {
        let parsed = |addresses: &[&str]| addresses.iter().map(|it| it.parse().unwrap()).collect();
        let all = all.iter().map(|(node, addresses)| ((*node).into(), parsed(addresses))).collect();
        let told = told_apart(all);
        told.iter().map(|(node, addresses)| format!("{node} {addresses:?}")).collect()
    }

    #[test]
    fn what_two_have_tells_neither() {
        let all: [(&str, &[&str]); 3] = [
            ("n1", &["10.0.0.1", "10.0.0.1", "fd00::1", "172.17.0.1"]),
            ("n2", &["10.0.0.2", "172.17.0.1"]),
            ("n3", &["127.0.0.1"]),
        ];
        assert_eq!(apart(&all), ["n1 [10.0.0.1, fd00::1]", "n2 [10.0.0.2]", "n3 []"]);
    }
}
