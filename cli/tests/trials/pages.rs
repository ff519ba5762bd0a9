//! The pages of trouble (`examples/trouble`): each has its command and what it printed, and one of them
//! shows what it says. All of them are `examples/trouble/show all`, which takes twenty minutes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::scene::{Scene, text};
use crate::test_file::demand_databases;
use crate::trial::Seat;

fn trouble() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/trouble")
}

fn read(name: &str) -> String {
    let path = trouble().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn each_has_its_command_its_output_and_what_to_look_at() {
    let show = read("show");
    let names = show.split_once("\npages=(").and_then(|(_, rest)| rest.split_once(')'));
    let names: Vec<&str> = names.expect("a list of pages").0.split_whitespace().collect();
    assert!(names.len() >= 14, "{names:?}");
    let (table, all) = (read("README.md"), read("show"));
    for name in &names {
        let page = read(&format!("{name}.md"));
        for part in [
            format!("    examples/trouble/show {name}\n"),
            "\n   tribunal run ".to_owned(),
            "\nAll of it is as it says.\n".to_owned(),
            "**In the report** look at ".to_owned(),
        ] {
            assert!(page.contains(&part), "{name}.md lacks {part:?}");
        }
        assert!(table.contains(&format!("[`{name}`]({name}.md)")), "README.md lacks {name}");
    }
    // Test files are of a page, or stand below one that is.
    for entry in std::fs::read_dir(trouble()).expect("the folder") {
        let file = entry.expect("an entry").file_name().into_string().expect("a name in words");
        assert!(!file.ends_with(".toml") || all.contains(&file), "no page shows {file}");
    }
}

pub fn retries_at_once_are_many_more_than_retries_with_patience() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let _seat = Seat::take();
    let store = tempfile::tempdir().expect("a folder");
    let binaries = Path::new(env!("CARGO_BIN_EXE_tribunal")).parent().expect("a folder");
    let output = Command::new(trouble().join("show"))
        .arg("retries")
        .arg(binaries)
        .env("TRIBUNAL_STATE", scene.state.path())
        .env("STORE", store.path())
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", text(&output.stderr));
    assert!(said.contains("All of it is as it says."), "{said}");
}
