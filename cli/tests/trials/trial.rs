//! One `tribunal run`, from its command line to what it left in its store.

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use tribunal_checkers::{Validity, Verdict};
use tribunal_harness::store::{RunFolder, RunRecord, Store};
use tribunal_history::{Fault, History};

use crate::scene::{Scene, text};

/// So many trials under load at once: more would only measure the machine.
static SEATS: Mutex<usize> = Mutex::new(3);
static LEFT: Condvar = Condvar::new();

/// Leave to put a load on the machine.
pub struct Seat;

impl Seat {
    pub fn take() -> Self {
        let seats = SEATS.lock().unwrap();
        *LEFT.wait_while(seats, |free| *free == 0).unwrap() -= 1;
        Self
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *SEATS.lock().unwrap() += 1;
        LEFT.notify_one();
    }
}

/// Waits until it is so; a minute is more than it ever takes.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < limit, "it does not come about that {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A run that is over.
pub struct Trial {
    pub code: Option<i32>,
    /// On standard output.
    pub said: String,
    /// On standard error.
    pub told: String,
    test: PathBuf,
}

/// `tribunal run` with a store of its own.
pub fn command(scene: &Scene, test: &Path, arguments: &[&str]) -> Command {
    let mut command = scene.command(&["run"]);
    command.arg(test).args(arguments).arg("--store").arg(store(test));
    command
}

/// Where the runs of a test file go.
pub fn store(test: &Path) -> PathBuf {
    test.with_extension("store")
}

/// The latest run of a test file.
pub fn latest(test: &Path) -> RunFolder {
    Store::new(store(test)).find("latest").unwrap()
}

/// Runs a test file to its end.
pub fn run(scene: &Scene, test: &Path, arguments: &[&str]) -> Trial {
    Trial::of(test, command(scene, test, arguments).output().unwrap())
}

/// The same under load.
pub fn run_loaded(scene: &Scene, test: &Path, arguments: &[&str]) -> Trial {
    let _seat = Seat::take();
    run(scene, test, arguments)
}

/// Starts a run whose standard error is read as it goes, in a process group of
/// its own, as a shell would.
pub fn start(mut command: Command) -> Child {
    command.process_group(0).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

impl Trial {
    pub fn of(test: &Path, output: Output) -> Self {
        let Output { status, stdout, stderr } = output;
        let test = test.to_owned();
        Self { code: status.code(), said: text(&stdout), told: text(&stderr), test }
    }

    /// The latest run's folder.
    pub fn folder(&self) -> RunFolder {
        latest(&self.test)
    }

    pub fn record(&self) -> RunRecord {
        self.folder().record().unwrap()
    }

    pub fn history(&self) -> History {
        self.folder().history().unwrap()
    }

    pub fn faults(&self) -> Vec<Fault> {
        self.history().faults()
    }

    pub fn verdict(&self) -> Verdict {
        self.folder().verdict().unwrap().expect("the run was judged")
    }

    /// The text of the report, as a reader sees it.
    pub fn report(&self) -> String {
        let mut page = std::fs::read_to_string(self.folder().report_path()).unwrap();
        for (code, letter) in
            [("&#x2f;", "/"), ("&#x27;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">")]
        {
            page = page.replace(code, letter);
        }
        page.replace("&amp;", "&")
    }

    #[track_caller]
    pub fn assert_convicted_of(&self, anomalies: &[&str]) {
        assert_eq!(self.code, Some(1), "{}\n{}", self.said, self.told);
        let verdict = self.verdict();
        assert_eq!(verdict.validity, Validity::Invalid);
        let found: BTreeSet<&str> =
            verdict.anomalies.iter().map(|anomaly| anomaly.name.as_str()).collect();
        for name in anomalies {
            assert!(found.contains(name), "{name} is not among {found:?}");
        }
        // The page says the key once, in front of the sentence.
        let message = verdict.anomalies[0].message.as_str();
        let after_key = message.strip_prefix("key ").and_then(|rest| rest.split_once(": "));
        let sentence = after_key.map_or(message, |(_, sentence)| sentence);
        assert!(self.report().contains(sentence), "the report lacks: {sentence}");
        self.assert_whole();
    }

    #[track_caller]
    pub fn assert_acquitted(&self) {
        assert_eq!(self.code, Some(0), "{}\n{}", self.said, self.told);
        assert_eq!(self.verdict().validity, Validity::Valid);
        assert!(self.report().contains("VALID"));
        self.assert_whole();
    }

    /// Every kind of fault was there and seen, all were undone, and every file is written.
    #[track_caller]
    fn assert_whole(&self) {
        let (record, faults) = (self.record(), self.faults());
        let kind = |fault: &String| faults.iter().any(|there| *there.name == **fault);
        assert!(record.faults.iter().all(kind), "{:?} in {faults:?}", record.faults);
        for fault in &faults {
            assert!(fault.effect.observed, "{fault:?}");
            assert!(fault.until.is_some() && fault.error.is_none(), "{fault:?}");
        }
        assert_eq!(record.ended, None);
        assert!(self.said.contains(&record.command), "how to run it again is not said");
        let folder = self.folder();
        for node in &record.nodes {
            let log = folder.path().join("nodes").join(node).join("tribunal-db.log");
            assert!(log.is_file(), "{} is missing", log.display());
        }
        for worker in 0..record.concurrency {
            let log = folder.path().join("client").join(format!("worker-{worker}.log"));
            assert!(log.is_file(), "{} is missing", log.display());
        }
    }
}
