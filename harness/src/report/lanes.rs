//! A timeline drawn with letters: a line a process, the faults above.
//!
//! ```text
//!               28.200 s                                                  31.400 s
//!   pause       /////====== pause n1 ==============================/////
//!   p3   n1        |--write 42--|
//!   p12  n3                                   |--read → 41--|
//! ```
//!
//! A call ends with `|` where it is ok, with `x` where it failed and with `?`
//! where nobody knows. A fault is `=` where it acted and `/` where it may have.

use tribunal_history::{Fault, Kind, Nanos, Operation};

use super::words;

/// Columns of a line, names and all.
pub(super) const WIDTH: usize = 100;
/// Columns of the names on the left.
const NAMES: usize = 16;
/// Columns of the drawing.
const LANE: usize = WIDTH - NAMES;

/// Draws a window, at most `WIDTH` columns wide.
pub(super) fn draw(ops: &[&Operation], faults: &[&Fault], window: (Nanos, Nanos)) -> Vec<String> {
    let scale = Scale::new(window);
    let mut lines = vec![axis(window)];
    lines.extend(faults.iter().map(|fault| band(fault, &scale)));
    let mut lanes: Vec<Lane> = Vec::new();
    for op in ops {
        put(&mut lanes, op, &scale);
    }
    lines.extend(lanes.iter().map(|lane| line(&lane.names, &lane.cells)));
    lines
}

/// From times to columns.
struct Scale {
    from: Nanos,
    width: f64,
}

impl Scale {
    fn new((from, until): (Nanos, Nanos)) -> Self {
        Self { from, width: until.saturating_sub(from).max(1) as f64 }
    }

    fn column(&self, time: Nanos) -> usize {
        let part = time.saturating_sub(self.from) as f64 / self.width;
        ((part * (LANE - 1) as f64).round() as usize).min(LANE - 1)
    }
}

fn axis((from, until): (Nanos, Nanos)) -> String {
    let (from, until) = (words::time(from), words::time(until));
    let gap = LANE.saturating_sub(from.chars().count());
    format!("{:NAMES$}{from}{until:>gap$}", "")
}

fn line(names: &str, cells: &[char]) -> String {
    let names = words::clip(names, NAMES - 2);
    let cells: String = cells.iter().collect();
    format!("{names:<NAMES$}{cells}").trim_end().to_owned()
}

fn band(fault: &Fault, scale: &Scale) -> String {
    let mut cells = vec![' '; LANE];
    let (from, until) =
        (scale.column(fault.from), fault.until.map_or(LANE - 1, |t| scale.column(t)));
    cells[from..=until.max(from)].fill('/');
    if let Some(injected) = fault.injected {
        let end = fault.heal.map_or(until, |heal| scale.column(heal));
        let start = scale.column(injected);
        cells[start..=end.max(start)].fill('=');
    }
    let label: Vec<char> = format!(" {} ", words::clip(&fault.summary, 60)).chars().collect();
    if label.len() > 2 && from + 4 + label.len() < until {
        cells[from + 4..from + 4 + label.len()].copy_from_slice(&label);
    } else if label.len() > 2 && until + 1 + label.len() <= LANE {
        cells[until + 1..until + 1 + label.len()].copy_from_slice(&label);
    }
    line(&fault.name, &cells)
}

/// A line of one process.
struct Lane {
    names: String,
    cells: Vec<char>,
}

/// Draws a call into its process' line, or into a further one where it has no room.
fn put(lanes: &mut Vec<Lane>, op: &Operation, scale: &Scale) {
    let names = format!("{:<5}{}", op.process().to_string(), op.node().unwrap_or_default());
    let (at, drawn) = bar(op, scale);
    let free = |lane: &Lane| {
        let from = at.saturating_sub(1);
        let until = (at + drawn.len() + 1).min(LANE);
        lane.names == names && lane.cells[from..until].iter().all(|&cell| cell == ' ')
    };
    let place = lanes.iter().position(free).unwrap_or_else(|| {
        let after = lanes.iter().rposition(|lane| lane.names == names);
        let place = after.map_or(lanes.len(), |at| at + 1);
        lanes.insert(place, Lane { names, cells: vec![' '; LANE] });
        place
    });
    lanes[place].cells[at..at + drawn.len()].copy_from_slice(&drawn);
}

/// A call with its words, inside its bar or beside it, and the column where it begins.
fn bar(op: &Operation, scale: &Scale) -> (usize, Vec<char>) {
    let from = scale.column(op.invocation.time);
    let until = op.completion.map_or(LANE - 1, |end| scale.column(end.time)).max(from);
    let end = match op.kind() {
        Kind::Ok => '|',
        Kind::Fail => 'x',
        Kind::Info | Kind::Invoke => '?',
    };
    let label: Vec<char> = words::call(op, 40).chars().take(60).collect();
    let mut cells = vec!['-'; until - from + 1];
    cells[0] = '|';
    *cells.last_mut().expect("a bar has at least one column") = end;
    if cells.len() >= label.len() + 4 {
        let at = (cells.len() - label.len()) / 2;
        cells[at..at + label.len()].copy_from_slice(&label);
        return (from, cells);
    }
    if until + 1 + label.len() < LANE {
        cells.push(' ');
        cells.extend(label);
        return (from, cells);
    }
    let room = from.saturating_sub(1).min(label.len());
    let mut before = label[..room].to_vec();
    before.push(' ');
    before.extend(cells);
    before.truncate(LANE);
    (from.saturating_sub(room + 1), before)
}
