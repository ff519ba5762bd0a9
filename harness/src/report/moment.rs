//! What the database itself said around an anomaly: the log lines of the moment, of all nodes, in order.
//!
//! Databases write the time of a line in many ways and in many zones. Common to all are hours, minutes and
//! seconds with colons between, near the line's beginning; and since zones differ by quarters of an hour, only
//! the place within the quarter counts, and how far the lines beside it have come: from the first one on, which
//! was written when the run began, or, where a log's beginning is missing or is an earlier run's, from the last one
//! back, which was written when the run ended. A line without a time belongs to the one before it. Clocks that a
//! fault has moved are taken at their word.

use serde::Serialize;
use tribunal_history::Nanos;

use super::words;
use crate::store::NodeLog;

/// Where zones can differ.
const QUARTER: i64 = 15 * 60 * SECOND;
const SECOND: i64 = 1_000_000_000;
/// How much earlier than the line before it a line may be.
const BACK: i64 = 60 * SECOND;
/// How long after the history's end a log's last line may be written: until the logs are fetched.
const AFTER: i64 = 60 * SECOND;
/// How far into a line its time may begin.
const HEAD: usize = 48;
/// What was said just before the first call belongs to the moment.
const BEFORE: i64 = SECOND;
/// Lines that are shown.
const LINES: usize = 40;
/// Characters of a line.
const WIDTH: usize = 300;

/// The log lines of a moment.
#[derive(Serialize)]
pub(super) struct Moment {
    lines: Vec<Line>,
    more: usize,
}

/// A line, and where it comes from.
#[derive(Serialize)]
struct Line {
    at: String,
    node: String,
    text: String,
}

/// What the logs say from just before `window` to its end; `None` where nothing was said. `origin` is the wall
/// clock at the history's beginning, in nanoseconds since 1970, and `end` is when the history ends.
pub(super) fn moment(
    logs: &[NodeLog],
    origin: i64,
    end: Nanos,
    window: (Nanos, Nanos),
) -> Option<Moment> {
    let (from, until) = (window.0 as i64 - BEFORE, window.1 as i64);
    let mut said: Vec<(i64, &str, &str)> = Vec::new();
    for log in logs {
        let lines = timed(log, origin, end as i64).into_iter();
        let there = lines.filter(|(at, _)| (from..=until).contains(at));
        said.extend(there.map(|(at, line)| (at, &*log.node, line)));
    }
    said.sort_by_key(|(at, ..)| *at);
    let more = said.len().saturating_sub(LINES);
    let lines: Vec<Line> = said.into_iter().take(LINES).map(line).collect();
    (!lines.is_empty()).then_some(Moment { lines, more })
}

fn line((at, node, text): (i64, &str, &str)) -> Line {
    let (at, node) = (format!("{:.3} s", at as f64 / 1e9), node.to_owned());
    Line { at, node, text: words::clip(text, WIDTH) }
}

/// The lines with their times in the run.
fn timed(log: &NodeLog, origin: i64, end: i64) -> Vec<(i64, &str)> {
    let lines = log.text.lines().filter(|line| !line.trim().is_empty());
    let within = |line| time_of(line).map(|time| (time - origin).rem_euclid(QUARTER));
    let lines: Vec<(Option<i64>, &str)> = lines.map(|line| (within(line), line)).collect();
    let places: Vec<i64> = lines.iter().filter_map(|(within, _)| *within).collect();
    let mut times = Some(forth(&places))
        .filter(|times| log.whole && times.last().is_none_or(|&last| last <= end + AFTER))
        .unwrap_or_else(|| back(&places, end))
        .into_iter();
    let mut last = None;
    let timed = lines.into_iter().filter_map(|(within, line)| {
        last = within.and_then(|_| times.next()).or(last);
        last.map(|at| (at, line))
    });
    timed.collect()
}

/// The times of lines at these places in their quarters, by the first: the log begins shortly before the run or in
/// it, and goes on from line to line, but for a little.
fn forth(places: &[i64]) -> Vec<i64> {
    let mut last: Option<i64> = None;
    let time = |&within: &i64| {
        let turns = match last {
            None => (QUARTER / 2 - within).div_euclid(QUARTER),
            Some(last) => (last - BACK - within + QUARTER - 1).div_euclid(QUARTER),
        };
        *last.insert(within + turns * QUARTER)
    };
    places.iter().map(time).collect()
}

/// The same by the last, written until shortly after the run's end.
fn back(places: &[i64], end: i64) -> Vec<i64> {
    let mut next = end + AFTER - BACK;
    let time = |&within: &i64| {
        next = within + (next + BACK - within).div_euclid(QUARTER) * QUARTER;
        next
    };
    let mut times: Vec<i64> = places.iter().rev().map(time).collect();
    times.reverse();
    times
}

/// The first time of day near a line's beginning, in nanoseconds.
fn time_of(line: &str) -> Option<i64> {
    let bytes = line.as_bytes();
    let last = bytes.len().checked_sub(8)?.min(HEAD);
    let at = (0..=last).find(|&at| {
        let two = |at: usize| bytes[at].is_ascii_digit() && bytes[at + 1].is_ascii_digit();
        let colons = bytes[at + 2] == b':' && bytes[at + 5] == b':';
        colons && two(at) && two(at + 3) && two(at + 6)
    })?;
    let two = |at: usize| i64::from(bytes[at] - b'0') * 10 + i64::from(bytes[at + 1] - b'0');
    let seconds = (two(at) * 60 + two(at + 3)) * 60 + two(at + 6);
    Some(seconds * SECOND + fraction(&bytes[at + 8..]))
}

/// `.25` or `,250`, in nanoseconds.
fn fraction(rest: &[u8]) -> i64 {
    let Some((b'.' | b',', digits)) = rest.split_first() else { return 0 };
    let digits = digits.iter().take(9).take_while(|digit| digit.is_ascii_digit());
    let (value, worth) = digits.fold((0, SECOND), |(value, worth), digit| {
        (value + i64::from(digit - b'0') * (worth / 10), worth / 10)
    });
    debug_assert!(worth > 0);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-27 12:00:00 UTC.
    const NOON: i64 = 1_795_780_800 * SECOND;

    fn told(logs: &[(&str, &str)], from: u64, until: u64) -> Vec<String> {
        let log = |(node, text): &(&str, &str)| NodeLog {
            node: (*node).to_owned(),
            text: (*text).to_owned(),
            whole: true,
        };
        let logs: Vec<NodeLog> = logs.iter().map(log).collect();
        lines_of(&logs, 3_600, from, until)
    }

    /// Of a run of so many seconds.
    fn lines_of(logs: &[NodeLog], end: u64, from: u64, until: u64) -> Vec<String> {
        let [end, from, until] = [end, from, until].map(|at| at * 1_000_000_000);
        let moment = moment(logs, NOON, end, (from, until));
        let lines = moment.map_or_else(Vec::new, |moment| moment.lines);
        lines.into_iter().map(|it| format!("{} {} {}", it.at, it.node, it.text)).collect()
    }

    #[test]
    fn times_are_found_however_a_database_writes_them() {
        let of = |line| time_of(line).map(|time| time - 12 * 3_600 * SECOND);
        assert_eq!(of("712:M 27 Nov 2026 12:00:05.250 # Failover"), Some(5_250_000_000));
        assert_eq!(of("2026-11-27 12:00:05.123456 I | raft: elected"), Some(5_123_456_000));
        assert_eq!(of("[77] 2026/11/27 12:00:05.5 [INF] Server is ready"), Some(5_500_000_000));
        assert_eq!(of("2026-11-27 12:00:05,007 INFO: promoted"), Some(5_007_000_000));
        assert_eq!(of(r#"{"ts":"2026-11-27T12:00:05Z","msg":"x"}"#), Some(5_000_000_000));
        assert_eq!(of("no time at all"), None);
        assert_eq!(of("1:2:3"), None);
    }

    #[test]
    fn the_lines_of_all_nodes_come_in_order_and_those_without_a_time_stay_with_theirs() {
        let n1 = "11:59:50 starts\n12:00:05.5 is deposed\n  by n2\n12:00:09 late";
        let n2 = "12:00:04 stands\n12:00:05.2 is elected";
        let lines = told(&[("n1", n1), ("n2", n2)], 5, 6);
        let expected = [
            "4.000 s n2 12:00:04 stands",
            "5.200 s n2 12:00:05.2 is elected",
            "5.500 s n1 12:00:05.5 is deposed",
            "5.500 s n1   by n2",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn zones_do_not_matter_and_quarters_are_counted() {
        assert_eq!(told(&[("n1", "17:45:05 in Kathmandu")], 5, 6).len(), 1);
        let long = "12:00:01 a\n12:10:00 b\n12:20:00 c\n12:30:05 d";
        assert_eq!(told(&[("n1", long)], 1_805, 1_806), ["1805.000 s n1 12:30:05 d"]);
        assert_eq!(told(&[("n1", "11:59:58 before")], 5, 6), Vec::<String>::new());
    }

    #[test]
    fn a_log_without_its_beginning_or_with_an_earlier_run_is_placed_by_its_end() {
        let log = |whole, text: &str| NodeLog { node: "n1".into(), text: text.into(), whole };
        let said = |log: NodeLog| lines_of(&[log], 3_600, 3_300, 3_400);
        let end = "12:48:30 a\n12:55:30 b\n  more\n13:00:02 c";
        assert_eq!(said(log(false, end)), ["3330.000 s n1 12:55:30 b", "3330.000 s n1   more"]);
        // By their quarters alone, its first line would be of the run's beginning.
        let earlier = (0..17).map(|tens| format!("{}:{}0:00 x\n", 10 + tens / 6, tens % 6));
        let earlier = earlier.collect::<String>();
        assert_eq!(said(log(true, &format!("{earlier}{end}"))).len(), 2);
    }
}
