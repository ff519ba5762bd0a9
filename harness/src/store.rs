//! The folder of runs: `store/<test>/<time>-<seed>/`.
//!
//! | file | what it holds |
//! |---|---|
//! | `run.json` | the [`RunRecord`] |
//! | `history.arrow` | every event, written as the run goes |
//! | `clocks.jsonl` | the nodes' clocks against the controller's, read every second |
//! | `verdict.json` | what the checkers said |
//! | `report.html` | the page for people |
//! | `nodes/<node>/` | the database's logs |
//! | `client/` | what the client programs said on standard error |

mod logs;
mod record;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tribunal_checkers::Verdict;
use tribunal_history::jsonl::{ReadError, Tail};
use tribunal_history::{History, arrow};

use crate::clocks::{self, ClockReading};

pub use logs::{NodeLog, log_names};
pub use record::RunRecord;

/// Why the store, or a run in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file.
    #[error("{}: {why}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// A file's content.
    #[error("{}: not what Tribunal wrote: {why}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Why.
        why: serde_json::Error,
    },
    /// The history.
    #[error("{}: {why}", path.display())]
    History {
        /// Which.
        path: PathBuf,
        /// Why.
        why: ReadError,
    },
    /// No run of that name.
    #[error("there is no run {name:?} in {}; `tribunal ls` lists the runs", root.display())]
    NoSuchRun {
        /// What was asked for.
        name: String,
        /// Where.
        root: PathBuf,
    },
    /// More than one run of that name.
    #[error("{name:?} may be any of {found}; give more of the id")]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// What it may be.
        found: String,
    },
}

/// The folder of all runs.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// The folder of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl Store {
    /// A store in `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Makes the folder of a new run and writes its record. Where another run has the id, one
    /// of the same seed that began in the same second, this one's gets a number.
    pub fn create(&self, record: &mut RunRecord) -> Result<RunFolder, StoreError> {
        let (runs, id) = (self.root.join(&record.test), record.id.clone());
        fs::create_dir_all(&runs).map_err(|why| StoreError::Io { path: runs.clone(), why })?;
        let mut number = 1;
        let run = loop {
            let path = runs.join(&record.id);
            match fs::create_dir(&path) {
                Ok(()) => break RunFolder { path },
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(why) => return Err(StoreError::Io { path, why }),
            }
            record.id = format!("{id}-{number}");
        };
        for folder in ["nodes", "client"] {
            let path = run.path.join(folder);
            fs::create_dir(&path).map_err(|why| StoreError::Io { path, why })?;
        }
        run.write_record(record)?;
        Ok(run)
    }

    /// All runs, the newest first; also those of which only a part is left.
    pub fn runs(&self) -> Vec<RunFolder> {
        let tests = subfolders(&self.root);
        let mut runs: Vec<PathBuf> = tests.iter().flat_map(|test| subfolders(test)).collect();
        runs.retain(|run| is_run(run));
        runs.sort_by(|a, b| b.file_name().cmp(&a.file_name()));
        runs.into_iter().map(|path| RunFolder { path }).collect()
    }

    /// The run that `name` means: a path, `latest`, `latest-fail`, `-2` (the one
    /// before the latest), or the beginning of an id.
    pub fn find(&self, name: &str) -> Result<RunFolder, StoreError> {
        let folders = [PathBuf::from(name), self.root.join(name)];
        if let Some(path) = folders.into_iter().find(|it| !name.is_empty() && is_run(it)) {
            return Ok(RunFolder { path });
        }
        let missing = || StoreError::NoSuchRun { name: name.to_owned(), root: self.root.clone() };
        let mut runs = self.runs();
        if name == "latest" {
            return runs.into_iter().next().ok_or_else(missing);
        }
        if name == "latest-fail" {
            return runs.into_iter().find(RunFolder::failed).ok_or_else(missing);
        }
        if let Some(back) = name.strip_prefix('-').and_then(|back| back.parse::<usize>().ok()) {
            return runs.into_iter().nth(back.saturating_sub(1)).ok_or_else(missing);
        }
        if let Some(run) = runs.iter().find(|run| run.id() == name) {
            return Ok(run.clone());
        }
        runs.retain(|run| run.is_called(name));
        match runs.as_slice() {
            [] => Err(missing()),
            [run] => Ok(run.clone()),
            many => Err(StoreError::Ambiguous {
                name: name.to_owned(),
                found: many.iter().map(RunFolder::id).collect::<Vec<_>>().join(", "),
            }),
        }
    }
}

/// Whether a folder holds a run, or a part of one.
fn is_run(folder: &Path) -> bool {
    ["run.json", "history.arrow"].iter().any(|part| folder.join(part).is_file())
}

fn subfolders(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

impl RunFolder {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its id: the folder's name.
    pub fn id(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// `name` is the beginning of the id, or of the seed in it.
    fn is_called(&self, name: &str) -> bool {
        let id = self.id();
        id.starts_with(name) || id.split_once('-').is_some_and(|(_, seed)| seed.starts_with(name))
    }

    fn failed(&self) -> bool {
        self.verdict().is_ok_and(|verdict| {
            verdict.is_some_and(|v| v.validity == tribunal_checkers::Validity::Invalid)
        })
    }

    /// The file of the history.
    pub fn history_path(&self) -> PathBuf {
        self.path.join("history.arrow")
    }

    /// The file of the clocks' readings.
    pub fn clocks_path(&self) -> PathBuf {
        self.path.join("clocks.jsonl")
    }

    /// Reads them; none where nobody measured.
    pub fn clocks(&self) -> Result<Vec<ClockReading>, StoreError> {
        let path = self.clocks_path();
        match clocks::read(&path) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            readings => readings.map_err(|why| StoreError::Io { path, why }),
        }
    }

    /// The page for people.
    pub fn report_path(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// Writes `run.json`.
    pub fn write_record(&self, record: &RunRecord) -> Result<(), StoreError> {
        self.write_json("run.json", record)
    }

    /// Reads `run.json`.
    pub fn record(&self) -> Result<RunRecord, StoreError> {
        self.read_json("run.json")
    }

    /// Writes `verdict.json`.
    pub fn write_verdict(&self, verdict: &Verdict) -> Result<(), StoreError> {
        self.write_json("verdict.json", verdict)
    }

    /// Reads `verdict.json`; `None` where the run was never judged.
    pub fn verdict(&self) -> Result<Option<Verdict>, StoreError> {
        if !self.path.join("verdict.json").exists() {
            return Ok(None);
        }
        self.read_json("verdict.json").map(Some)
    }

    /// Writes the report.
    pub fn write_report(&self, page: &str) -> Result<(), StoreError> {
        self.write("report.html", page.as_bytes())
    }

    /// Reads the history. A last chunk that was cut by a crash is dropped: all before it counts.
    pub fn history(&self) -> Result<History, StoreError> {
        let path = self.history_path();
        let file = fs::File::open(&path).map_err(ReadError::from);
        let history = file.and_then(|file| arrow::read_from(file, Tail::MayBeTorn));
        history.map_err(|why| StoreError::History { path, why })
    }

    /// Writes a node's log file, under one of [`log_names`].
    pub fn write_log(&self, node: &str, name: &str, content: &[u8]) -> Result<(), StoreError> {
        self.write(&format!("nodes/{node}/{name}"), content)
    }

    /// The nodes' logs, of each its last megabytes; what is no text is left out, and so is what cannot be read.
    pub fn node_logs(&self) -> Vec<NodeLog> {
        logs::read(&self.path.join("nodes"))
    }

    fn write_json<T: Serialize>(&self, name: &str, content: &T) -> Result<(), StoreError> {
        let path = self.path.join(name);
        let text = serde_json::to_vec_pretty(content)
            .map_err(|why| StoreError::Malformed { path, why })?;
        self.write(name, &text)
    }

    fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        let path = self.path.join(name);
        let text = fs::read(&path).map_err(|why| StoreError::Io { path: path.clone(), why })?;
        serde_json::from_slice(&text).map_err(|why| StoreError::Malformed { path, why })
    }

    /// Writes by way of a temporary name: a crash leaves the old file or the new one.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let path = self.path.join(name);
        let temporary = path.with_extension("new");
        let written = fs::create_dir_all(path.parent().unwrap_or(&self.path))
            .and_then(|()| fs::write(&temporary, content))
            .and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|why| StoreError::Io { path, why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store_of(ids: &[&str]) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        for id in ids {
            let mut record =
                RunRecord { id: (*id).into(), test: "t".into(), ..RunRecord::default() };
            store.create(&mut record).unwrap();
        }
        (folder, store)
    }

    #[test]
    fn runs_are_found_by_every_name() {
        let (_folder, store) = store_of(&["20260101T000000Z-aa11", "20260102T000000Z-bb22"]);
        let id = |name: &str| store.find(name).map(|run| run.id());
        assert_eq!(id("latest").unwrap(), "20260102T000000Z-bb22");
        assert_eq!(id("-1").unwrap(), "20260102T000000Z-bb22");
        assert_eq!(id("-2").unwrap(), "20260101T000000Z-aa11");
        assert_eq!(id("20260101").unwrap(), "20260101T000000Z-aa11");
        assert_eq!(id("bb").unwrap(), "20260102T000000Z-bb22");
        assert!(matches!(id("2026"), Err(StoreError::Ambiguous { .. })));
        assert!(matches!(id("zz"), Err(StoreError::NoSuchRun { .. })));
        assert!(matches!(id("latest-fail"), Err(StoreError::NoSuchRun { .. })));
    }

    #[test]
    fn two_runs_of_one_seed_in_one_second_are_two() {
        let (_folder, store) = store_of(&["20260101T000000Z-1", "20260101T000000Z-1"]);
        let id = |name: &str| store.find(name).map(|run| run.id());
        assert_eq!(store.runs().len(), 2);
        assert_eq!(id("20260101T000000Z-1").unwrap(), "20260101T000000Z-1");
        assert_eq!(id("20260101T000000Z-1-2").unwrap(), "20260101T000000Z-1-2");
        assert!(matches!(id("20260101"), Err(StoreError::Ambiguous { .. })));
    }

    #[test]
    fn a_verdict_makes_a_run_the_latest_failure() {
        let (_folder, store) = store_of(&["20260101T000000Z-aa11", "20260102T000000Z-bb22"]);
        let older = store.find("-2").unwrap();
        assert_eq!(older.verdict().unwrap(), None);
        older.write_verdict(&Verdict::of(vec![Default::default()])).unwrap();
        assert_eq!(store.find("latest-fail").unwrap(), older);
    }

    #[test]
    fn a_history_torn_by_a_crash_still_opens() {
        let (_folder, store) = store_of(&["20260101T000000Z-aa11"]);
        let run = store.find("latest").unwrap();
        let mut recording = arrow::Recording::new(Vec::new()).unwrap();
        let read = tribunal_history::Call::new("read");
        for process in [0, 1] {
            let who = tribunal_history::Process::Client(process);
            let kind = tribunal_history::Kind::Invoke;
            recording.push(&mut tribunal_history::Event::of(&read, 0, who, kind)).unwrap();
            recording.seal().unwrap();
        }
        let (_, file) = recording.finish().unwrap();
        fs::write(run.history_path(), &file[..file.len() - 60]).unwrap();
        assert_eq!(run.history().unwrap().len(), 1);
    }
}
