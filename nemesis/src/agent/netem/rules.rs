//! From rules of links to what `tc` is told, and from its counters to what they did. Pure.

use std::fmt::Write as _;
use std::io;

use serde_json::Value;
use tribunal_harness::cluster::local::wire::Rule;

use super::super::protocol::Toward;
use super::{family, refused};

/// The major number of our root qdisc: "tr".
pub const HANDLE: u16 = 0x7472;
/// Bands that a `prio` can have, the first of which is everybody else's.
const BANDS: usize = 16;
/// Packets that may wait in a netem. Its own default, a thousand, would lose what is only to be late.
const WAITING: u64 = 100_000;
/// A narrow link's queue, as on the wire between local nodes, and a packet's size.
const QUEUE_MS: u64 = 200;
const PACKET_BITS: u64 = 1500 * 8;
/// A rate that keeps packets in their order under jitter, and nothing else: a netem with a rate
/// sends none before the one ahead of it.
const ORDERLY: &str = "100gbit";

/// A netem, and to where it harms packets.
#[derive(Debug, PartialEq)]
pub struct Band {
    pub rule: Rule,
    pub to: Vec<Toward>,
}

/// Why netem cannot do it, if it cannot.
pub fn unsupported(rule: &Rule) -> Option<&'static str> {
    match rule {
        Rule { hold: true, .. } => {
            Some("the kernel's netem cannot hold packets until it is healed")
        }
        Rule { mend: true, .. } => Some("the kernel's netem cannot mend a checksum"),
        Rule { replay, .. } if *replay > 0.0 => Some("the kernel's netem cannot replay packets"),
        _ => None,
    }
}

/// One for each destination; but kernels since 6.16 take no second netem beside one that
/// duplicates, so those of one rule share it then.
pub fn bands(links: Vec<Toward>) -> io::Result<Vec<Band>> {
    let mut bands: Vec<Band> = Vec::new();
    for link in links {
        let shared = bands.iter_mut().find(|it| link.rule.duplicate > 0.0 && it.rule == link.rule);
        match shared {
            Some(band) => band.to.push(link),
            None => bands.push(Band { rule: link.rule.clone(), to: vec![link] }),
        }
    }
    if bands.len() >= BANDS {
        let most = BANDS - 1;
        return Err(refused(&format!("an interface can have {most} bad links at most")));
    }
    Ok(bands)
}

/// What sets an interface up, a line for `tc -batch` each.
pub fn script(device: &str, bands: &[Band]) -> String {
    let count = bands.len() + 1;
    // All that no filter chooses goes to the first band.
    let mut script = format!(
        "qdisc add dev {device} root handle {HANDLE:x}: prio bands {count} priomap{}\n",
        " 0".repeat(16)
    );
    for (place, Band { rule, to }) in bands.iter().enumerate() {
        let (class, handle) = (class(place), handle(place));
        let _ = writeln!(
            script,
            "qdisc add dev {device} parent {class} handle {handle} netem {}",
            netem(rule)
        );
        for Toward { address, .. } in to {
            let (protocol, bits) = (family(*address), if address.is_ipv4() { 32 } else { 128 });
            let (priority, word) = if address.is_ipv4() { (1, "ip") } else { (2, "ip6") };
            let _ = writeln!(
                script,
                "filter add dev {device} parent {HANDLE:x}: protocol {protocol} prio {priority} \
                 u32 match {word} dst {address}/{bits} flowid {class}"
            );
        }
    }
    script
}

fn class(place: usize) -> String {
    format!("{HANDLE:x}:{:x}", place + 2)
}

fn handle(place: usize) -> String {
    format!("{:x}:", usize::from(HANDLE) + 1 + place)
}

/// A rule in netem's words (tc-netem(8)).
fn netem(rule: &Rule) -> String {
    let limit = match rule.rate {
        0 => WAITING,
        rate => (rate / 1000 * QUEUE_MS / PACKET_BITS).max(2),
    };
    let mut words = format!("limit {limit}");
    if rule.delay_ns > 0 || rule.jitter_ns > 0 {
        let _ = write!(words, " delay {}us", rule.delay_ns / 1000);
        if rule.jitter_ns > 0 {
            let _ = write!(words, " {}us rate {ORDERLY}", rule.jitter_ns / 1000);
        }
    }
    if rule.reorder > 0.0 {
        // Netem delays all but a share; here a share is delayed, and overtaken by the others.
        let others = percent(1.0 - rule.reorder);
        let _ = write!(words, " delay {}us reorder {others}", rule.reorder_ns / 1000);
    }
    for (word, share) in
        [("loss", rule.loss), ("duplicate", rule.duplicate), ("corrupt", rule.corrupt)]
    {
        if share > 0.0 {
            let _ = write!(words, " {word} {}", percent(share));
        }
    }
    if rule.rate > 0 {
        let _ = write!(words, " rate {}bit", rule.rate);
    }
    words
}

fn percent(share: f64) -> String {
    format!("{:.6}%", share * 100.0)
}

/// What a band's netem counted, and whether that alone shows that it harmed packets.
pub fn counted(listing: &Value, place: usize, band: &Band) -> (bool, String) {
    let names: Vec<&str> = band.to.iter().map(|link| &*link.node).collect();
    let names = names.join(" ");
    let handle = handle(place);
    let all = listing.as_array().into_iter().flatten();
    let Some(qdisc) = all.into_iter().find(|qdisc| qdisc["handle"] == *handle) else {
        return (false, format!("to {names}: the netem is gone"));
    };
    let number = |name: &str| qdisc[name].as_u64().unwrap_or(0);
    let (sent, dropped, waiting) = (number("packets"), number("drops"), number("qlen"));
    let late = band.rule.delay_ns > 0 || band.rule.rate > 0;
    let seen = match &band.rule {
        rule if rule.loss > 0.0 => dropped > 0,
        _ => late && sent + waiting > 0,
    };
    (seen, format!("to {names}: {sent} packets sent, {dropped} dropped, {waiting} waiting"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn toward(node: &str, rule: &Rule) -> Toward {
        let last = &node[1..];
        let address = format!("10.0.0.{last}").parse().unwrap();
        Toward { node: node.to_owned(), address, rule: rule.clone() }
    }

    #[test]
    fn rules_in_netems_words() {
        const MS: u64 = 1_000_000;
        let none = Rule::default;
        for (rule, words) in [
            (Rule { delay_ns: 100 * MS, ..none() }, "limit 100000 delay 100000us"),
            (
                Rule { delay_ns: 100 * MS, jitter_ns: 25 * MS, ..none() },
                "limit 100000 delay 100000us 25000us rate 100gbit",
            ),
            (Rule { loss: 0.1, ..none() }, "limit 100000 loss 10.000000%"),
            (Rule { duplicate: 0.64, ..none() }, "limit 100000 duplicate 64.000000%"),
            (Rule { corrupt: 0.0001, ..none() }, "limit 100000 corrupt 0.010000%"),
            (
                Rule { reorder: 0.25, reorder_ns: 10 * MS, ..none() },
                "limit 100000 delay 10000us reorder 75.000000%",
            ),
            (Rule { rate: 64_000, ..none() }, "limit 2 rate 64000bit"),
            (Rule { rate: 8_192_000, ..none() }, "limit 136 rate 8192000bit"),
        ] {
            assert_eq!(netem(&rule), words);
        }
    }

    #[test]
    fn each_destination_has_a_band_of_its_own() {
        let rule = Rule { loss: 0.5, ..Rule::default() };
        let six = Toward {
            node: "n3".to_owned(),
            address: "fd00::3".parse().unwrap(),
            rule: rule.clone(),
        };
        let bands = bands(vec![toward("n2", &rule), six]).unwrap();
        assert_eq!(
            script("eth0", &bands),
            "qdisc add dev eth0 root handle 7472: prio bands 3 priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n\
             qdisc add dev eth0 parent 7472:2 handle 7473: netem limit 100000 loss 50.000000%\n\
             filter add dev eth0 parent 7472: protocol ip prio 1 u32 match ip dst 10.0.0.2/32 flowid 7472:2\n\
             qdisc add dev eth0 parent 7472:3 handle 7474: netem limit 100000 loss 50.000000%\n\
             filter add dev eth0 parent 7472: protocol ipv6 prio 2 u32 match ip6 dst fd00::3/128 flowid 7472:3\n"
        );
    }

    #[test]
    fn netems_that_duplicate_are_shared() {
        let rule = Rule { duplicate: 0.5, ..Rule::default() };
        let found = bands(vec![toward("n2", &rule), toward("n3", &rule)]).unwrap();
        assert_eq!(found.len(), 1);
        let lines = script("eth0", &found);
        assert_eq!(lines.matches("netem").count(), 1);
        assert_eq!(lines.matches("flowid 7472:2").count(), 2);
    }

    #[test]
    fn more_links_than_bands_are_refused() {
        let rule = Rule { loss: 0.5, ..Rule::default() };
        let links = |count: u8| (1..=count).map(|it| toward(&format!("n{it}"), &rule)).collect();
        assert_eq!(bands(links(15)).unwrap().len(), 15);
        let error = bands(links(16)).unwrap_err().to_string();
        assert_eq!(error, "an interface can have 15 bad links at most");
    }

    #[test]
    fn what_netem_cannot_do_is_refused() {
        for rule in [
            Rule { hold: true, ..Rule::default() },
            Rule { corrupt: 0.1, mend: true, ..Rule::default() },
            Rule { replay: 0.1, ..Rule::default() },
        ] {
            assert!(unsupported(&rule).is_some());
        }
        assert_eq!(unsupported(&Rule { loss: 0.1, ..Rule::default() }), None);
    }

    #[test]
    fn counters_tell_what_was_done() {
        let listing = json!([
            {"kind": "prio", "handle": "7472:", "root": true, "packets": 90, "drops": 7},
            {"kind": "netem", "handle": "7473:", "packets": 40, "drops": 7, "qlen": 2},
        ]);
        let lossy = Rule { loss: 0.5, ..Rule::default() };
        let band = |rule: &Rule| Band { rule: rule.clone(), to: vec![toward("n2", rule)] };
        let (seen, told) = counted(&listing, 0, &band(&lossy));
        assert_eq!((seen, &*told), (true, "to n2: 40 packets sent, 7 dropped, 2 waiting"));
        let altered = Rule { corrupt: 0.5, ..Rule::default() };
        assert!(!counted(&listing, 0, &band(&altered)).0, "no counter tells");
        assert_eq!(counted(&listing, 1, &band(&lossy)).1, "to n2: the netem is gone");
    }
}
