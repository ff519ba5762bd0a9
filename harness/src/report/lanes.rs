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

/// Columns of the names on the left.
const NAMES: usize = 16;

/// Draws a window in so many columns, names and all.
pub(super) fn draw(
    ops: &[&Operation],
    faults: &[&Fault],
    window: (Nanos, Nanos),
    columns: usize,
) -> Vec<String> {
    let scale = Scale::new(window, columns - NAMES);
    let mut lines = vec![axis(window, scale.lane)];
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
    until: Nanos,
    /// Columns of the drawing.
    lane: usize,
}

impl Scale {
    fn new((from, until): (Nanos, Nanos), lane: usize) -> Self {
        Self { from, until, lane }
    }

    fn column(&self, time: Nanos) -> usize {
        let width = self.until.saturating_sub(self.from).max(1) as f64;
        let part = time.saturating_sub(self.from) as f64 / width;
        ((part * (self.lane - 1) as f64).round() as usize).min(self.lane - 1)
    }
}

fn axis((from, until): (Nanos, Nanos), lane: usize) -> String {
    let (from, until) = (words::time(from), words::time(until));
    let gap = lane.saturating_sub(from.chars().count());
    format!("{:NAMES$}{from}{until:>gap$}", "")
}

fn line(names: &str, cells: &[char]) -> String {
    let names = words::clip(names, NAMES - 2);
    let cells: String = cells.iter().collect();
    format!("{names:<NAMES$}{cells}").trim_end().to_owned()
}

fn band(fault: &Fault, scale: &Scale) -> String {
    let lane = scale.lane;
    let mut cells = vec![' '; lane];
    let (from, until) =
        (scale.column(fault.from), fault.until.map_or(lane - 1, |t| scale.column(t)));
    cells[from..=until.max(from)].fill('/');
    if let Some(injected) = fault.injected {
        let end = fault.heal.map_or(until, |heal| scale.column(heal));
        let start = scale.column(injected);
        cells[start..=end.max(start)].fill('=');
    }
    let label: Vec<char> = format!(" {} ", words::clip(&fault.summary, 60)).chars().collect();
    if label.len() > 2 && from + 4 + label.len() < until {
        cells[from + 4..from + 4 + label.len()].copy_from_slice(&label);
    } else if label.len() > 2 && until + 1 + label.len() <= lane {
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
    let (at, drawn) = cells(op, scale);
    let free = |lane: &Lane| {
        let from = at.saturating_sub(1);
        let until = (at + drawn.len() + 1).min(scale.lane);
        lane.names == names && lane.cells[from..until].iter().all(|&cell| cell == ' ')
    };
    let place = lanes.iter().position(free).unwrap_or_else(|| {
        let after = lanes.iter().rposition(|lane| lane.names == names);
        let place = after.map_or(lanes.len(), |at| at + 1);
        lanes.insert(place, Lane { names, cells: vec![' '; scale.lane] });
        place
    });
    lanes[place].cells[at..at + drawn.len()].copy_from_slice(&drawn);
}

/// A call as it is drawn, and the column where that begins. One that ran before
/// or after what is drawn, such as a final read, stands at the edge with its time.
fn cells(op: &Operation, scale: &Scale) -> (usize, Vec<char>) {
    let label = words::call(op, 40);
    let began = words::time(op.invoked_at());
    if op.invoked_at() > scale.until {
        let aside = clipped(&format!("{label} at {began} >"), scale.lane);
        return (scale.lane - aside.len(), aside);
    }
    if op.completion().is_some_and(|end| end.time() < scale.from) {
        return (0, clipped(&format!("< {label} at {began}"), scale.lane));
    }
    bar(op, label.chars().take(60).collect(), scale)
}

fn clipped(text: &str, most: usize) -> Vec<char> {
    text.chars().take(most).collect()
}

/// A call with its words, inside its bar or beside it, and the column where it begins.
fn bar(op: &Operation, label: Vec<char>, scale: &Scale) -> (usize, Vec<char>) {
    let lane = scale.lane;
    let from = scale.column(op.invoked_at());
    let until = op.completion().map_or(lane - 1, |end| scale.column(end.time())).max(from);
    let end = match op.kind() {
        Kind::Ok => '|',
        Kind::Fail => 'x',
        Kind::Info | Kind::Invoke => '?',
    };
    let mut cells = vec!['-'; until - from + 1];
    cells[0] = '|';
    *cells.last_mut().expect("a bar has at least one column") = end;
    if cells.len() >= label.len() + 4 {
        let at = (cells.len() - label.len()) / 2;
        cells[at..at + label.len()].copy_from_slice(&label);
        return (from, cells);
    }
    if until + 1 + label.len() < lane {
        cells.push(' ');
        cells.extend(label);
        return (from, cells);
    }
    let room = from.saturating_sub(1).min(label.len());
    let mut before = label[..room].to_vec();
    before.push(' ');
    before.extend(cells);
    before.truncate(lane);
    (from.saturating_sub(room + 1), before)
}
