//! `tribunal check`: judges histories, ours or anybody's.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::{Map, Value, json};
use tribunal_checkers::objects::{self, OBJECTS, ObjectKind, Setting};
use tribunal_checkers::transactions::Level;
use tribunal_checkers::{Checker, Compose, Validity, Verdict};
use tribunal_harness::store::{RunFolder, RunRecord, Store, StoreError};
use tribunal_history::History;
use tribunal_history::import::{self, Format};

use crate::commands::places;
use crate::evidence::judged_as_run;
use crate::{Exit, sentence};

/// Judges histories again: stored runs, or files of anybody's.
#[derive(Args)]
pub struct Check {
    /// Runs (an id's beginning, `latest`, `latest-fail`, `-2`) or history files.
    #[arg(required = true, value_name = "RUN|FILE", allow_negative_numbers = true)]
    targets: Vec<String>,
    /// The workload whose promises the history must keep; a stored run knows its own.
    #[arg(short, long)]
    workload: Option<String>,
    /// The object whose promises a file's history must keep, where no workload says it.
    #[arg(short, long, value_name = "OBJECT", conflicts_with = "workload", value_parser = models())]
    model: Option<&'static ObjectKind>,
    /// The value of every object before the first call, as JSON or a plain word; null by default.
    /// Of a multi-register: an object from key to value, such as {"x":0,"y":0}.
    #[arg(long, value_name = "VALUE")]
    initial: Option<String>,
    /// How many may hold a permit of the semaphore at once.
    #[arg(long, value_name = "N", requires = "model")]
    permits: Option<u32>,
    /// The isolation level that transactions must keep; the strictest by default.
    #[arg(long, value_name = "LEVEL", value_parser = levels())]
    level: Option<Level>,
    /// The file's format; by default it is told from the content.
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    format: Option<Format>,
    /// One JSON object a line, one line a history.
    #[arg(long)]
    json: bool,
    /// The folder of runs.
    #[arg(long, default_value = "store")]
    store: std::path::PathBuf,
}

/// The formats that can be read, by name.
fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(|name| name.parse::<Format>())
}

/// The isolation levels, by name.
fn levels() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.map(Level::name)).try_map(|name| name.parse::<Level>())
}

/// The objects that can be judged, by name.
fn models() -> impl TypedValueParser<Value = &'static ObjectKind> {
    let named = OBJECTS.iter().map(|object| PossibleValue::new(object.name).help(object.summary));
    let known = |name: String| objects::object(&name).ok_or("no such object");
    PossibleValuesParser::new(named).try_map(known)
}

/// A history and what it is to be judged by.
struct Case {
    /// How the user named it.
    name: String,
    history: History,
    checker: Compose,
    /// Of a stored run.
    run: Option<StoredRun>,
}

/// A stored run that is judged again.
struct StoredRun {
    folder: RunFolder,
    record: RunRecord,
    /// Whether it is judged by something else than what it promised.
    otherwise: bool,
}

impl Check {
    /// Judges each; the exit code is the worst.
    pub fn run(self) -> anyhow::Result<Exit> {
        let mut exits = Vec::new();
        for target in &self.targets {
            match self.judge(target) {
                Ok(exit) => exits.push(exit),
                Err(error) => {
                    eprintln!("tribunal: {}", sentence(&error));
                    exits.push(error.downcast_ref::<Exit>().copied().unwrap_or(Exit::Usage));
                }
            }
        }
        Ok(worst(&exits))
    }

    fn judge(&self, target: &str) -> anyhow::Result<Exit> {
        let case = self.open(target)?;
        let mut verdict = case.checker.check(&case.history);
        if let (None, Some(objection)) = (&case.run, &verdict.objection) {
            bail!("{}: {}", case.name, places::located(&case.history, objection));
        }
        let tested = case.history.operations().any(|operation| operation.is_ok());
        // Of a run its evidence says so.
        if !tested && case.run.is_none() {
            verdict.doubt("nothing was tested: not one call was acknowledged");
        }
        if self.json {
            println!("{}", as_json(&case.name, &verdict));
        } else {
            print_verdict(&case, &verdict);
            if let Some(places) = places::named(&case.history, &verdict) {
                println!("{places}");
            }
        }
        if let Some(run) = &case.run {
            run.keep(&case.history, &verdict).context(Exit::Harness)?;
        }
        Ok(match verdict.validity {
            // Even a call that nobody acknowledged may prove a violation.
            Validity::Invalid => Exit::Invalid,
            _ if !tested => Exit::Nothing,
            validity => validity.into(),
        })
    }

    /// A path that exists is a file or a run's folder; anything else names a run.
    fn open(&self, target: &str) -> anyhow::Result<Case> {
        let path = Path::new(target);
        if path.is_file() || (!path.exists() && looks_like_a_file(target)) {
            return self.open_file(path);
        }
        if path.is_dir() && !path.join("run.json").exists() {
            bail!("{target}: this folder is no run's: there is no run.json in it");
        }
        self.open_run(target)
    }

    fn open_file(&self, path: &Path) -> anyhow::Result<Case> {
        let name = path.display().to_string();
        let history = read_file(path, self.format)?;
        let checker = self.checker().with_context(|| name.clone())?;
        Ok(Case { name, history, checker, run: None })
    }

    /// What the user wants a file to be judged by.
    fn checker(&self) -> anyhow::Result<Compose> {
        if let Some(object) = self.model {
            let setting =
                Setting { initial: self.initial(), permits: self.permits, level: self.level };
            let checker = object.checker(&setting).map_err(|why| anyhow!(why))?;
            return Ok(Compose::new().with(object.name, checker));
        }
        let Some(workload) = &self.workload else {
            let workloads: Vec<_> = tribunal_workloads::WORKLOADS.iter().map(|w| w.name).collect();
            let objects: Vec<_> = OBJECTS.iter().map(|object| object.name).collect();
            bail!(
                "say what to judge it by: --workload {}, or --model {}",
                workloads.join(" | "),
                objects.join(" | ")
            );
        };
        let definition = tribunal_workloads::find(workload)?;
        Ok((definition.checker)(&self.options(Map::new()))?)
    }

    /// A run is held to the demands on a run, too: enough calls, faults observed.
    fn open_run(&self, target: &str) -> anyhow::Result<Case> {
        let folder = Store::new(&self.store).find(target)?;
        let record = folder.record().map_err(|error| {
            let history = folder.history_path();
            anyhow!("{error}; its history alone: tribunal check {} -w NAME", history.display())
        })?;
        let workload = self.workload.as_ref().unwrap_or(&record.workload);
        let definition = tribunal_workloads::find(workload)?;
        if self.model.is_some() {
            bail!("{target}: a run knows its workload; --model is for files");
        }
        let told: Map<String, Value> = record.options.clone().into_iter().collect();
        let options = self.options(told.clone());
        let otherwise = *workload != record.workload || options != told;
        let checker = judged_as_run((definition.checker)(&options)?, &record);
        let history = folder.history()?;
        let name = folder.path().display().to_string();
        Ok(Case { name, history, checker, run: Some(StoredRun { folder, record, otherwise }) })
    }

    fn options(&self, mut options: Map<String, Value>) -> Map<String, Value> {
        options.extend(self.initial().map(|value| ("initial".to_owned(), value)));
        options.extend(self.level.map(|level| ("level".to_owned(), json!(level.name()))));
        options
    }

    fn initial(&self) -> Option<Value> {
        let initial = self.initial.as_ref()?;
        Some(serde_json::from_str(initial).unwrap_or_else(|_| json!(initial)))
    }
}

impl StoredRun {
    /// Writes the verdict and the report anew, which are what the run's own promises make of it.
    fn keep(&self, history: &History, verdict: &Verdict) -> Result<(), StoreError> {
        let Self { folder, record, otherwise } = self;
        if *otherwise {
            eprintln!(
                "{}: judged otherwise than it was run, so its verdict.json and report.html stay as they are",
                folder.path().display()
            );
            return Ok(());
        }
        folder.write_verdict(verdict)?;
        let logs = folder.node_logs();
        folder.write_report(&tribunal_harness::report::render(record, history, verdict, &logs))
    }
}

/// The history that a user named: a file's, or a run's. One that cannot be read is bad usage.
pub fn read(target: &str, store: &Path) -> anyhow::Result<History> {
    let path = Path::new(target);
    if path.is_file() || (!path.exists() && looks_like_a_file(target)) {
        return read_file(path, None).context(Exit::Usage);
    }
    find_run(store, target)?.history().context(Exit::Usage)
}

/// A history of ours or of another tool; tells what was decided on the way.
fn read_file(path: &Path, format: Option<Format>) -> anyhow::Result<History> {
    let name = path.display();
    let imported = import::read(path, format).with_context(|| name.to_string())?;
    for remark in &imported.remarks {
        eprintln!("{name}: read as {}: {remark}", imported.format);
    }
    Ok(imported.history)
}

fn looks_like_a_file(target: &str) -> bool {
    let extension = Path::new(target).extension().and_then(|extension| extension.to_str());
    let known = ["jsonl", "arrow", "zst", "edn", "json", "log", "txt"];
    target.contains('/') || extension.is_some_and(|extension| known.contains(&extension))
}

fn as_json(name: &str, verdict: &Verdict) -> Value {
    json!({
        "history": name,
        "validity": verdict.validity,
        "anomalies": verdict.anomalies,
        "unknowns": verdict.unknowns,
        "checkers": verdict.checkers,
    })
}

fn print_verdict(case: &Case, verdict: &Verdict) {
    println!("{}", case.name);
    let record = case.run.as_ref().map(|run| run.record.clone()).unwrap_or_default();
    let columns = crate::terminal::columns();
    println!(
        "{}",
        tribunal_harness::report::summary_within(columns, &record, &case.history, verdict)
    );
}

/// Invalid wins; then what was interrupted, what could not be written or read, then unknown, then
/// nothing tested.
pub fn worst(exits: &[Exit]) -> Exit {
    let order = [
        Exit::Invalid,
        Exit::Interrupted,
        Exit::Harness,
        Exit::Usage,
        Exit::Unknown,
        Exit::Nothing,
    ];
    order.into_iter().find(|exit| exits.contains(exit)).unwrap_or(Exit::Valid)
}

/// One word for a verdict.
pub fn word(validity: Option<Validity>) -> &'static str {
    match validity {
        Some(Validity::Valid) => "valid",
        Some(Validity::Invalid) => "INVALID",
        Some(Validity::Unknown) => "unknown",
        None => "not judged",
    }
}

/// A run by name, as a usage error where there is none.
pub fn find_run(store: &Path, name: &str) -> anyhow::Result<RunFolder> {
    Store::new(store).find(name).map_err(|error| anyhow!(error).context(Exit::Usage))
}
