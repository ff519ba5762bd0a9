//! The one nftables table that is ours, on this node.
//!
//! It is `inet tribunal`, and an empty chain in it says whose it is. A table of that name
//! without the chain is somebody else's and is refused. No other table is ever read or
//! changed, and nothing is ever flushed but a chain of ours.

use std::collections::BTreeMap;
use std::io;

use serde_json::Value;

use super::tool::Tool;

/// Its name, with its family: both versions of IP.
pub const TABLE: &str = "inet tribunal";
/// A chain that nothing goes through: the JSON of nft 1.0 leaves comments of tables out.
const TAG: &str = "made-by-the-tribunal-agent";

const NFT: Tool = Tool { program: "nft", package: "nftables", serves: "partitions" };

/// The table as it is; `None` when there is none. An error when it is not ours.
pub struct Listing(Value);

impl Listing {
    /// Looks it up.
    pub fn read() -> io::Result<Option<Self>> {
        let listing = match NFT.call(&["-j", "list", "table", "inet", "tribunal"], "") {
            Ok(listing) => Self(serde_json::from_str(&listing)?),
            Err(error) if error.to_string().contains("No such file or directory") => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if !listing.objects("chain").any(|chain| chain["name"] == TAG) {
            return Err(io::Error::other(
                "an nftables table `inet tribunal` is there that is not the agent's; \
                 rename it, or partitions cannot be made on this node",
            ));
        }
        Ok(Some(listing))
    }

    /// The names of its chains, but for the one that says whose it is.
    pub fn chains(&self) -> impl Iterator<Item = &str> {
        self.objects("chain").filter_map(|chain| chain["name"].as_str()).filter(|name| *name != TAG)
    }

    /// What the rules of a chain have counted, by their comments.
    pub fn packets(&self, chain: &str) -> BTreeMap<&str, u64> {
        let mut counted = BTreeMap::new();
        for rule in self.objects("rule").filter(|rule| rule["chain"] == *chain) {
            let mut parts = rule["expr"].as_array().into_iter().flatten();
            let packets = parts.find_map(|part| part["counter"]["packets"].as_u64());
            if let (Some(comment), Some(packets)) = (rule["comment"].as_str(), packets) {
                *counted.entry(comment).or_default() += packets;
            }
        }
        counted
    }

    fn objects(&self, kind: &str) -> impl Iterator<Item = &Value> {
        let all = self.0["nftables"].as_array().into_iter().flatten();
        all.filter_map(move |object| object.get(kind))
    }
}

/// Does what a script says, all of it or nothing; the table is made where there is none.
pub fn change(script: &str) -> io::Result<()> {
    Listing::read()?;
    let own = format!("add table {TABLE}\nadd chain {TABLE} {TAG}\n");
    NFT.call(&["-f", "-"], &(own + script)).map(drop)
}

/// Takes chains away, those that are there; the table goes with its last one.
pub fn remove(chains: &[String]) -> io::Result<()> {
    let Some(listing) = Listing::read()? else { return Ok(()) };
    let (ours, others): (Vec<&str>, Vec<&str>) =
        listing.chains().partition(|chain| chains.iter().any(|mine| mine == chain));
    if others.is_empty() {
        return remove_all();
    }
    // All are empty before any is gone: none can go to which another one still leads.
    let all = |what: &str| -> String {
        ours.iter().map(|chain| format!("{what} chain {TABLE} {chain}\n")).collect()
    };
    let script = all("flush") + &all("delete");
    NFT.call(&["-f", "-"], &script).map(drop)
}

/// Takes the whole table away; `false`: there is none.
pub fn sweep() -> io::Result<bool> {
    match Listing::read() {
        Ok(None) => Ok(false),
        Ok(Some(_)) => remove_all().map(|()| true),
        // Where there is no nft, no agent has ever cut anything.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn remove_all() -> io::Result<()> {
    NFT.call(&["delete", "table", "inet", "tribunal"], "").map(drop)
}
