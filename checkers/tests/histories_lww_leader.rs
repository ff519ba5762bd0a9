//! Walks `histories/lww` and `histories/leader`: the folder states the verdict,
//! and the name of an invalid history opens with the anomaly in it.

use std::fs;
use std::path::{Path, PathBuf};

use tribunal_checkers::{Checker, Leader, Lww, Validity};
use tribunal_history::jsonl::{Tail, read};

fn walk(checker: &impl Checker, name: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories").join(name);
    let folders = [
        ("valid", Validity::Valid),
        ("invalid", Validity::Invalid),
        ("unknown", Validity::Unknown),
    ];
    for (folder, expected) in folders {
        let files = files(&root.join(folder));
        assert!(!files.is_empty(), "no history in {name}/{folder}");
        for file in files {
            let history = read(&file, Tail::Whole).unwrap_or_else(|error| {
                panic!("{}: {error}", file.display());
            });
            let verdict = checker.check(&history);
            assert_eq!(verdict.validity, expected, "{}: {verdict:#?}", file.display());
            let stem = file.file_stem().and_then(|stem| stem.to_str()).expect("a plain name");
            for anomaly in &verdict.anomalies {
                assert!(stem.starts_with(&anomaly.name), "{}: {anomaly:#?}", file.display());
            }
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| {
        panic!("{}: {error}", folder.display());
    });
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

#[test]
fn lww() {
    walk(&Lww::default(), "lww");
}

#[test]
fn leader() {
    walk(&Leader { exclusive: true }, "leader");
}
