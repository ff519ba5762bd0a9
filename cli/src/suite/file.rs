//! A suite file: the cells of a suite, in TOML.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use tribunal_checkers::anomalies;
use tribunal_harness::test_file::parse_duration;

use super::cell::{Cell, Expected};

/// What is run where neither the cell nor `[defaults]` says under which seeds.
const SEEDS: u64 = 3;

/// A suite that was read.
#[derive(Debug)]
pub struct SuiteFile {
    /// What it is called.
    pub name: String,
    /// Its cells, in order.
    pub cells: Vec<Cell>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    suite: String,
    #[serde(default)]
    defaults: Defaults,
    cell: Vec<Entry>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    seeds: Option<Seeds>,
    time: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Option<String>,
    test: String,
    workload: Option<String>,
    faults: Option<Vec<String>>,
    #[serde(default)]
    set: Vec<String>,
    time: Option<String>,
    seeds: Option<Seeds>,
    #[serde(default)]
    finds: Vec<String>,
    at_least: Option<usize>,
}

/// `[1, 7]`, or `"1-5"`.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Seeds {
    List(Vec<u64>),
    Range(String),
}

impl SuiteFile {
    /// Reads it. Test files are beside it, or below.
    ///
    /// # Errors
    /// What cannot be read, is no suite, or contradicts itself, with the cell's name.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, folder).with_context(|| format!("{shown} is no suite"))
    }

    fn parse(text: &str, folder: &Path) -> anyhow::Result<Self> {
        let Text { suite, defaults, cell } = toml::from_str(text)?;
        let cells = cell.into_iter().map(|entry| {
            let name = entry.name.clone().unwrap_or_else(|| entry.test.clone());
            entry.cell(&defaults, folder, &name).with_context(|| format!("cell {name}"))
        });
        let cells: Vec<Cell> = cells.collect::<anyhow::Result<_>>()?;
        for (at, cell) in cells.iter().enumerate() {
            if cells[..at].contains(cell) {
                bail!("cell {}: it is there twice", cell.name);
            }
        }
        Ok(Self { name: suite, cells })
    }
}

impl Entry {
    fn cell(self, defaults: &Defaults, folder: &Path, name: &str) -> anyhow::Result<Cell> {
        let seeds = match self.seeds.or_else(|| defaults.seeds.clone()) {
            Some(seeds) => seeds.list()?,
            None => (1..=SEEDS).collect(),
        };
        let time = self.time.as_ref().or(defaults.time.as_ref());
        Ok(Cell {
            name: name.to_owned(),
            test: folder.join(PathBuf::from(&self.test)),
            workload: self.workload,
            faults: self.faults,
            set: self.set,
            time: time.map(|time| duration(time)).transpose()?,
            expected: expected(self.finds, self.at_least, seeds.len())?,
            seeds,
        })
    }
}

fn duration(text: &str) -> anyhow::Result<Duration> {
    parse_duration(text).map_err(|error| anyhow::anyhow!("time: {error}"))
}

fn expected(names: Vec<String>, at_least: Option<usize>, of: usize) -> anyhow::Result<Expected> {
    if let Some(name) = names.iter().find(|name| !anomalies::is_known(name)) {
        bail!("finds: there is no anomaly `{name}`; `tribunal explain anomalies` lists them");
    }
    match at_least {
        Some(_) if names.is_empty() => bail!("at_least is said, and nothing that it `finds`"),
        Some(seeds) if seeds == 0 || seeds > of => {
            bail!("at_least = {seeds} is none of 1 to {of}, its seeds")
        }
        _ if names.is_empty() => Ok(Expected::Valid),
        at_least => Ok(Expected::Anomaly { names, seeds: at_least.unwrap_or(of) }),
    }
}

impl Seeds {
    fn list(self) -> anyhow::Result<Vec<u64>> {
        let list = match self {
            Self::List(list) => list,
            Self::Range(text) => range(&text)
                .with_context(|| format!("seeds = \"{text}\" is no range like \"1-5\""))?,
        };
        if list.is_empty() {
            bail!("it has no seeds, so it would test nothing");
        }
        Ok(list)
    }
}

/// At most a thousand, which is more than a night.
fn range(text: &str) -> Option<Vec<u64>> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last && last - first < 1000).then(|| (first..=last).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Result<Vec<Cell>, String> {
        let read = SuiteFile::parse(&format!("suite = 'x'\n{text}"), Path::new("there"));
        read.map(|suite| suite.cells).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_cell_is_a_test_file_seeds_and_what_is_expected() {
        let read = cells(
            "[defaults]\nseeds = '11-20'\ntime = '30s'\n\
             [[cell]]\ntest = 'a.toml'\n\
             [[cell]]\nname = 'lost'\ntest = 'b.toml'\nseeds = [1, 2, 9]\nfinds = ['lost-write']\nat_least = 2",
        )
        .unwrap();
        assert_eq!(read[0].name, "a.toml");
        assert_eq!(read[0].test, Path::new("there/a.toml"));
        assert_eq!(read[0].seeds, (11..=20).collect::<Vec<u64>>());
        assert_eq!(read[0].time, Some(Duration::from_secs(30)));
        assert_eq!(read[0].expected, Expected::Valid);
        assert_eq!(read[1].seeds, [1, 2, 9]);
        let lost = Expected::Anomaly { names: vec!["lost-write".to_owned()], seeds: 2 };
        assert_eq!(read[1].expected, lost);
    }

    #[test]
    fn what_is_wrong_with_a_suite_is_told_with_its_cell() {
        let told = |text: &str| cells(text).unwrap_err();
        let cell = |more: &str| told(&format!("[[cell]]\ntest = 'a.toml'\n{more}"));
        assert!(cell("at_least = 1").contains("cell a.toml: at_least is said"));
        assert!(cell("finds = ['split-brain']\nat_least = 4").contains("none of 1 to 3"));
        assert!(cell("finds = ['lost-wirte']").contains("there is no anomaly `lost-wirte`"));
        assert!(cell("seeds = []").contains("would test nothing"));
        assert!(cell("seeds = '5-1'").contains("no range like"));
        assert!(cell("time = 'soon'").contains("cell a.toml: time:"));
        assert!(cell("tset = 1").contains("unknown field `tset`"));
        assert!(cell("[[cell]]\ntest = 'a.toml'").contains("it is there twice"));
        assert!(told("").contains("missing field `cell`"));
    }
}
