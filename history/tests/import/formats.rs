//! Which format a file is in, and what wraps it.

use tribunal_history::import::{self, Format};
use tribunal_history::{Kind, Process};

use crate::{events, read};

#[test]
fn formats_are_told_from_the_content() {
    let told = |text: &str| import::detect(text.as_bytes());
    assert_eq!(told("{\"index\":0}"), Ok(Format::Jsonl));
    assert_eq!(told(" [ \n{ \"type\""), Ok(Format::ElleJson));
    assert_eq!(told("; a comment [ { \"\n ( {:a"), Ok(Format::Edn));
    assert_eq!(told("#jepsen.history.Op{:index 0"), Ok(Format::Edn));
    assert_eq!(told("2020 started\nINFO  jepsen.util - 0 :invoke"), Ok(Format::Porcupine));
    assert_eq!(told("r(1,2,3,4)"), Ok(Format::Plume));
    assert_eq!(told(" \n"), Ok(Format::Jsonl));
    assert_eq!(told("\x1f"), Err(import::Unrecognized::Unknown));
    assert_eq!(import::detect(&tribunal_history::arrow::MAGIC), Ok(Format::Store));
    assert_eq!(import::detect(&[0x1f, 0x8b, 8]), Err(import::Unrecognized::Gzip));
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
    assert!("edm".parse::<Format>().unwrap_err().contains("jsonl, store, edn, edn-keyed"));
}

#[test]
fn a_byte_order_mark_and_crlf_are_no_text() {
    let edn = "\u{feff}[{:process 0, :type :invoke, :f :read}\r\n{:process 0, :type :ok, :f :read, :value 1}]\r\n";
    assert_eq!(read(edn).history.len(), 2);
    let jsonl = "\u{feff}{\"time\":1,\"process\":0,\"type\":\"invoke\",\"f\":\"read\"}\r\n";
    assert_eq!(read(jsonl).format, Format::Jsonl);
}

#[test]
fn a_compressed_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history");
    let edn = "{:process 0, :type :invoke, :f :read, :time 4}";
    std::fs::write(&path, zstd::encode_all(edn.as_bytes(), 0).expect("zstd")).expect("a file");
    let imported = import::read(&path, None).expect("a history");
    assert_eq!(events(&imported)[0].process, Process::Client(0));
    assert_eq!(events(&imported)[0].kind, Kind::Invoke);
    let missing = import::read(&folder.path().join("none"), None).expect_err("no file");
    assert_eq!(missing.to_string(), "cannot read it: No such file or directory (os error 2)");
}

/// The first block of code under each heading of the page for users is read as that format.
#[test]
fn the_examples_of_the_page() {
    let page = include_str!("../../../docs/formats.md");
    let example = |heading: &str| {
        let section = page.split(&format!("# {heading}\n")).nth(1).expect(heading);
        let block = section.split("```").nth(1).expect("a block of code");
        block.split_once('\n').expect("its language").1.to_owned()
    };
    for format in Format::ALL {
        let shown = !matches!(format, Format::Store | Format::EdnKeyed | Format::EdnPlain);
        if shown {
            let imported = read(&example(format.name()));
            assert_eq!(imported.format, format);
            assert!(imported.history.len() >= 2);
        }
        assert!(page.contains(&format!("| `{format}` |")), "{format} is not in the table");
    }
    let tuples = read(&example("Tuples of key and value"));
    assert_eq!(tuples.remarks, [import::Remark::Tuples]);
    let remark = format!("history.edn: read as edn: {}", import::Remark::Tuples);
    assert!(page.contains(&remark), "{remark}");
}
