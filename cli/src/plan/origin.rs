//! How a plan came to be, for the record: the words with which `tribunal run` does it again.
//!
//! They are made from what was asked for and not from this process' own arguments: a suite asks for
//! many runs, and each of them is to be run again alone.

use std::path::{Path, PathBuf};

use tribunal_generator::Seed;
use tribunal_harness::test_file::Concurrency;

use crate::commands::run::{Run, STORE};
use crate::hosts::Hosts;

/// Larger seeds were drawn, and are written as the names of their runs are.
const TYPED: u64 = 10_000;

/// How a plan came to be, for the record.
#[derive(Clone)]
pub(super) struct Origin {
    /// The command line that runs it again.
    pub command: String,
    /// What `tribunal run` is told for it, word by word, and where.
    pub arguments: Vec<String>,
    pub directory: PathBuf,
}

impl Origin {
    /// What was asked for here, with the seed.
    pub fn here(arguments: &Run, seed: Seed) -> anyhow::Result<Self> {
        let program = std::env::args().next().unwrap_or_else(|| "tribunal".to_owned());
        let arguments = words(arguments, seed);
        let all = std::iter::once(&program).chain(&arguments);
        let command = all.map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        Ok(Self { command, arguments, directory: std::env::current_dir()? })
    }
}

/// What the command is told to run this, the first word of which is `run`; what is as it is by
/// default is left out.
fn words(asked: &Run, seed: Seed) -> Vec<String> {
    let Run {
        test,
        workload,
        faults,
        hosts,
        local,
        time,
        rate,
        concurrency,
        system_model,
        seed: _,
        set,
        store,
    } = asked;
    let Hosts { nodes, nodes_file, ssh_config, identity, known_hosts } = hosts;
    let path = |path: &PathBuf| path.display().to_string();
    let options = [
        ("--workload", workload.clone()),
        ("--faults", faults.as_deref().map(named)),
        ("--nodes", nodes.clone()),
        ("--nodes-file", nodes_file.as_ref().map(path)),
        ("--ssh-config", ssh_config.as_ref().map(path)),
        ("--identity", identity.as_ref().map(path)),
        ("--known-hosts", known_hosts.as_ref().map(path)),
        ("--local", local.map(|count| count.to_string())),
        ("--time", time.map(|time| format!("{}s", time.as_secs_f64()))),
        ("--rate", rate.map(|rate| rate.to_string())),
        ("--concurrency", concurrency.map(workers)),
        ("--system-model", system_model.map(|model| model.to_string())),
        ("--seed", Some(number(seed))),
    ];
    let mut words = vec!["run".to_owned(), path(test)];
    let said = options.into_iter().filter_map(|(option, value)| Some((option, value?)));
    words.extend(said.flat_map(|(option, value)| [option.to_owned(), value]));
    words.extend(set.iter().flat_map(|setting| ["-s".to_owned(), setting.clone()]));
    if store != Path::new(STORE) {
        words.extend(["--store".to_owned(), path(store)]);
    }
    words
}

/// No faults are some, too: the test file's own are not meant.
fn named(faults: &[String]) -> String {
    if faults.is_empty() { "none".to_owned() } else { faults.join(",") }
}

fn workers(concurrency: Concurrency) -> String {
    match concurrency {
        Concurrency::Workers(count) => count.to_string(),
        Concurrency::PerNode(count) => format!("{count}n"),
    }
}

fn number(seed: Seed) -> String {
    if seed.0 < TYPED { seed.0.to_string() } else { seed.to_string() }
}

/// A word as a shell reads it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn asked_for() -> Run {
        Run {
            test: "my tests/x.toml".into(),
            workload: Some("register".to_owned()),
            faults: Some(vec!["pause".to_owned(), "kill".to_owned()]),
            hosts: Hosts::default(),
            local: Some(3),
            time: Some(Duration::from_millis(12_250)),
            rate: Some(0.5),
            concurrency: Some(Concurrency::PerNode(2)),
            system_model: Some("asynchronous/crash-stop".parse().unwrap()),
            seed: Some(Seed(7)),
            set: vec!["bug=none".to_owned(), "words=two words".to_owned()],
            store: "elsewhere/store".into(),
        }
    }

    /// The command understands the words as what was asked for.
    #[track_caller]
    fn comes_back(asked: &Run, seed: Seed) {
        let words = words(asked, seed);
        let Some(told) = crate::told_to_run(&words) else { panic!("{words:?} is no run") };
        assert_eq!(told, Run { seed: Some(seed), ..asked.clone() }, "{words:?}");
    }

    #[test]
    fn what_was_asked_for_is_what_the_words_say() {
        comes_back(&asked_for(), Seed(7));
        comes_back(&asked_for(), Seed(0xdead_beef));
        let hosts = Hosts {
            nodes: Some("root@db1,root@db2:2222".to_owned()),
            nodes_file: None,
            ssh_config: Some("ssh config".into()),
            identity: Some("key".into()),
            known_hosts: Some("known".into()),
        };
        comes_back(&Run { hosts, local: None, ..asked_for() }, Seed(7));
        let hosts = Hosts { nodes_file: Some("hosts.txt".into()), ..Hosts::default() };
        comes_back(&Run { hosts, local: None, ..asked_for() }, Seed(7));
    }

    #[test]
    fn what_is_as_it_is_by_default_is_not_said() {
        let Some(plain) = crate::told_to_run(&["run".to_owned(), "x.toml".to_owned()]) else {
            panic!("a test file alone is no run")
        };
        comes_back(&plain, Seed(7));
        assert_eq!(words(&plain, Seed(7)), ["run", "x.toml", "--seed", "7"]);
        let peaceful = Run { faults: Some(Vec::new()), ..plain };
        assert_eq!(words(&peaceful, Seed(7))[2..4], ["--faults", "none"]);
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_another() {
        assert_eq!(quoted("bug=none"), "bug=none");
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
