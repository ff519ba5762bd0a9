//! Bad links between real hosts: `tc` and the kernel's netem, for what leaves this node to some
//! others.
//!
//! On each interface that leads to one of them stands a root qdisc of our own, known by its handle.
//! Its first band is everybody else's traffic, untouched; each other band is a netem for one
//! destination, chosen by a filter. An interface on which somebody set up a qdisc is refused, and
//! the kernel's own default comes back by itself when ours goes. What is about to be installed is
//! first tried in a network namespace that nobody sees, so a kernel without netem is refused
//! before anything is touched.

mod command;
mod rules;

use std::io;
use std::net::IpAddr;

use serde_json::Value;
use tribunal_history::Effect;

use self::command::{batch, devices, qdiscs, route, try_out};
use self::rules::{Band, HANDLE, bands, script};
use super::act::Act;
use super::cut::controller;
use super::journal::Undo;
use super::protocol::Toward;

/// Links from here that are bad.
pub struct Netem {
    /// By interface.
    devices: Vec<(String, Vec<Band>)>,
}

impl Netem {
    /// For these destinations. Nothing is changed yet.
    pub fn of(links: Vec<Toward>) -> io::Result<Self> {
        let mut by_device: Vec<(String, Vec<Toward>)> = Vec::new();
        for link in links {
            if controller() == Some(link.address) {
                let why = "the controller itself speaks from there";
                return Err(refused(&format!("cannot harm the link to {}: {why}", link.node)));
            }
            if let Some(why) = rules::unsupported(&link.rule) {
                return Err(refused(why));
            }
            let device = route(link.address)?;
            match by_device.iter_mut().find(|(known, _)| *known == device) {
                Some((_, links)) => links.push(link),
                None => by_device.push((device, vec![link])),
            }
        }
        let mut devices = Vec::new();
        for (device, links) in by_device {
            match root(&qdiscs(&device)?) {
                Root::Default => {}
                Root::Ours => {
                    return Err(refused(&format!("{device} has a bad link of another fault")));
                }
                Root::Foreign(kind) => {
                    return Err(refused(&format!(
                        "{device} has a qdisc that somebody set up ({kind}), which is not \
                         replaced; remove it for the run: tc qdisc del dev {device} root"
                    )));
                }
            }
            devices.push((device, bands(links)?));
        }
        for (_, bands) in &devices {
            try_out(&script("lo", bands))?;
        }
        Ok(Self { devices })
    }

    fn counted(&self) -> io::Result<Effect> {
        let mut effect = Effect { observed: !self.devices.is_empty(), evidence: Vec::new() };
        for (device, bands) in &self.devices {
            let listing = qdiscs(device)?;
            for (place, band) in bands.iter().enumerate() {
                let (seen, told) = rules::counted(&listing, place, band);
                effect.observed &= seen;
                effect.evidence.push(format!("{device}: {told}"));
            }
        }
        Ok(effect)
    }
}

impl Act for Netem {
    fn undo(&self) -> Undo {
        Undo::Loosen(self.devices.iter().map(|(device, _)| device.clone()).collect())
    }

    fn perform(&mut self) -> io::Result<()> {
        self.devices.iter().try_for_each(|(device, bands)| batch(&script(device, bands)))
    }

    /// What the kernel counted. The controller has the nodes exchange datagrams, too.
    fn look(&mut self) -> io::Result<Effect> {
        self.counted()
    }

    fn last_look(&mut self) -> Effect {
        self.counted().unwrap_or_default()
    }
}

/// Takes our qdisc off these interfaces, where it is.
pub fn loosen(devices: &[String]) -> io::Result<()> {
    for device in devices {
        let listing = match qdiscs(device) {
            Ok(listing) => listing,
            // An interface that is gone took it along.
            Err(error) if error.to_string().contains("Cannot find device") => continue,
            Err(error) => return Err(error),
        };
        if root(&listing) == Root::Ours {
            batch(&format!("qdisc del dev {device} root handle {HANDLE:x}:\n"))?;
        }
    }
    Ok(())
}

/// Takes it off every interface.
pub fn sweep() -> io::Result<bool> {
    let all = match devices() {
        Ok(all) => all,
        // Where there is no tc, no agent has ever set anything up.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    loosen(&all)?;
    Ok(!all.is_empty())
}

/// What stands at an interface's root.
#[derive(Debug, PartialEq, Eq)]
enum Root {
    /// What the kernel puts there.
    Default,
    Ours,
    /// Of this kind.
    Foreign(String),
}

/// The kernel's own have no handle.
fn root(listing: &Value) -> Root {
    let all = listing.as_array().into_iter().flatten();
    let Some(root) = all.into_iter().find(|qdisc| qdisc["root"] == true) else {
        return Root::Default;
    };
    match root["handle"].as_str() {
        None | Some("0:") => Root::Default,
        Some(handle) if handle == format!("{HANDLE:x}:") => Root::Ours,
        Some(_) => Root::Foreign(root["kind"].as_str().unwrap_or("of some kind").to_owned()),
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::other(why)
}

/// An address as filters and routes write it.
fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ip" } else { "ipv6" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_kernels_default_is_told_from_ours_and_from_others() {
        let of = |listing: Value| root(&listing);
        assert_eq!(of(json!([])), Root::Default);
        let fq = json!([{"kind": "fq_codel", "handle": "0:", "root": true}]);
        assert_eq!(of(fq), Root::Default);
        let mq = json!([{"kind": "mq", "handle": "0:", "root": true},
                        {"kind": "fq_codel", "handle": "0:", "parent": ":1"}]);
        assert_eq!(of(mq), Root::Default);
        let ours = json!([{"kind": "prio", "handle": "7472:", "root": true},
                          {"kind": "netem", "handle": "7473:", "parent": "7472:2"}]);
        assert_eq!(of(ours), Root::Ours);
        let tbf = json!([{"kind": "tbf", "handle": "8001:", "root": true}]);
        assert_eq!(of(tbf), Root::Foreign("tbf".to_owned()));
    }
}
