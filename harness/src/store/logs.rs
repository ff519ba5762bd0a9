//! The logs of the nodes' databases, as a run keeps them: `nodes/<node>/<name>`.
//!
//! What a report finds in them is not here but in `report`.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// The most of a log that a report is made of, in bytes: its end.
const LOG: u64 = 8 << 20;

/// What a node's database wrote.
#[derive(Clone, Debug)]
pub struct NodeLog {
    /// The node.
    pub node: String,
    /// The log, or as much of its end as a report is made of.
    pub text: String,
    /// Whether that is all of it.
    pub whole: bool,
}

/// All logs below a folder of nodes, node by node.
pub fn read(nodes: &Path) -> Vec<NodeLog> {
    let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
    let mut logs = Vec::new();
    for node in entries(nodes) {
        for file in entries(&node.path()) {
            let end = fs::File::open(file.path()).and_then(|file| end_of(file, LOG));
            if let Some((text, whole)) = end.ok().filter(|(text, _)| !text.contains('\0')) {
                let node = node.file_name().to_string_lossy().into_owned();
                logs.push(NodeLog { node, text, whole });
            }
        }
    }
    logs.sort_by(|one, other| one.node.cmp(&other.node));
    logs
}

/// What a node's log files are called in the store: by their own names, but for one whose name an earlier one
/// has, which is called by its path.
pub fn log_names(paths: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for path in paths {
        let own = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let by_path = || path.trim_start_matches('/').replace('/', "_");
        names.push(if names.contains(&own) { by_path() } else { own });
    }
    names
}

/// The last lines of a file, at most so many bytes, and whether they are all of it.
fn end_of(mut file: fs::File, most: u64) -> io::Result<(String, bool)> {
    let length = file.metadata()?.len();
    let skipped = length.saturating_sub(most);
    // One byte more tells whether the first line there is a whole one.
    file.seek(SeekFrom::Start(skipped.saturating_sub(1)))?;
    let mut text = Vec::new();
    file.take(most + 1).read_to_end(&mut text)?;
    let first = match skipped {
        0 => 0,
        _ => text.iter().position(|&byte| byte == b'\n').map_or(text.len(), |at| at + 1),
    };
    Ok((String::from_utf8_lossy(&text[first..]).into_owned(), skipped == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_one_name_in_two_folders_are_two() {
        let paths = ["/var/log/tribunal-db.log", "/opt/db/a/log", "/opt/db/b/log", "/opt/c"];
        let names = log_names(&paths.map(str::to_owned));
        assert_eq!(names, ["tribunal-db.log", "log", "opt_db_b_log", "c"]);
    }

    #[test]
    fn of_a_long_log_the_last_whole_lines_are_read() {
        let end = |text: &str, most| {
            let mut file = tempfile::tempfile().unwrap();
            io::Write::write_all(&mut file, text.as_bytes()).unwrap();
            end_of(file, most).unwrap()
        };
        assert_eq!(end("one\ntwo\nthree\n", 14), ("one\ntwo\nthree\n".to_owned(), true));
        assert_eq!(end("one\ntwo\nthree\n", 13), ("two\nthree\n".to_owned(), false));
        assert_eq!(end("one\ntwo\nthree\n", 10), ("two\nthree\n".to_owned(), false));
        assert_eq!(end("one\ntwo\nthree\n", 9), ("three\n".to_owned(), false));
        assert_eq!(end("no end of it", 4), (String::new(), false));
    }
}
