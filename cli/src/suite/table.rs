//! The table of a suite: a line a cell.

use tribunal_harness::test_file::TestFile;

use super::cell::Cell;
use super::outcome::Outcome;

/// What the columns before the time and the verdict are called.
const HEADS: [&str; 4] = ["cell", "with", "workload", "faults"];

/// What stands in the columns, known before the first cell is run so that the lines can be printed
/// one by one.
pub(super) struct Table {
    rows: Vec<[String; HEADS.len()]>,
    widths: [usize; HEADS.len()],
}

impl Table {
    pub fn of(cells: &[Cell]) -> Self {
        let row = |cell: &Cell| [cell.name.clone(), cell.setting(), workload(cell), cell.harm()];
        let rows: Vec<_> = cells.iter().map(row).collect();
        let mut widths = HEADS.map(str::len);
        for row in &rows {
            for (width, text) in widths.iter_mut().zip(row) {
                *width = text.chars().count().max(*width);
            }
        }
        Self { rows, widths }
    }

    pub fn heading(&self) -> String {
        format!("  {}{:>5}  verdict", self.padded(&HEADS), "s")
    }

    /// The line of the cell in this place.
    pub fn line(&self, at: usize, outcome: &Outcome) -> String {
        let mark = if outcome.is_expected() { "✓" } else { "✗" };
        let cell = self.padded(&self.rows[at].each_ref().map(String::as_str));
        format!("{mark} {cell}{:>5}  {}", outcome.took().as_secs(), outcome.told)
    }

    fn padded(&self, texts: &[&str; HEADS.len()]) -> String {
        let padded = texts.iter().zip(self.widths).map(|(text, width)| format!("{text:width$}  "));
        padded.collect()
    }
}

/// What is called in a cell: what it says, or its test file does.
fn workload(cell: &Cell) -> String {
    let of_file = || TestFile::read(&cell.test).ok()?.run.workload;
    cell.workload.clone().or_else(of_file).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::cell::Expected;
    use super::*;

    const TEST: &str = "
        name = 'x'
        [db]
        start = 'serve'
        [client]
        command = ['client']
        [run]
        workload = 'register'";

    #[test]
    fn a_line_tells_what_is_called_whoever_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let test = folder.path().join("x.toml");
        std::fs::write(&test, TEST).unwrap();
        let cell = Cell {
            name: "x.toml".into(),
            test,
            workload: None,
            faults: None,
            set: vec!["bug=none".into()],
            time: None,
            seeds: vec![1],
            expected: Expected::Valid,
        };
        let other = Cell {
            workload: Some("lww".into()),
            faults: Some(vec!["pause".into(), "kill".into()]),
            ..cell.clone()
        };
        let table = Table::of(&[cell.clone(), other.clone()]);
        assert_eq!(table.heading(), "  cell    with      workload  faults          s  verdict");
        let outcome = Outcome::of(&cell, Vec::new());
        let line = table.line(0, &outcome);
        assert!(
            line.starts_with("✓ x.toml  bug=none  register  its own         0  valid"),
            "{line}"
        );
        let line = table.line(1, &Outcome::of(&other, Vec::new()));
        assert!(
            line.starts_with("✓ x.toml  bug=none  lww       pause+kill      0  valid"),
            "{line}"
        );
    }
}
