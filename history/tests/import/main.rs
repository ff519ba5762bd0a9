//! The formats of other tools: what is read, what it comes to mean, and what is refused.

mod events;
mod formats;
mod refusals;
mod tools;
mod tuples;
mod values;

use serde_json::{Value, json};
use tribunal_history::import::{self, Format, Imported};
use tribunal_history::{Event, EventRef};

#[track_caller]
fn read_as(text: &str, format: Option<Format>) -> Imported {
    match import::read_from(text.as_bytes(), format) {
        Ok(imported) => imported,
        Err(error) => panic!("{error}\n{text}"),
    }
}

#[track_caller]
fn read(text: &str) -> Imported {
    read_as(text, None)
}

fn events(imported: &Imported) -> Vec<Event> {
    imported.history.events().map(EventRef::to_event).collect()
}

/// Reads, and shows each event as `process kind f key value`, without what is not there.
#[track_caller]
fn check(text: &str, format: Format, expected: &[&str]) -> Imported {
    let imported = read(text);
    assert_eq!(imported.format, format, "{text}");
    assert_eq!(shown(&imported), expected, "{text}");
    imported
}

fn shown(imported: &Imported) -> Vec<String> {
    let show = |event: Event| {
        let key = event.key.map_or(String::new(), |key| format!(" {key}:"));
        let ext =
            if event.ext.is_empty() { String::new() } else { format!(" {}", json!(event.ext)) };
        format!("{} {} {}{key} {}{ext}", event.process, event.kind, event.f, event.value)
    };
    events(imported).into_iter().map(show).collect()
}

/// Reads what must be refused, and compares the whole sentence.
#[track_caller]
fn refuse(text: &str, expected: &str) {
    refuse_as(text, None, expected);
}

#[track_caller]
fn refuse_as(text: &str, format: Option<Format>, expected: &str) {
    match import::read_from(text.as_bytes(), format) {
        Ok(imported) => panic!("{text}\nwas read: {:?}", shown(&imported)),
        Err(error) => assert_eq!(error.to_string(), expected, "{text}"),
    }
}

fn remarks(imported: &Imported) -> Vec<String> {
    imported.remarks.iter().map(ToString::to_string).collect()
}

/// The value of a write that is printed as `edn`.
#[track_caller]
fn value(edn: &str) -> Value {
    let text = format!("{{:process 0, :type :invoke, :f :write, :time 1, :value {edn}}}");
    events(&read_as(&text, Some(Format::EdnPlain))).remove(0).value
}

/// Why a write that is printed as `edn` is refused, without its place.
#[track_caller]
fn bad_value(edn: &str) -> String {
    let text = format!("{{:process 0, :type :invoke, :f :write, :time 1, :value {edn}}}");
    let error = import::read_from(text.as_bytes(), None).expect_err(edn).to_string();
    error.split_once(": ").expect("a place").1.to_owned()
}
