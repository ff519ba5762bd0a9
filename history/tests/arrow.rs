//! The store format: what is recorded is read back, also after a crash.

use std::io;

use proptest::prelude::*;
use serde_json::{Value, json};
use tribunal_history::arrow::{self, MAGIC, Recording};
use tribunal_history::jsonl::Tail;
use tribunal_history::{Event, History};

/// Calls with values, keys, extras and errors of all kinds; the nemesis in between.
fn events(calls: u64) -> Vec<Event> {
    let mut events = Vec::new();
    for call in 0..calls {
        let value = match call % 7 {
            0 => json!(call),
            1 => json!([call, -1]),
            2 => json!([1, 2, 3, call]),
            3 => json!([]),
            4 => json!({"a": [call, null, 0.5]}),
            5 => json!(u64::MAX - call),
            _ => Value::Null,
        };
        let mut invoke = json!({"time": 2 * call, "process": call % 5, "type": "invoke", "f": "write", "value": value});
        let mut end = json!({"time": 2 * call + 1, "process": call % 5, "type": "ok", "f": "write", "value": value});
        if call % 3 == 0 {
            invoke["key"] = json!(format!("k\"{}", call % 10));
            end["node"] = json!("n1");
        }
        if call % 4 == 0 && call > 20 {
            end["ext"] = json!({"timestamp": i64::MAX - call as i64, "final": true});
            end["type"] = json!("info");
            end["error"] = json!(["timeout", call]);
            end["process"] = json!(call % 5);
        }
        let harm = json!({"time": 2 * call + 1, "process": "nemesis", "type": "info", "f": "pause", "value": {"id": call}});
        for event in [invoke, end, harm] {
            events.push(serde_json::from_value(event).expect("an event"));
        }
    }
    events
}

/// Records events, sealing a chunk after every `chunk`.
fn record(events: &[Event], chunk: usize) -> (History, Vec<u8>) {
    let mut recording = Recording::new(Vec::new()).unwrap();
    for (number, event) in events.iter().enumerate() {
        recording.push(&mut event.clone()).unwrap();
        if number % chunk == chunk - 1 {
            recording.seal().unwrap();
        }
    }
    let (history, file) = recording.finish().unwrap();
    (history.unwrap(), file)
}

#[track_caller]
fn same(one: &History, other: &History, events: usize) {
    assert_eq!((one.len(), other.len()), (events, events));
    for (one, other) in one.events().zip(other.events()) {
        assert_eq!(one.to_event(), other.to_event());
    }
}

#[test]
fn what_is_recorded_is_read_back() {
    let events = events(2_000);
    for chunk in [1_000_000, 1_000, 7] {
        let (history, file) = record(&events, chunk);
        assert!(file.starts_with(&MAGIC));
        same(&history, &arrow::read_from(&*file, Tail::Whole).unwrap(), 6_000);
        let mut again = Vec::new();
        history.write_arrow(&mut again).unwrap();
        same(&history, &arrow::read_from(&*again, Tail::Whole).unwrap(), 6_000);
    }
    let expected = History::new(events.clone()).unwrap();
    same(&expected, &record(&events, 100).0, 6_000);
}

#[test]
fn a_run_that_was_killed_keeps_its_sealed_chunks() {
    let (history, file) = record(&events(300), 90);
    let mut kept = Vec::new();
    for length in (0..file.len()).step_by(97) {
        let part = arrow::read_from(&file[..length], Tail::MayBeTorn).unwrap();
        assert!(part.len() % 90 == 0 || part.len() == 900, "half a chunk: {}", part.len());
        for (one, other) in part.events().zip(history.events()) {
            assert_eq!(one.to_event(), other.to_event());
        }
        kept.push(part.len());
    }
    assert!(kept.is_sorted() && kept.last() == Some(&900), "{kept:?}");
    let whole = arrow::read_from(&file[..file.len() - 100], Tail::Whole);
    assert!(whole.unwrap_err().to_string().contains("cut off"));
}

#[test]
fn a_disk_that_is_full_is_an_error() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let Err(error) = Recording::new(Full) else { panic!("a full disk took a history") };
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_is_refused_or_read_but_never_a_panic(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let (_, mut file) = record(&events(40), 50);
        let place = at.index(file.len());
        file[place] = byte;
        file.truncate(1 + cut.index(file.len()));
        let _ = arrow::read_from(&*file, Tail::MayBeTorn);
        let _ = arrow::read_from(&*file, Tail::Whole);
    }

    #[test]
    fn any_bytes_are_refused_or_read_but_never_a_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = arrow::read_from(&*bytes, Tail::Whole);
        bytes.splice(0..0, MAGIC);
        let _ = arrow::read_from(&*bytes, Tail::MayBeTorn);
    }
}
