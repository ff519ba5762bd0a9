//! The histories that other tools ship, with the verdicts of those tools.
//!
//! They are not ours to copy, so they are judged only where the environment says in which folder
//! they are: `TRIBUNAL_CORPORA=DIR cargo test -p tribunal-checkers --test corpora -- --nocapture`.
//! The folder holds `VERDICTS.tsv`, whose lines are `file`, `model (remarks)` and `verdict`.
//! Every file must be read, or refused with a sentence. Each that has a checker here must be judged
//! as the file says; the others are counted and printed as not judged. Where we are stricter than the other
//! tool on purpose ([`STRICTER`]), it is said, and why is looked for in our verdict.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tribunal_checkers::invariants::Bank;
use tribunal_checkers::linearizability::counter::Counter;
use tribunal_checkers::linearizability::models::Kv;
use tribunal_checkers::linearizability::set::GrowOnlySet;
use tribunal_checkers::transactions::{Level, RwRegister, Weak};
use tribunal_checkers::{Checker, Judge, Linearizable};
use tribunal_history::History;
use tribunal_history::import::{self, ImportError, Imported};

/// One line of `VERDICTS.tsv`.
struct Sample {
    file: String,
    model: String,
    verdict: String,
}

impl Sample {
    fn of(line: &str) -> Self {
        let mut fields = line.split('\t').map(str::to_owned);
        let mut next = || fields.next().unwrap_or_else(|| panic!("not three fields: {line}"));
        Self { file: next(), model: next(), verdict: next() }
    }

    /// Who judges it, where anybody does.
    fn checker(&self) -> Option<Box<dyn Checker>> {
        let initial = if self.model.contains("initial value 0") { json!(0) } else { Value::Null };
        match self.model.split(' ').next()? {
            "cas-register" => Some(Box::new(Linearizable { initial, ..Linearizable::default() })),
            "key-value" => Some(Box::new(Judge::new(Kv::default()))),
            "counter" => Some(Box::new(Judge::new(Counter::default()))),
            // More than set-full asks for: what it convicts of here, this does, too.
            "set-full" => Some(Box::new(Judge::new(GrowOnlySet))),
            "rw-register," => Some(Box::new(RwRegister::default())),
            "bank" => Some(Box::new(Bank::default())),
            _ => None,
        }
    }

    /// What we find in it and its own tool does not.
    fn stricter(&self) -> Option<&'static Stricter> {
        STRICTER.iter().find(|stricter| self.file.starts_with(stricter.files))
    }

    fn judge(&self, read: Result<Imported, ImportError>) -> Outcome {
        let imported = match read {
            Ok(imported) => imported,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        if imported.history.operations().next().is_none() {
            return Outcome::Judged("unknown".to_owned());
        }
        if self.model.starts_with("r/w text") {
            return Outcome::Judged(by_weak_levels(&imported.history));
        }
        match self.checker() {
            Some(checker) => {
                let validity = checker.check(&imported.history).validity;
                Outcome::Judged(format!("{validity:?}").to_lowercase())
            }
            None => Outcome::NotJudged(imported.history.operations().count()),
        }
    }
}

/// Samples that are valid to their tool, and not to us.
struct Stricter {
    /// How their files' names begin.
    files: &'static str,
    /// The anomaly that we find.
    anomaly: &'static str,
    /// The call that shows it.
    op: u64,
    /// Why it is one.
    why: &'static str,
}

const STRICTER: [Stricter; 1] = [Stricter {
    files: "elle/rw-register.",
    anomaly: "garbage-read",
    op: 2,
    why: "one session reads x as 3, which nobody wrote, after it wrote 2 and before it reads 2 again; Elle \
          draws no edge for a value without a writer",
}];

impl Stricter {
    /// Whether it is the one thing that is wrong, where we say it is.
    fn is_found(&self, sample: &Sample, history: &History) -> bool {
        let verdict = sample.checker().map(|checker| checker.check(history));
        verdict.is_some_and(|verdict| match &verdict.anomalies[..] {
            [anomaly] => anomaly.name == self.anomaly && anomaly.ops.contains(&self.op),
            _ => false,
        })
    }
}

/// The verdicts of read committed, read atomic and causal, as the table lists them.
fn by_weak_levels(history: &History) -> String {
    let judged = [Level::ReadCommitted, Level::ReadAtomic, Level::Causal].map(|level| {
        let checker = Weak::of(level).expect("a weak level");
        format!("{:?}", checker.check(history).validity).to_lowercase()
    });
    judged.join(", ")
}

/// The other files of the folder: they have no verdict, and must be read all the same.
fn unlisted(folder: &Path, samples: &[Sample]) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(next) = folders.pop() {
        let entries = std::fs::read_dir(next).expect("a folder");
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            let listed = samples.iter().any(|sample| folder.join(&sample.file) == path);
            match path.is_dir() {
                true => folders.push(path),
                false if listed || path.ends_with("VERDICTS.tsv") => {}
                false => files.push(path),
            }
        }
    }
    files
}

enum Outcome {
    Judged(String),
    NotJudged(usize),
    Refused(String),
}

fn folder() -> Option<PathBuf> {
    std::env::var_os("TRIBUNAL_CORPORA").map(PathBuf::from)
}

#[test]
fn every_sample_is_judged_as_its_tool_judges_it() {
    let Some(folder) = folder() else {
        println!("skipped: TRIBUNAL_CORPORA names no folder of other tools' histories");
        return;
    };
    let table = std::fs::read_to_string(folder.join("VERDICTS.tsv")).expect("VERDICTS.tsv");
    let samples: Vec<Sample> = table.lines().skip(1).map(Sample::of).collect();
    let (mut agreed, mut on_purpose, mut not_judged, mut wrong) = (0, 0, 0, Vec::new());
    for sample in &samples {
        let read = import::read(&folder.join(&sample.file), None);
        if let Some(stricter) = sample.stricter() {
            let found = read.is_ok_and(|imported| stricter.is_found(sample, &imported.history));
            match found && sample.verdict == "valid" {
                true => {
                    println!("stricter than its tool: {}: {}", sample.file, stricter.why);
                    on_purpose += 1;
                }
                false => wrong.push(format!("{}: no {}", sample.file, stricter.anomaly)),
            }
            continue;
        }
        match sample.judge(read) {
            Outcome::Judged(verdict) if verdict == sample.verdict => agreed += 1,
            Outcome::Judged(verdict) => {
                wrong.push(format!("{}: {verdict}, not {}", sample.file, sample.verdict));
            }
            Outcome::NotJudged(calls) => {
                println!("not judged yet: {} ({}), {calls} calls", sample.file, sample.model);
                not_judged += 1;
            }
            Outcome::Refused(why) => wrong.push(format!("{}: {why}", sample.file)),
        }
    }
    for path in unlisted(&folder, &samples) {
        match import::read(&path, None) {
            Ok(read) => println!("no verdict: {}, {} events", path.display(), read.history.len()),
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
        }
    }
    println!(
        "{agreed} agreed, {on_purpose} stricter on purpose, {not_judged} not judged, {} wrong",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(agreed > 0, "nothing was judged");
}
