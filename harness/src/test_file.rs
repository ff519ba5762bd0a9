//! The test file: a database, its client program, its workloads and how to run
//! them, in TOML. `docs/test-file.md` is its reference.

mod extends;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A whole test file. Unknown keys are errors: a misspelt setting must not be ignored.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestFile {
    /// The test's name, and its folder's in the store; the file's own name where it is absent.
    pub name: Option<String>,
    /// Template variables and their defaults; `-s name=value` sets them.
    #[serde(default)]
    pub vars: BTreeMap<String, Value>,
    /// The database.
    pub db: DatabaseTable,
    /// The client program.
    pub client: ClientTable,
    /// The options of each workload that this test knows.
    #[serde(default)]
    pub workload: BTreeMap<String, Map<String, Value>>,
    /// Defaults of `tribunal run`'s own options.
    #[serde(default)]
    pub run: RunTable,
    /// The schedule's timing, and a table of options for each fault.
    #[serde(default)]
    pub faults: FaultsTable,
}

/// `[db]`: how the database is installed, started, asked and cleared away.
/// Commands are shell, run as the session's user on each node, and templates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseTable {
    /// Local files copied to each node first.
    #[serde(default)]
    pub files: Vec<FileCopy>,
    /// Installs it; run once a node.
    pub install: Option<String>,
    /// Starts it in the foreground.
    pub start: String,
    /// Exits with 0 as soon as it serves on this node. Without it: the first port accepts.
    pub ready: Option<String>,
    /// How long it may take to be ready.
    #[serde(default = "thirty_seconds", deserialize_with = "duration")]
    pub ready_timeout: Duration,
    /// Ends it. Without it: SIGTERM, then SIGKILL, to all its processes.
    pub stop: Option<String>,
    /// Its data, deleted before a run.
    pub data_dir: Option<String>,
    /// The disk that a run lays under its data where a fault needs one.
    #[serde(default)]
    pub disk: DiskTable,
    /// Its log files; what it prints is kept anyway.
    #[serde(default)]
    pub logs: Vec<String>,
    /// Exits with 0 on a node that holds itself primary.
    pub primaries: Option<String>,
    /// How long it takes to serve again once the last fault is over, by its own word.
    #[serde(default, deserialize_with = "some_duration")]
    pub recovers_within: Option<Duration>,
    /// Its ports by name, for templates and clients.
    #[serde(default)]
    pub ports: BTreeMap<String, u16>,
    /// How nodes leave it and join it.
    pub membership: Option<MembershipTable>,
    /// Its other version.
    pub upgrade: Option<UpgradeTable>,
}

/// `[db.membership]`: run on one node, about another one, `{{ member.id }}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembershipTable {
    /// Takes the member out of the cluster.
    pub leave: String,
    /// Tells the cluster of the member, which is started then.
    pub join: String,
    /// Prints the ids of the members, apart from each other by white space.
    pub status: String,
}

/// `[db.upgrade]`: what is another version's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpgradeTable {
    /// Installs it, while the database of the node is stopped.
    pub install: Option<String>,
    /// Starts it in the foreground.
    pub start: String,
}

/// `[db] disk`: what a disk of a run's own is like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiskTable {
    /// Its size in mebibytes.
    pub size_mb: Option<u64>,
    /// What is made on it.
    pub filesystem: Option<String>,
}

/// A local file and where it goes on a node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileCopy {
    /// On this machine; relative to the test file.
    pub from: String,
    /// On the node; absolute.
    pub to: String,
}

/// `[client]`: the program that speaks the client protocol.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientTable {
    /// Program and arguments, as templates; run here, one process a worker.
    pub command: Vec<String>,
    /// How long a call may take before it is an `info`.
    #[serde(default = "five_seconds", deserialize_with = "duration")]
    pub timeout: Duration,
    /// Whether the deadline follows the answers; then `timeout` is the most it can be.
    pub adaptive: Option<AdaptiveTable>,
}

/// `[client] adaptive`: how the deadline of a call follows the answers so far.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveTable {
    /// So many times their 99th percentile.
    #[serde(default = "three")]
    pub times: f64,
    /// No less than this.
    #[serde(default = "twenty_milliseconds", deserialize_with = "duration")]
    pub least: Duration,
}

fn three() -> f64 {
    3.0
}

fn twenty_milliseconds() -> Duration {
    Duration::from_millis(20)
}

/// `[run]`: defaults of the command line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunTable {
    /// Which workload.
    pub workload: Option<String>,
    /// Which faults.
    pub faults: Option<Vec<String>>,
    /// How many local nodes.
    pub nodes: Option<usize>,
    /// How long.
    #[serde(deserialize_with = "some_duration")]
    pub time: Option<Duration>,
    /// Calls a second, all workers together; 0 for as many as possible.
    pub rate: Option<f64>,
    /// For so long the rate grows, from a tenth to the whole.
    #[serde(deserialize_with = "some_duration")]
    pub ramp: Option<Duration>,
    /// The whole rate now and then, and less of it between.
    pub bursts: Option<BurstsTable>,
    /// Calls that failed are made again.
    pub retries: Option<RetriesTable>,
    /// Workers: a number, or `2n` for two a node.
    pub concurrency: Option<Concurrency>,
    /// What can happen: `partially-synchronous/crash-recovery`.
    pub system_model: Option<String>,
    /// How long the healed cluster is left alone before the final phase.
    #[serde(deserialize_with = "some_duration")]
    pub quiesce: Option<Duration>,
}

/// `[run] retries`: how often a call that failed is made again, and after how long.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetriesTable {
    /// At most so many times.
    pub times: u32,
    /// Before the first; doubled with each further one.
    #[serde(deserialize_with = "duration")]
    pub backoff: Duration,
    /// The share of it that is left to chance, from 0 to 1.
    #[serde(default = "a_half")]
    pub jitter: f64,
}

fn a_half() -> f64 {
    0.5
}

/// `[run] bursts`: when the whole rate is called, and how much of it in between.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BurstsTable {
    /// From the beginning of one to that of the next.
    #[serde(deserialize_with = "duration")]
    pub every: Duration,
    /// How long each lasts.
    #[serde(deserialize_with = "duration")]
    pub length: Duration,
    /// The share of the rate between two of them, up to 1.
    #[serde(default = "a_tenth")]
    pub between: f64,
}

fn a_tenth() -> f64 {
    0.1
}

/// `[faults]`: timing, and options by fault (`[faults.pause]`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct FaultsTable {
    /// From the end of one fault to the beginning of the next.
    #[serde(deserialize_with = "some_duration")]
    pub interval: Option<Duration>,
    /// How long one lasts.
    #[serde(deserialize_with = "some_duration")]
    pub duration: Option<Duration>,
    /// How many faults may act at once.
    pub at_once: Option<usize>,
    /// In which rhythm they come.
    pub schedule: Option<Rhythm>,
    /// How many nodes may be down at once, under all faults together.
    pub max_down: Option<usize>,
    /// Faults at times of their own.
    pub script: Vec<ScriptEntry>,
    /// Options of each fault, by its name.
    #[serde(flatten, deserialize_with = "fault_options")]
    pub options: BTreeMap<String, Map<String, Value>>,
}

/// `[faults] schedule`: in which rhythm faults come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rhythm {
    /// In rounds of every kind, in an order and at times of chance.
    #[default]
    Random,
    /// Every interval, each kind in its turn, as they were named.
    Interval,
    /// Each kind one time, in an order and at times of chance.
    Once,
}

/// `[[faults.script]]`: one fault, when it comes and for how long.
#[derive(Clone, Debug, Deserialize)]
pub struct ScriptEntry {
    /// Its name.
    pub fault: String,
    /// When it is injected, since the run began.
    #[serde(deserialize_with = "duration")]
    pub at: Duration,
    /// How long it lasts.
    #[serde(rename = "for", deserialize_with = "duration")]
    pub lasts: Duration,
    /// Its options.
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

/// How many workers: so many, or so many a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    /// Altogether.
    Workers(usize),
    /// For each node.
    PerNode(usize),
}

impl Concurrency {
    /// The number of workers on a cluster of `nodes`.
    pub fn workers(self, nodes: usize) -> usize {
        match self {
            Concurrency::Workers(count) => count,
            Concurrency::PerNode(count) => count * nodes,
        }
    }
}

impl std::str::FromStr for Concurrency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (digits, per_node) = match text.strip_suffix('n') {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        match digits.parse() {
            Ok(0) | Err(_) => {
                Err(format!("{text:?} is no number of workers; say 10, or 2n for two a node"))
            }
            Ok(count) if per_node => Ok(Concurrency::PerNode(count)),
            Ok(count) => Ok(Concurrency::Workers(count)),
        }
    }
}

impl<'de> Deserialize<'de> for Concurrency {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Number(usize),
            Text(String),
        }
        let text = match Given::deserialize(from)? {
            Given::Number(number) => number.to_string(),
            Given::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn thirty_seconds() -> Duration {
    Duration::from_secs(30)
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

/// Reads `"250ms"`, `"60s"`, `"3m"`, `"2h"`, or a bare number of seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("{text:?} is no duration; say 250ms, 60s, 3m or 2h")),
    };
    match number.trim().parse::<f64>() {
        Ok(count) if count.is_finite() && (0.0..1e9).contains(&count) => {
            Ok(Duration::from_secs_f64(count * seconds))
        }
        _ => Err(format!("{text:?} is no duration; say 250ms, 60s, 3m or 2h")),
    }
}

fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    parse_duration(&text).map_err(serde::de::Error::custom)
}

/// What is no setting of `[faults]` itself is a fault's table, or misspelt.
fn fault_options<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, Map<String, Value>>, D::Error> {
    let table = |(name, value)| match value {
        Value::Object(options) => Ok((name, options)),
        _ => Err(serde::de::Error::custom(format!(
            "`{name}` is neither a setting of [faults] (interval, duration, at_once, schedule, \
             max_down, script) \
             nor a table of a fault's options"
        ))),
    };
    BTreeMap::<String, Value>::deserialize(from)?.into_iter().map(table).collect()
}

fn some_duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    duration(from).map(Some)
}

/// A test file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TestFileError {
    /// The file itself.
    #[error("cannot read the test file {}: {why}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// What is in it.
    #[error("{}:{line}: {why}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// What it comes to, together with those that it extends.
    #[error("{}: {why}", path.display())]
    Unfit {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl TestFile {
    /// Reads a test file.
    pub fn read(path: &Path) -> Result<Self, TestFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|why| TestFileError::Unreadable { path: path.to_owned(), why })?;
        let mut test = match extends::read(path, &text)? {
            Some(test) => test,
            None => Self::alone(path, &text)?,
        };
        if test.name.is_none() {
            test.name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        }
        Ok(test)
    }

    /// Reads one that extends no other.
    fn alone(path: &Path, text: &str) -> Result<Self, TestFileError> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            TestFileError::Malformed {
                path: path.to_owned(),
                line: text[..at.min(text.len())].matches('\n').count() + 1,
                why: error.message().replace('\n', " "),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("3m"), Ok(Duration::from_secs(180)));
        assert_eq!(parse_duration("20"), Ok(Duration::from_secs(20)));
        for bad in ["", "s", "-3s", "3 days", "nan", "inf"] {
            assert!(parse_duration(bad).is_err(), "{bad:?} was taken for a duration");
        }
    }

    #[test]
    fn concurrency_may_be_per_node() {
        assert_eq!("2n".parse(), Ok(Concurrency::PerNode(2)));
        assert_eq!("7".parse(), Ok(Concurrency::Workers(7)));
        assert_eq!(Concurrency::PerNode(2).workers(5), 10);
        for bad in ["0", "n", "-1", "0n", "many"] {
            assert!(
                bad.parse::<Concurrency>().is_err(),
                "{bad:?} was taken for a number of workers"
            );
        }
    }

    #[test]
    fn a_misspelt_setting_names_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.toml");
        std::fs::write(&path, "[db]\nstart = \"x\"\nraedy = \"y\"\n[client]\ncommand = [\"c\"]\n")
            .unwrap();
        let error = TestFile::read(&path).unwrap_err().to_string();
        assert!(error.contains("test.toml:3: "), "{error}");
        assert!(error.contains("raedy"), "{error}");
    }
}
