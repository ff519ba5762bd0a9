//! How each fault is undone, written to disk before it does harm.
//!
//! A line is either an undo that is due, or the number of a fault that was
//! undone. What is due when an agent is killed, its successor reads here.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::damage::Kept;
use super::file_limit::Files;
use super::ground::Laid;
use super::group::Group;
use super::processes::Session;
use super::rollback::Snapshot;
use super::{bad_disk, clock, cut, fill, freeze, host_clock, netem, pause, power};

/// How to take one fault back. Doing it twice, or when there is nothing to
/// undo, is harmless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// Remove the fault's rules.
    Mend,
    /// Let a session's processes go on.
    Resume(Session),
    /// Give a session's processes the machine's clock back.
    Restore(Session),
    /// Take our qdiscs off these interfaces.
    Loosen(Vec<String>),
    /// Put the host's clock right.
    SetClock(host_clock::Was),
    /// Nothing: the processes are dead, and whoever knows how starts others.
    Bury(Session),
    /// Give a control group up.
    Disband(Group),
    /// Let processes open files again.
    Files(Files),
    /// Take ground away, and whoever stands on it.
    Lift(Laid),
    /// Let a disk have power again.
    PowerOn(Laid),
    /// Lift a fault's rule on a disk.
    Sound(Laid),
    /// Remove what fills a disk.
    Empty(PathBuf),
    /// Let the disk at a place go on.
    Thaw(PathBuf),
    /// Put files back that were kept.
    PutBack(Kept),
    /// Finish what was begun of putting a whole folder back, and forget the copy.
    Forget(Snapshot),
}

impl Undo {
    /// Undoes it, and confirms that it is undone: what was seen, in words.
    pub fn perform(&self, fault: u64) -> io::Result<Vec<String>> {
        match self {
            Undo::Mend => cut::mend(fault).map(|()| Vec::new()),
            Undo::Resume(session) => pause::resume(session).map(|seen| vec![seen]),
            Undo::Bury(_) => Ok(Vec::new()),
            Undo::Loosen(devices) => netem::loosen(devices).map(|()| Vec::new()),
            Undo::SetClock(was) => host_clock::restore(was),
            Undo::Disband(group) => {
                Ok(Some(group.disband()?).into_iter().filter(|it| !it.is_empty()).collect())
            }
            Undo::Files(files) => files.restore().map(|seen| vec![seen]),
            Undo::Lift(laid) => laid.lift(),
            Undo::PowerOn(laid) => power::restore(laid),
            Undo::Sound(laid) => bad_disk::make_sound(laid, fault),
            Undo::Empty(ballast) => fill::empty(ballast),
            Undo::Thaw(disk) => freeze::thaw(disk),
            Undo::PutBack(kept) => kept.put_back(),
            Undo::Forget(snapshot) => snapshot.forget(),
            Undo::Restore(session) => {
                let readings = clock::restore(session)?;
                Ok(readings.into_iter().map(|reading| reading.text).collect())
            }
        }
    }

    /// What is undone, in words.
    pub fn describe(&self) -> String {
        match self {
            Undo::Mend => "packets dropped".to_owned(),
            Undo::Resume(session) => format!("a pause of the daemon (pid {})", session.leader),
            Undo::Bury(session) => format!("the end of the daemon (pid {})", session.leader),
            Undo::Loosen(devices) => format!("bad links on {}", devices.join(" ")),
            Undo::SetClock(_) => "another time on the host's clock".to_owned(),
            Undo::Lift(laid) => format!("a disk of ours under {}", laid.at.display()),
            Undo::PowerOn(laid) => format!("no power for the disk under {}", laid.at.display()),
            Undo::Sound(laid) => format!("a bad disk under {}", laid.at.display()),
            Undo::Empty(ballast) => format!("a full disk ({})", ballast.display()),
            Undo::Thaw(disk) => format!("a hung disk ({})", disk.display()),
            Undo::PutBack(kept) => format!("damage to files in {}", kept.at.display()),
            Undo::Forget(snapshot) => format!("a copy of {}", snapshot.at.display()),
            Undo::Restore(session) => {
                format!("another clock for the daemon (pid {})", session.leader)
            }
            Undo::Disband(group) => {
                let (name, leader) = (group.controller.name(), group.session.leader);
                format!("a control group of `{name}` for the daemon (pid {leader})")
            }
            Undo::Files(files) => {
                format!("limits of open files for the daemon (pid {})", files.session.leader)
            }
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Due { fault: u64, undo: Undo },
    Undone { fault: u64 },
}

/// The file. It ends with a whole line, always: what is appended to half of one would be lost with it.
pub struct Journal {
    file: File,
}

impl Journal {
    /// Opens or makes it; with it come the undos that are due.
    pub fn open(directory: &Path) -> io::Result<(Self, BTreeMap<u64, Undo>)> {
        let path = directory.join("journal.jsonl");
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = whole_lines(&text);
        let mut journal = Self { file };
        if whole.len() < text.len() {
            journal.cut(whole.len() as u64)?;
        }
        // The name must survive, too.
        File::open(directory)?.sync_all()?;
        Ok((journal, due(whole)))
    }

    /// Whether anything is due in a folder.
    pub fn is_due(directory: &Path) -> io::Result<bool> {
        match std::fs::read(directory.join("journal.jsonl")) {
            Ok(text) => Ok(!due(whole_lines(&text)).is_empty()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Before the harm: what will take it back.
    pub fn due(&mut self, fault: u64, undo: &Undo) -> io::Result<()> {
        self.append(&Line::Due { fault, undo: undo.clone() })
    }

    /// After the undoing.
    pub fn undone(&mut self, fault: u64) -> io::Result<()> {
        self.append(&Line::Undone { fault })
    }

    /// Forgets everything: nothing is due.
    pub fn clear(&mut self) -> io::Result<()> {
        self.cut(0)
    }

    fn append(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let end = self.file.stream_position()?;
        let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        if written.is_err() {
            // On a full disk a part of it may be there. To cut needs no room.
            self.cut(end)?;
        }
        written
    }

    fn cut(&mut self, end: u64) -> io::Result<()> {
        self.file.set_len(end)?;
        self.file.seek(SeekFrom::Start(end))?;
        self.file.sync_all()
    }
}

/// A journal without a last line that was torn by a crash: it was not followed by harm.
fn whole_lines(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    &text[..end]
}

/// What is due by the lines of a journal. One that cannot be read, as an earlier version may have left it,
/// counts for nothing.
fn due(text: &[u8]) -> BTreeMap<u64, Undo> {
    let mut due = BTreeMap::new();
    for line in text.split(|&byte| byte == b'\n') {
        match serde_json::from_slice(line) {
            Ok(Line::Due { fault, undo }) => drop(due.insert(fault, undo)),
            Ok(Line::Undone { fault }) => drop(due.remove(&fault)),
            Err(_) => {}
        }
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal with these bytes, opened: what was due, and what is after one more undo was written down.
    fn reopened(bytes: &[u8]) -> (Vec<u64>, Vec<u64>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("journal.jsonl"), bytes).unwrap();
        let faults = |due: BTreeMap<u64, Undo>| due.into_keys().collect();
        let (mut journal, before) = Journal::open(folder.path()).unwrap();
        journal.due(9, &Undo::Mend).unwrap();
        assert!(Journal::is_due(folder.path()).unwrap());
        (faults(before), faults(Journal::open(folder.path()).unwrap().1))
    }

    #[test]
    fn what_is_due_survives_a_torn_line() {
        let text = r#"{"due":{"fault":0,"undo":"mend"}}
{"due":{"fault":1,"undo":{"resume":{"leader":412,"started":99}}}}
{"undone":{"fault":0}}
{"due":{"fault":2,"undo":"me"#;
        assert_eq!(reopened(text.as_bytes()), (vec![1], vec![1, 9]));
    }

    #[test]
    fn a_path_that_was_cut_within_a_letter_loses_nothing_else() {
        let text = "{\"due\":{\"fault\":1,\"undo\":\"mend\"}}\n{\"due\":{\"fault\":2,\"undo\":{\"empty\":\"/dätä";
        assert_eq!(reopened(&text.as_bytes()[..text.len() - 1]), (vec![1], vec![1, 9]));
    }

    #[test]
    fn what_follows_a_line_that_could_not_be_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path()).unwrap();
        journal.due(1, &Undo::Mend).unwrap();
        let end = journal.file.stream_position().unwrap();
        journal.file.write_all(b"{\"due\":{\"fau").unwrap();
        journal.cut(end).unwrap();
        journal.due(2, &Undo::Mend).unwrap();
        let (_, due) = Journal::open(folder.path()).unwrap();
        assert_eq!(due, BTreeMap::from([(1, Undo::Mend), (2, Undo::Mend)]));
    }
}
