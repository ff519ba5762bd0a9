//! The table of trials: which bug of which database is found by which workload and faults.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;
use tribunal_checkers::anomalies;

use crate::suite::{Cell, Expected};

/// What the correct mode of every database is called.
const NO_BUG: &str = "none";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    trial: Vec<Trial>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trial {
    test: String,
    bug: String,
    workload: Option<String>,
    faults: Option<Vec<String>>,
    convicts: Vec<String>,
}

/// Reads the table: a cell for each bug.
pub(super) fn guilty(path: &Path, seeds: Range<u64>) -> anyhow::Result<Vec<Cell>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let table: Table = toml::from_str(&text).with_context(|| format!("{shown} is no table"))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut cells = Vec::new();
    for trial in table.trial {
        if trial.convicts.is_empty() || trial.bug == NO_BUG {
            let Trial { test, bug, .. } = trial;
            bail!("{shown}: {test} {bug}: a bug, and what convicts it, must be named");
        }
        if let Some(name) = trial.convicts.iter().find(|name| !anomalies::is_known(name)) {
            bail!(
                "{shown}: {}: there is no anomaly `{name}`; see tribunal explain anomalies",
                trial.test
            );
        }
        cells.push(trial.cell(folder, seeds.clone()));
    }
    Ok(cells)
}

/// Each correct mode, once for each workload and faults that convict one of its bugs.
pub(super) fn innocent(guilty: &[Cell], seeds: Range<u64>) -> Vec<Cell> {
    let mut innocent: Vec<Cell> = Vec::new();
    for cell in guilty {
        let cell = Cell {
            set: vec![format!("bug={NO_BUG}")],
            seeds: seeds.clone().collect(),
            expected: Expected::Valid,
            ..cell.clone()
        };
        if !innocent.contains(&cell) {
            innocent.push(cell);
        }
    }
    innocent
}

impl Trial {
    fn cell(self, folder: &Path, seeds: Range<u64>) -> Cell {
        Cell {
            test: folder.join(&self.test),
            name: self.test,
            workload: self.workload,
            faults: self.faults,
            set: vec![format!("bug={}", self.bug)],
            time: None,
            seeds: seeds.collect(),
            expected: Expected::Anomaly { names: self.convicts, seeds: 1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tribunal_harness::test_file::TestFile;
    use tribunal_workloads::WORKLOADS;

    use super::*;

    fn read(text: &str) -> anyhow::Result<Vec<Cell>> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), text)?;
        guilty(file.path(), 1..4)
    }

    const TWO: &str = r#"
        [[trial]]
        test = "a/x.toml"
        bug = "one"
        faults = ["pause"]
        convicts = ["lost-write"]
        [[trial]]
        test = "a/x.toml"
        bug = "two"
        faults = ["pause"]
        convicts = ["lost-write"]"#;

    #[test]
    fn the_correct_mode_is_tried_once_for_what_convicts_several() -> anyhow::Result<()> {
        let guilty = read(TWO)?;
        let innocent = innocent(&guilty, 11..21);
        assert_eq!((guilty.len(), innocent.len()), (2, 1));
        assert_eq!(innocent[0].set, ["bug=none"]);
        assert_eq!(innocent[0].seeds.len(), 10);
        Ok(())
    }

    /// A workload that was never seen to find anything is trusted by nobody.
    #[test]
    fn every_workload_convicts_a_bug_and_the_page_says_which() -> anyhow::Result<()> {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        let mut tried = BTreeSet::new();
        for cell in guilty(&examples.join("self-test.toml"), 1..2)? {
            let workload = TestFile::read(&cell.test)?.run.workload.unwrap_or_default();
            tried.extend(cell.set.iter().map(|set| (workload.clone(), set.replace("bug=", ""))));
        }
        let idle: Vec<&str> = WORKLOADS
            .iter()
            .map(|workload| workload.name)
            .filter(|name| !tried.iter().any(|(workload, _)| workload == name))
            .collect();
        assert!(idle.is_empty(), "nobody is convicted by {idle:?}");
        let page = std::fs::read_to_string(examples.join("README.md"))?;
        let table = page.split("| workload | convicts |").nth(1).unwrap_or_default();
        let (mut listed, mut workload) = (BTreeSet::new(), "");
        for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
            let mut columns = row.split('|').skip(1).map(|text| text.trim().trim_matches('`'));
            let (first, bug) = (columns.next().unwrap_or(""), columns.next().unwrap_or(""));
            workload = if first.is_empty() { workload } else { first };
            listed.insert((workload.to_owned(), bug.to_owned()));
        }
        assert_eq!(listed, tried, "examples/README.md");
        Ok(())
    }

    #[test]
    fn what_is_wrong_with_a_table_is_told() {
        let told = |text| match read(text) {
            Ok(_) => String::new(),
            Err(error) => format!("{error:#}"),
        };
        assert!(told("[[trial]]\ntest = 'x'\nbug = 'none'\nconvicts = ['a']").contains("a bug"));
        assert!(told("[[trial]]\ntset = 'x'").contains("unknown field `tset`"));
    }
}
