//! Where in a file of another tool's stands what a checker names by its event: such a file has no events.

use tribunal_checkers::Verdict;
use tribunal_history::History;

/// Places that are told of one verdict.
const TOLD: usize = 24;

/// A sentence about events (`event 7`), with their places in the file.
pub fn located(history: &History, sentence: &str) -> String {
    let mut events: Vec<u64> = Vec::new();
    for after in sentence.split("event ").skip(1) {
        let digits = after.find(|it: char| !it.is_ascii_digit()).unwrap_or(after.len());
        events.extend(after[..digits].parse::<u64>().ok().filter(|event| !events.contains(event)));
    }
    let place = |&event: &u64| Some(format!("event {event} is {}", history.place_in_file(event)?));
    let places: Vec<String> = events.iter().filter_map(place).collect();
    match places.is_empty() {
        true => sentence.to_owned(),
        false => format!("{sentence} (in the file, {})", places.join(" and ")),
    }
}

/// The places of the transactions that a verdict's anomalies name (`T7`), a line.
pub fn named(history: &History, verdict: &Verdict) -> Option<String> {
    let mut places: Vec<(u64, String)> = Vec::new();
    for anomaly in &verdict.anomalies {
        for &event in &anomaly.ops {
            let name = format!("T{event}");
            let mut words = anomaly.message.split(|it: char| !it.is_ascii_alphanumeric());
            if words.any(|word| word == name) {
                places.extend(history.place_in_file(event).map(|place| (event, place)));
            }
        }
    }
    places.sort();
    places.dedup();
    let told = places.iter().take(TOLD).map(|(event, place)| format!("T{event} is {place}"));
    let told: Vec<String> = told.collect();
    let more = if places.len() > TOLD { ", .." } else { "" };
    (!told.is_empty()).then(|| format!("In the file, {}{more}.", told.join(", ")))
}
