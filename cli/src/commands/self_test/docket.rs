//! The table of trials: which bug of which database is found by which workload and faults.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;

/// What the correct mode of every database is called.
pub(super) const NO_BUG: &str = "none";

/// What is to be tried.
#[derive(Debug)]
pub(super) struct Docket {
    /// One case a bug.
    pub guilty: Vec<Case>,
    /// Each correct mode, once for each workload and faults that convict one of its bugs.
    pub innocent: Vec<Case>,
}

/// A cell of the matrix.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Case {
    /// The test file.
    pub test: PathBuf,
    /// It, as the table has it.
    pub name: String,
    pub bug: String,
    /// Else the test file's.
    pub workload: Option<String>,
    /// Else the test file's.
    pub faults: Option<Vec<String>>,
    /// One of these anomalies convicts.
    pub convicts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    trial: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    test: String,
    bug: String,
    workload: Option<String>,
    faults: Option<Vec<String>>,
    convicts: Vec<String>,
}

impl Docket {
    /// Reads the table. `only` narrows it to the names that have one of these texts.
    pub fn read(path: &Path, only: &[String]) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let table: Table = toml::from_str(&text).with_context(|| format!("{shown} is no table"))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let guilty = table.trial.into_iter().map(|entry| entry.case(folder));
        let mut guilty: Vec<Case> = guilty.collect();
        for case in &guilty {
            if case.convicts.is_empty() || case.bug == NO_BUG {
                bail!(
                    "{shown}: {} {}: a bug, and what convicts it, must be named",
                    case.name,
                    case.bug
                );
            }
        }
        let wanted = |case: &Case| {
            only.iter().any(|text| case.name.contains(text) || case.bug.contains(text))
        };
        guilty.retain(|case| only.is_empty() || wanted(case));
        if guilty.is_empty() {
            bail!("{shown} has no such trial: {}", only.join(", "));
        }
        Ok(Self { innocent: innocent(&guilty), guilty })
    }

    /// The widths of the columns of names, bugs and faults.
    pub fn width(&self) -> [usize; 3] {
        let of = |text: fn(&Case) -> String| {
            let all = self.guilty.iter().chain(&self.innocent);
            all.map(|case| text(case).len()).max().unwrap_or(0)
        };
        [of(|case| case.name.clone()), of(|case| case.bug.clone()).max(6), of(Case::harm).max(6)]
    }
}

/// Without their bugs.
fn innocent(guilty: &[Case]) -> Vec<Case> {
    let mut innocent: Vec<Case> = Vec::new();
    for case in guilty {
        let case = Case { bug: NO_BUG.to_owned(), convicts: Vec::new(), ..case.clone() };
        if !innocent.contains(&case) {
            innocent.push(case);
        }
    }
    innocent
}

impl Entry {
    fn case(self, folder: &Path) -> Case {
        let Entry { test, bug, workload, faults, convicts } = self;
        Case { test: folder.join(&test), name: test, bug, workload, faults, convicts }
    }
}

impl Case {
    /// Its workload and faults, as a table shows them.
    pub fn harm(&self) -> String {
        let faults = self.faults.as_ref().map_or("its own".to_owned(), |faults| faults.join("+"));
        match &self.workload {
            Some(workload) => format!("{workload}, {faults}"),
            None => faults,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, only: &[&str]) -> anyhow::Result<Docket> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), text)?;
        let only: Vec<String> = only.iter().map(|text| (*text).to_owned()).collect();
        Docket::read(file.path(), &only)
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
        let docket = read(TWO, &[])?;
        assert_eq!((docket.guilty.len(), docket.innocent.len()), (2, 1));
        assert_eq!(docket.innocent[0].bug, "none");
        assert_eq!(read(TWO, &["two"])?.guilty.len(), 1);
        Ok(())
    }

    #[test]
    fn what_is_wrong_with_a_table_is_told() {
        let told = |text, only: &[&str]| match read(text, only) {
            Ok(_) => String::new(),
            Err(error) => format!("{error:#}"),
        };
        assert!(told(TWO, &["three"]).contains("no such trial: three"));
        assert!(
            told("[[trial]]\ntest = 'x'\nbug = 'none'\nconvicts = ['a']", &[]).contains("a bug")
        );
        assert!(told("[[trial]]\ntset = 'x'", &[]).contains("unknown field `tset`"));
    }
}
