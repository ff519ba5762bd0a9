//! What the controller and an agent say to each other: JSON, one message a
//! line, requests on the agent's standard input and replies on its output.
//!
//! ```text
//! -> {"id":1,"request":"inject","fault":0,"harm":{"pause":{"pid":412}}}
//! <- {"id":1,"reply":"seen","observed":true,"evidence":["14 of 14 threads stopped"]}
//! ```

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tribunal_harness::cluster::local::wire::Rule;
use tribunal_history::Effect;

use super::datagrams::{Echoes, Heard};
use crate::disk::{self, Order};

/// A request and the number its reply will carry. Number 0 is the agent's own,
/// for the [`Reply::Ready`] it begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Chosen by the controller.
    pub id: u64,
    /// What is wanted.
    #[serde(flatten)]
    pub request: Request,
}

/// A reply and the number of its request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// The request's.
    pub id: u64,
    /// What came of it.
    #[serde(flatten)]
    pub reply: Reply,
}

/// What a controller may ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Renews the lease, as every request does.
    Ping,
    /// Does harm, to be held until it is healed.
    Inject {
        /// The fault's number in the schedule.
        fault: u64,
        /// What to do here.
        harm: Harm,
    },
    /// Looks, from inside, what became of a fault that is held.
    Observe {
        /// Which.
        fault: u64,
    },
    /// Undoes one fault. Undoing what is not held is no error.
    Heal {
        /// Which.
        fault: u64,
    },
    /// Undoes all.
    HealAll,
    /// Sends UDP datagrams to these addresses, so that a cut has something to drop, and a bad
    /// link something to harm.
    Knock {
        /// Where to.
        addresses: Vec<IpAddr>,
        /// To which port; by default 9 (discard).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        /// How many to each.
        count: u32,
    },
    /// Listens for datagrams that are numbered, counts them and sends each back.
    Listen,
    /// Tells what was heard, and ends it.
    Heard,
    /// Sends numbered datagrams to those who listen.
    Send {
        /// To whom.
        to: Vec<SocketAddr>,
        /// How many to each.
        count: u32,
        /// How large they are.
        bytes: u16,
        /// How long to wait for the last ones to come back, in milliseconds.
        wait_ms: u64,
    },
    /// Reads the clocks here. Nobody is stopped for it.
    Clock {
        /// The daemon, whose processes may read another time than the node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pid: Option<u32>,
    },
}

/// What is done on one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harm {
    /// Packets from these nodes are dropped.
    Cut {
        /// Whose.
        sources: Vec<Source>,
        /// Only those of conversations with these TCP and UDP ports, here or there; none: all packets.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ports: Vec<u16>,
    },
    /// Every process of a daemon's session is stopped.
    Pause {
        /// The daemon.
        pid: u32,
    },
    /// Every process of a daemon's session is killed.
    Kill {
        /// The daemon.
        pid: u32,
    },
    /// Every process of a daemon's session reads another time.
    Clock {
        /// The daemon.
        pid: u32,
        /// From the machine's clock.
        offset_ns: i64,
        /// How much faster it runs from now on, in parts per million; -1,000,000: it stands.
        #[serde(default, skip_serializing_if = "is_zero")]
        ppm: i64,
        /// How long it stays so before it goes back, and so forth; 0: for good.
        #[serde(default, skip_serializing_if = "is_never")]
        strobe_ms: u64,
    },
    /// Packets from here to these nodes are harmed, by the kernel's netem.
    Links {
        /// To whom, and how.
        links: Vec<Toward>,
    },
    /// The clock of the whole host shows another time. Never on a kernel that is the controller's.
    HostClock {
        /// The controller's boot id.
        controller: String,
        /// From what it would show.
        offset_ns: i64,
        /// How much faster it runs from now on, in parts per million.
        #[serde(default, skip_serializing_if = "is_zero")]
        ppm: i64,
        /// How long it stays so before it goes back, and so forth; 0: for good.
        #[serde(default, skip_serializing_if = "is_never")]
        strobe_ms: u64,
    },
    /// Every process of a daemon's session is frozen.
    Freezer {
        /// The daemon.
        pid: u32,
    },
    /// They may use so much of a core, all together.
    CpuLimit {
        /// The daemon.
        pid: u32,
        /// One part in so many of what they use.
        part: u64,
        /// Instead: so many millionths of a core.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        core_ppm: Option<u64>,
    },
    /// They may take so much memory, and who asks for more is killed.
    MemoryLimit {
        /// The daemon.
        pid: u32,
        /// More than they have, in bytes.
        room: u64,
        /// Instead: in all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u64>,
    },
    /// They may not start more processes or threads.
    ProcessLimit {
        /// The daemon.
        pid: u32,
        /// But so many.
        room: u64,
    },
    /// They may not open more files.
    FileLimit {
        /// The daemon.
        pid: u32,
        /// But so many.
        room: u64,
    },
    /// Ground is laid under a folder: no harm, but what other harms stand on.
    Lay {
        /// Which kind.
        ground: Ground,
        /// The folder.
        at: PathBuf,
        /// For whom: a killed agent's successor for the same one leaves it there.
        tenant: String,
    },
    /// The power of the disk under a daemon fails, and with it the daemon.
    PowerOff {
        /// The daemon.
        pid: u32,
    },
    /// A rule holds for what a daemon asks of the disk under its data.
    BadDisk {
        /// The daemon.
        pid: u32,
        /// The rule.
        rule: disk::Rule,
        /// In which order writes reach the disk, where the rule ends in a power cut.
        order: Order,
    },
    /// No byte is left on the disk under the data.
    Fill,
    /// Every write to the disk under the data waits.
    Freeze,
    /// Files are damaged while nobody has them.
    Damage {
        /// The daemon that is killed first; none where the files are nobody's.
        pid: Option<u32>,
        /// The folder that they are in.
        at: PathBuf,
        /// Which of them it may be, by a pattern for their paths from there.
        files: String,
        /// What is done to them.
        damage: Damage,
        /// What chance is drawn from.
        seed: u64,
        /// Whether they are put back as they were when it is over.
        #[serde(default)]
        restore: bool,
    },
    /// A copy of a folder is taken now and put back later.
    RollBack {
        /// The daemon whose folder it is.
        pid: u32,
        /// The folder.
        at: PathBuf,
        /// How much later.
        after_ms: u64,
    },
}

/// What can be done to files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// The end of one is cut off.
    Truncate,
    /// Bits of one are turned round.
    Flip {
        /// How many.
        bits: u64,
    },
    /// One is removed.
    Lose,
    /// Two of one folder take each other's place.
    Swap,
}

/// What can be laid under a database's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// A disk of its own, in a file.
    Image(Image),
    /// A filesystem of ours between the database and its folder, which keeps rules.
    Fuse,
}

/// A disk in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// In mebibytes.
    pub size_mb: u64,
    /// What is made on it.
    pub filesystem: Filesystem,
}

/// What can be made on a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filesystem {
    /// Linux' usual one.
    #[default]
    Ext4,
    /// The other one that databases are run on.
    Xfs,
}

impl Filesystem {
    /// The program that makes one, and its Debian package.
    pub fn maker(self) -> (&'static str, &'static str) {
        match self {
            Filesystem::Ext4 => ("mkfs.ext4", "e2fsprogs"),
            Filesystem::Xfs => ("mkfs.xfs", "xfsprogs"),
        }
    }
}

fn is_zero(ppm: &i64) -> bool {
    *ppm == 0
}

fn is_never(milliseconds: &u64) -> bool {
    *milliseconds == 0
}

/// A link from the agent's node, and what happens there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Toward {
    /// To whom: its name.
    pub node: String,
    /// Its address.
    pub address: IpAddr,
    /// What happens.
    pub rule: Rule,
}

/// A node whose packets are dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub node: String,
    /// Its addresses, of both families.
    pub addresses: Vec<IpAddr>,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// The agent has started.
    Ready {
        /// What it undid that an earlier one had left.
        #[serde(default)]
        undone: Vec<String>,
        /// What it could not undo.
        #[serde(default)]
        left: Vec<String>,
        /// Its kernel's boot id, where that can be read.
        #[serde(default)]
        boot_id: Option<String>,
        /// What this node has not: what it is called, and a sentence.
        #[serde(default)]
        lacks: BTreeMap<String, String>,
        /// The addresses that this node can be told by, of both families.
        #[serde(default)]
        addresses: Vec<IpAddr>,
    },
    /// It is done.
    Done,
    /// What was seen.
    Seen(Effect),
    /// It listens.
    Listening {
        /// At this port, UDP.
        port: u16,
    },
    /// What was heard, by who sent it.
    Heard(Heard),
    /// They were sent: what came back, in the order of the addresses.
    Sent {
        /// From each.
        echoes: Vec<Echoes>,
    },
    /// What the clocks show.
    Clock {
        /// The node's, in nanoseconds since 1970.
        wall_ns: i64,
        /// The least and the most that a process of the daemon reads beyond that; absent where
        /// there is no daemon, or none that can be looked into.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ahead_ns: Option<(i64, i64)>,
    },
    /// What could not be undone, of all that was held.
    Left {
        /// A sentence each.
        left: Vec<String>,
    },
    /// It could not be done.
    Failed {
        /// Why.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_flat_lines() {
        let asked = Asked {
            id: 1,
            request: Request::Inject {
                fault: 0,
                harm: Harm::Clock { pid: 412, offset_ns: -5, ppm: 0, strobe_ms: 0 },
            },
        };
        let line =
            r#"{"id":1,"request":"inject","fault":0,"harm":{"clock":{"pid":412,"offset_ns":-5}}}"#;
        assert_eq!(serde_json::to_string(&asked).unwrap(), line);
        assert_eq!(serde_json::from_str::<Asked>(line).unwrap(), asked);
        let effect = Effect { observed: true, evidence: vec!["seen".into()] };
        let answered = Answered { id: 1, reply: Reply::Seen(effect) };
        let line = r#"{"id":1,"reply":"seen","observed":true,"evidence":["seen"]}"#;
        assert_eq!(serde_json::to_string(&answered).unwrap(), line);
        assert_eq!(serde_json::from_str::<Answered>(line).unwrap(), answered);
    }
}
