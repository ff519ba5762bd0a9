//! The table of a suite: a line a cell.

use super::cell::Cell;
use super::outcome::Outcome;

/// The widths of the columns, so that the lines can be printed one by one.
pub(super) struct Table {
    name: usize,
    setting: usize,
    harm: usize,
}

impl Table {
    pub fn of(cells: &[Cell]) -> Self {
        let width = |head: &str, text: fn(&Cell) -> String| {
            let widest = cells.iter().map(|cell| text(cell).chars().count()).max();
            widest.unwrap_or(0).max(head.len())
        };
        Self {
            name: width("cell", |cell| cell.name.clone()),
            setting: width("with", Cell::setting),
            harm: width("faults", Cell::harm),
        }
    }

    pub fn heading(&self) -> String {
        let Self { name, setting, harm } = self;
        format!("  {:name$}  {:setting$}  {:harm$}  {:>5}  verdict", "cell", "with", "faults", "s")
    }

    pub fn line(&self, cell: &Cell, outcome: &Outcome) -> String {
        let Self { name, setting, harm } = self;
        let mark = if outcome.is_expected() { "✓" } else { "✗" };
        format!(
            "{mark} {:name$}  {:setting$}  {:harm$}  {:>5}  {}",
            cell.name,
            cell.setting(),
            cell.harm(),
            outcome.took().as_secs(),
            outcome.told
        )
    }
}
