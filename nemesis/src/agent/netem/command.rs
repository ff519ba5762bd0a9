//! Calling `tc` and `ip`.

use std::io;
use std::net::IpAddr;
use std::thread;

use rustix::thread::UnshareFlags;
use serde_json::Value;

use super::super::tool::Tool;
use super::family;
use super::rules::HANDLE;

const TC: Tool = Tool { program: "tc", ..IP };
const IP: Tool = Tool { program: "ip", package: "iproute2", serves: "bad links" };

/// The interface through which packets leave for an address.
pub fn route(address: IpAddr) -> io::Result<String> {
    let family = if family(address) == "ip" { "-4" } else { "-6" };
    let said = IP.call(&["-j", family, "route", "get", &address.to_string()], "")?;
    let device = parse(&said)?.get(0).and_then(|it| it["dev"].as_str().map(str::to_owned));
    device.ok_or_else(|| io::Error::other(format!("no route leads to {address}")))
}

/// The qdiscs of an interface, with their counters.
pub fn qdiscs(device: &str) -> io::Result<Value> {
    parse(&TC.call(&["-s", "-j", "qdisc", "show", "dev", device], "")?)
}

/// The interfaces that have our qdisc.
pub fn devices() -> io::Result<Vec<String>> {
    let listing = parse(&TC.call(&["-j", "qdisc", "show"], "")?)?;
    let ours = format!("{HANDLE:x}:");
    let all = listing.as_array().into_iter().flatten();
    let all = all.filter(|qdisc| qdisc["root"] == true && qdisc["handle"] == *ours);
    Ok(all.filter_map(|qdisc| qdisc["dev"].as_str().map(str::to_owned)).collect())
}

/// Does what a script says.
pub fn batch(script: &str) -> io::Result<()> {
    TC.call(&["-batch", "-"], script).map(drop)
}

/// Does it where nobody sees it: in a network namespace that goes with the process that has it.
pub fn try_out(script: &str) -> io::Result<()> {
    let script = script.to_owned();
    let tried = thread::spawn(move || {
        // SAFETY: the thread has nothing to do with the network but to start a process in its own.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }?;
        batch(&script)
    });
    let tried = tried.join().unwrap_or_else(|_| Err(io::Error::other("the trial panicked")));
    tried.map_err(|error| match error.to_string() {
        said if said.contains("kind is unknown") || said.contains("not found") => io::Error::new(
            io::ErrorKind::Unsupported,
            format!(
                "this node's kernel cannot harm links: it needs sch_netem, sch_prio and \
                     cls_u32 ({said})"
            ),
        ),
        _ => error,
    })
}

fn parse(said: &str) -> io::Result<Value> {
    // Nothing at all where there is nothing to list.
    if said.trim().is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(said)?) }
}
