//! `extends = "other.toml"`: a test file that says only what is different from another one.
//!
//! Tables are put together key by key, and what the file itself says wins; lists are taken whole.
//! Relative paths are seen from the folder of the file that is run.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::{TestFile, TestFileError};

/// No file extends another that far.
const MOST: usize = 8;

/// Reads a file that extends others; `None` where it extends none.
pub(super) fn read(path: &Path, text: &str) -> Result<Option<TestFile>, TestFileError> {
    let Ok(own) = text.parse::<Table>() else { return Ok(None) };
    if !own.contains_key("extends") {
        return Ok(None);
    }
    let whole = put_together(path, own, 0)?;
    let read = TestFile::deserialize(Value::Table(whole));
    read.map(Some).map_err(|error| unfit(path, error.message()))
}

fn put_together(path: &Path, mut own: Table, depth: usize) -> Result<Table, TestFileError> {
    let Some(extends) = own.remove("extends") else { return Ok(own) };
    if depth == MOST {
        return Err(unfit(path, "it extends others in a circle, or more than 8 times over"));
    }
    let Some(other) = extends.as_str() else {
        return Err(unfit(path, "`extends` is the path of another test file"));
    };
    let other: PathBuf = path.parent().unwrap_or(Path::new(".")).join(other);
    let text = std::fs::read_to_string(&other)
        .map_err(|why| TestFileError::Unreadable { path: other.clone(), why })?;
    let theirs = text.parse::<Table>().map_err(|error| unfit(&other, error.message()))?;
    let mut whole = put_together(&other, theirs, depth + 1)?;
    // A test's runs go under its own name.
    whole.remove("name");
    lay_over(&mut whole, own);
    Ok(whole)
}

/// Lays one table over another.
fn lay_over(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => lay_over(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn unfit(path: &Path, why: &str) -> TestFileError {
    TestFileError::Unfit { path: path.to_owned(), why: why.replace('\n', " ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        folder
    }

    const BASE: &str = "name = 'base'\n[vars]\nbug = 'none'\n[db]\nstart = 'x'\nready = 'x'\n[client]\ncommand = ['x']\n\
                        [run]\nrate = 100\nnodes = 3\n[faults.pause]\ntarget = 'primaries'\n";

    #[test]
    fn what_a_file_says_itself_wins_and_the_rest_is_the_others() {
        let child = "extends = 'base.toml'\n[vars]\nbug = 'b'\n[run]\nnodes = 5\n[faults]\nduration = '15s'\n";
        let folder = folder(&[("base.toml", BASE), ("child.toml", child)]);
        let test = TestFile::read(&folder.path().join("child.toml")).expect("a test");
        assert_eq!((test.run.nodes, test.run.rate), (Some(5), Some(100.0)));
        assert_eq!(test.vars["bug"], "b");
        assert_eq!(test.faults.options["pause"]["target"], "primaries");
        assert_eq!(test.faults.duration, Some(std::time::Duration::from_secs(15)));
        assert_eq!(test.name.as_deref(), Some("child"));
    }

    #[test]
    fn circles_missing_files_and_misspelt_keys_are_told() {
        let told = |child: &str| {
            let folder = folder(&[("base.toml", BASE), ("child.toml", child)]);
            let error = TestFile::read(&folder.path().join("child.toml")).err();
            error.map_or(String::new(), |error| error.to_string())
        };
        assert!(told("extends = 'child.toml'").contains("in a circle"));
        assert!(told("extends = 'other.toml'").contains("other.toml"));
        assert!(told("extends = 3").contains("the path of another test file"));
        assert!(told("extends = 'base.toml'\n[run]\nraet = 3").contains("raet"));
    }
}
