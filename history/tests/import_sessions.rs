//! Histories of sessions without times: what Plume's, AWDIT's and dbcop's files come to mean.

use serde_json::{Value, json};
use tribunal_history::import::{self, Format};
use tribunal_history::jsonl::Tail;
use tribunal_history::{EventRef, History, arrow};

/// Reads a file, whose format its content must tell.
#[track_caller]
fn read(text: &str, format: Format) -> History {
    let imported =
        import::read_from(text.as_bytes(), None).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(imported.format, format, "{text}");
    assert!(!imported.history.has_real_time(), "{text}");
    imported.history
}

/// Each transaction as `process kind: what came back`.
fn shown(history: &History) -> Vec<String> {
    let show = |operation: tribunal_history::Operation| {
        let value = operation.result().unwrap_or(operation.argument());
        format!("{} {}: {value}", operation.process(), operation.kind())
    };
    history.operations().map(show).collect()
}

#[track_caller]
fn refuse(text: &str, expected: &str) {
    let read = import::read_from(text.as_bytes(), None);
    assert_eq!(read.expect_err(text).to_string(), expected, "{text}");
}

#[test]
fn plume() {
    let text = "w(1,5,0,0)\nr(2,0,0,0)\nr(1,5,3,7)\nw(1,6,0,1)\nr(2,18446744073709551615,3,7)\r\n\
                w(9,9,0,-1)\n\nr(1,5,3,8)";
    let history = read(text, Format::Plume);
    let expected = [
        r#"p0 ok: [["w",1,5],["r",2,null]]"#,
        r#"p3 ok: [["r",1,5],["r",2,18446744073709551615]]"#,
        r#"p0 ok: [["w",1,6]]"#,
        r#"p0 fail: [["w",9,9]]"#,
        r#"p3 ok: [["r",1,5]]"#,
    ];
    assert_eq!(shown(&history), expected);
    let asked: Vec<Value> = history.operations().map(|it| it.argument().to_value()).collect();
    assert_eq!(asked[1], json!([["r", 1, null], ["r", 2, null]]));
}

#[test]
fn awdit() {
    let text = "w 0 0\n-----\nr 0 0\nw 1 3\n=====\n=====\n-----\nr 1 3\n\n-----\nr 0 0\n";
    let expected = [
        r#"p0 ok: [["w",0,0]]"#,
        r#"p0 ok: [["r",0,0],["w",1,3]]"#,
        r#"p1 ok: [["r",1,3]]"#,
        r#"p1 ok: [["r",0,0]]"#,
    ];
    assert_eq!(shown(&read(text, Format::Awdit)), expected);
}

#[test]
fn dbcop() {
    let text = r#"{"params": {"id": 1, "n_node": 2}, "info": "x", "data": [
      [{"events": [{"Write": {"variable": 1, "version": 2}}, {"Read": {"variable": 3, "version": null}}], "committed": true},
       {"events": [["w", 1, 4], ["r", 1, 2]], "committed": false}],
      [{"events": [], "committed": true}, {"events": [["r", 1, 2]], "committed": true}]], "end": 5}"#;
    let expected = [
        r#"p0 ok: [["w",1,2],["r",3,null]]"#,
        r#"p0 fail: [["w",1,4],["r",1,null]]"#,
        r#"p1 ok: []"#,
        r#"p1 ok: [["r",1,2]]"#,
    ];
    assert_eq!(shown(&read(text, Format::Dbcop)), expected);
}

#[test]
fn that_there_is_no_real_time_is_kept_in_the_store() {
    let history = read("w(1,5,0,0)\nr(1,5,1,1)\n", Format::Plume);
    let mut file = Vec::new();
    history.write_arrow(&mut file).expect("memory");
    let again = arrow::read_from(&file[..], Tail::Whole).expect("a history");
    assert!(!again.has_real_time());
    let events = |history: &History| history.events().map(EventRef::to_event).collect::<Vec<_>>();
    assert_eq!(events(&again), events(&history));
    let ours = History::new(events(&history)).expect("a history");
    let mut file = Vec::new();
    ours.write_arrow(&mut file).expect("memory");
    assert!(arrow::read_from(&file[..], Tail::Whole).expect("a history").has_real_time());
}

/// Where the operations stand in their files, which have no events.
#[test]
fn places_in_the_file() {
    let places = |text: &str, format| {
        let history = read(text, format);
        let places: Vec<String> =
            (0..history.len() as u64).filter_map(|at| history.place_in_file(at)).collect();
        assert_eq!(places.len(), history.len(), "{text}");
        places.into_iter().step_by(2).collect::<Vec<_>>()
    };
    let plume = "\nw(1,5,0,0)\nr(2,0,0,0)\nr(1,5,3,7)\nw(1,6,0,1)\nr(2,0,3,7)\nw(9,9,0,-1)\n";
    assert_eq!(places(plume, Format::Plume), ["line 2", "line 4", "line 5", "line 7"]);
    let awdit = "-----\nw 0 0\nw 5 5\n-----\n\nr 0 0\nw 1 3\n=====\n=====\nr 1 3\n";
    assert_eq!(places(awdit, Format::Awdit), ["line 2", "line 6", "line 10"]);
    let dbcop = r#"{"params":{},"data":[[{"events":[["w",1,2]],"committed":true}],
        [{"events":[],"committed":true},{"events":[["r",1,2]],"committed":true}]]}"#;
    let expected =
        ["transaction 0 of session 0", "transaction 0 of session 1", "transaction 1 of session 1"];
    assert_eq!(places(dbcop, Format::Dbcop), expected);
    let ours = "{\"process\":0,\"type\":\"invoke\",\"f\":\"read\",\"time\":1}\n";
    let ours = import::read_from(ours.as_bytes(), None).expect("a history").history;
    assert_eq!(ours.place_in_file(0), None);
}

/// A file that is cut inside a line is refused, wherever that shows; one that ends after a whole line is read.
#[test]
fn what_was_cut_off_inside_a_line_is_refused() {
    let awdit = "w 1 53\nr 2 41\n-----\nw 2 41 \n=====\nr 1 53\n=====\n";
    let plume = "w(1,53,0,0)\nr(2,0,0,0)\nr(1,53,3,17)\nw(9,12,0,-1)\n";
    let dbcop = r#"{"params":{},"data":[[{"events":[["w",1,22]],"committed":true}]]}"#;
    for (text, format) in [(awdit, Format::Awdit), (plume, Format::Plume), (dbcop, Format::Dbcop)] {
        for length in 1..text.len() {
            let cut = &text[..length];
            let is_read = import::read_from(cut.as_bytes(), Some(format)).is_ok();
            let whole_line = match format {
                Format::Awdit => !cut.ends_with(|last: char| last.is_alphanumeric()),
                Format::Plume => cut.ends_with([')', '\n']),
                _ => false,
            };
            // A blank within a line of AWDIT's comes before a number.
            let torn = matches!(
                cut.lines().last(),
                Some("w" | "r" | "w " | "r " | "w 1 " | "r 1 " | "w 2 " | "r 2 ")
            );
            assert_eq!(is_read, whole_line && !torn, "{cut:?}");
        }
    }
}

/// Twelve megabytes, so that transactions and sessions go over the ends of blocks.
#[test]
fn blocks_do_not_show() {
    let (mut plume, mut awdit, mut expected) = (String::new(), String::new(), Vec::new());
    for transaction in 0..60_000_u64 {
        let session = transaction / 10_000;
        let mut steps = Vec::new();
        for step in 0..10 {
            let (key, value) = (step * 1_000_003, transaction * 10 + step + 1);
            plume += &format!("w({key},{value},{session},{transaction})\n");
            awdit += &format!("w {key} {value}\n");
            steps.push(json!(["w", key, value]));
        }
        awdit += if transaction % 10_000 == 9_999 { "=====\n" } else { "-----\n" };
        expected.push(format!("p{session} ok: {}", Value::from(steps)));
    }
    let history = read(&awdit, Format::Awdit);
    assert_eq!(shown(&history), expected);
    assert_eq!(history.place_in_file(2 * 59_999).as_deref(), Some("line 659990"));
    assert_eq!(shown(&read(&plume, Format::Plume)), expected);
}

#[test]
fn bad_lines() {
    let no_step = "is no operation; a line of plume's text is r(key,value,session,transaction) or \
                   w(..), one of awdit's is `r key value`, `w key value`, ----- or =====, all whole \
                   numbers";
    let cut = "the file ends in the middle of a line, which began at line 2; it was cut off: fetch \
               it again, or delete the torn end";
    let first = "w(1,5,0,0)\n";
    for (line, place, why) in [
        ("x(1,2,3,4)\n", 1, format!("`x(1,2,3,4)` {no_step}")),
        ("r(1,,3,4)\n", 5, format!("`r(1,,3,4)` {no_step}")),
        ("r(1,2,3,-2)\n", 12, format!("`r(1,2,3,-2)` {no_step}")),
        ("r(1,2,3,4) 5\n", 12, format!("`r(1,2,3,4) 5` {no_step}")),
        ("r(1,2,3,4", 10, cut.to_owned()),
        ("r", 2, cut.to_owned()),
        ("w(1,0,3,4)\n", 11, "this writes 0, which stands for what was there before all writes; number the values from 1".to_owned()),
        ("r(1,99999999999999999999,3,4)\n", 25, "99999999999999999999 is too large; numbers have at most 64 bits".to_owned()),
        ("r(1,2,4294967295,4)\n", 1, "the process number is too large; processes are numbered below 4294967295".to_owned()),
        ("r(1,5,1,0)\n", 1, "transaction 0 is of session 0 and of session 1; a transaction is run by one session, and its number is its own in the whole file".to_owned()),
    ] {
        refuse(&format!("{first}{line}"), &format!("line 2, column {place}: {why}"));
    }
    refuse(
        "w(1,5,0,0)\nw(1,6,0,1)\nr(1,5,0,0)\n",
        "line 3, column 1: session 0 had begun another transaction since its transaction 0; give \
         every transaction its own number, and let its lines follow each other",
    );
    refuse("w 1 2\nr 1 -2\n", &format!("line 2, column 5: `r 1 -2` {no_step}"));
    refuse("w 1 2\nr 1", &format!("line 2, column 4: {cut}"));
    let open = "the file ends right after this number, which may be the beginning of a longer one; \
                if the file is whole, end its last line with a line feed, and otherwise fetch it again";
    refuse("w 1 5", &format!("line 1, column 6: {open}"));
    refuse("w 1 53\n=====\nr 1 5", &format!("line 3, column 6: {open}"));
}

#[test]
fn bad_json() {
    for (text, expected) in [
        (
            r#"{"params":{},"data":[[{"events":[]"#,
            "line 1, column 34: the file ends in the middle of the history, which began at line 1; it was cut off: fetch it again, or delete the torn end",
        ),
        (
            r#"{"params":{},"data":[[{"events":[["w",1,null]],"committed":true}]]}"#,
            "line 1, column 45: not a history of dbcop's: a write without a version",
        ),
        (r#"{"params":{}}"#, "line 1, column 13: not a history of dbcop's: missing field `data`"),
    ] {
        refuse(text, expected);
    }
}
