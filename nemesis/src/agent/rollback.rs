//! A folder put back as it was a while ago: a node that somebody restored from an old snapshot.
//!
//! The daemon stands still while the copy is taken, so that it is one moment's. Later the daemon is
//! killed and the copy put in the place of what is there. Putting back that was begun is finished by
//! whoever undoes it, for half of a folder would be of no moment at all.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tribunal_history::Effect;

use super::act::Act;
use super::journal::Undo;
use super::pause::{self, Pause};
use super::processes::Session;
use super::{damage, kill};

/// A copy of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Which folder.
    pub at: PathBuf,
    /// What keeps the copy, and the mark that putting back was begun.
    pub copies: PathBuf,
    /// Whose folder it is.
    pub session: Session,
}

impl Snapshot {
    fn copy(&self) -> PathBuf {
        self.copies.join("copy")
    }

    fn mark(&self) -> PathBuf {
        self.copies.join("begun")
    }

    /// Takes it, while the daemon stands still; how many files it has.
    fn take(&self) -> io::Result<usize> {
        fs::create_dir_all(self.copy())?;
        Pause::of(self.session.leader as u32)?.perform()?;
        let copied = copy_all(&self.at, &self.copy());
        pause::resume(&self.session)?;
        copied?;
        Ok(damage::files(&self.copy())?.len())
    }

    /// Puts it back; what had changed, in words, and whether anything had.
    fn put_back(&self) -> io::Result<(bool, String)> {
        kill::kill(&self.session)?;
        let changed = self.changed()?;
        File::create(self.mark())?.sync_all()?;
        self.sync_marks()?;
        self.finish()?;
        self.unmark()?;
        Ok((changed > 0, format!("{changed} files had changed since")))
    }

    /// Takes the mark away, before anything of the copy goes: whoever found the mark without the copy would empty
    /// the folder, and have nothing to put there.
    fn unmark(&self) -> io::Result<()> {
        fs::remove_file(self.mark())?;
        self.sync_marks()
    }

    fn sync_marks(&self) -> io::Result<()> {
        File::open(&self.copies)?.sync_all()
    }

    /// From the moment that the mark is there it can only be finished.
    fn finish(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.at)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path())?,
                false => fs::remove_file(entry.path())?,
            }
        }
        copy_all(&self.copy(), &self.at)
    }

    /// How many files are other ones, came or went since it was taken.
    fn changed(&self) -> io::Result<usize> {
        let seal = |folder: &Path, file: &PathBuf| {
            let file = fs::metadata(folder.join(file)).ok()?;
            Some((file.len(), file.mtime(), file.mtime_nsec()))
        };
        let (now, copy) = (damage::files(&self.at)?, self.copy());
        let then = damage::files(&copy)?;
        let gone = then.iter().filter(|file| now.binary_search(file).is_err()).count();
        let other = now.iter().filter(|file| seal(&self.at, file) != seal(&copy, file)).count();
        Ok(gone + other)
    }

    /// Finishes what was begun, and forgets the copy.
    pub fn forget(&self) -> io::Result<Vec<String>> {
        if self.mark().exists() {
            kill::kill(&self.session)?;
            self.finish()?;
            self.unmark()?;
        } else {
            pause::resume(&self.session)?;
        }
        match fs::remove_dir_all(&self.copies) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(Vec::new()),
        }
    }
}

/// `cp` knows of owners, rights, times, holes and links.
fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    let output = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    Err(io::Error::other(format!("{} cannot be copied: {said}", from.display())))
}

/// A folder that is about to be put back.
pub struct RollBack {
    snapshot: Snapshot,
    after: Duration,
    taken: usize,
    waiting: Option<Waiting>,
}

/// Waits for the moment to put it back; what came of it, or nothing if that never came.
struct Waiting {
    stop: Sender<()>,
    thread: JoinHandle<Option<io::Result<(bool, String)>>>,
}

impl RollBack {
    /// The folder `at` of the daemon `pid`.
    pub fn of(pid: u32, at: PathBuf, copies: PathBuf, after_ms: u64) -> io::Result<Self> {
        let snapshot = Snapshot { at, copies, session: Session::led_by(pid)? };
        let after = Duration::from_millis(after_ms);
        Ok(Self { snapshot, after, taken: 0, waiting: None })
    }

    fn end(&mut self) -> Option<io::Result<(bool, String)>> {
        let Waiting { stop, thread } = self.waiting.take()?;
        // Fails if it is over already.
        let _ = stop.send(());
        thread.join().unwrap_or_else(|_| Some(Err(io::Error::other("putting back panicked"))))
    }
}

impl Act for RollBack {
    fn undo(&self) -> Undo {
        Undo::Forget(self.snapshot.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        let began = Instant::now();
        self.taken = self.snapshot.take()?;
        let (stop, stopped) = mpsc::channel();
        let (snapshot, after) = (self.snapshot.clone(), self.after.saturating_sub(began.elapsed()));
        let thread = thread::spawn(move || match stopped.recv_timeout(after) {
            Err(RecvTimeoutError::Timeout) => Some(snapshot.put_back()),
            _ => None,
        });
        self.waiting = Some(Waiting { stop, thread });
        Ok(())
    }

    /// The harm is still to come.
    fn look(&mut self) -> io::Result<Effect> {
        let evidence = format!("a copy of {} files was taken", self.taken);
        Ok(Effect { observed: false, evidence: vec![evidence] })
    }

    fn last_look(&mut self) -> Effect {
        let age = self.after.as_secs_f64();
        let (observed, told) = match self.end() {
            Some(Ok((changed, told))) => (changed, format!("put back after {age} s: {told}")),
            Some(Err(error)) => (false, format!("not put back: {error}")),
            None => (false, format!("healed before the copy was {age} s old: it was not put back")),
        };
        Effect { observed, evidence: vec![told] }
    }
}

impl Drop for RollBack {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;

    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

    use super::*;

    /// What went from a folder since it was watched, in order.
    fn gone(watch: &rustix::fd::OwnedFd) -> Vec<String> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(watch, &mut buffer);
        let next = || {
            let name = reader.next().ok()?.file_name()?.to_str().ok()?.to_owned();
            Some(name)
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn the_mark_goes_before_the_copy_that_it_stands_for() {
        let folder = tempfile::tempdir().unwrap();
        let [at, copies] = ["data", "copies"].map(|name| folder.path().join(name));
        let session = Session { leader: i32::MAX, started: 0 };
        let snapshot = Snapshot { at: at.clone(), copies: copies.clone(), session };
        fs::create_dir_all(snapshot.copy()).unwrap();
        fs::create_dir(&at).unwrap();
        fs::write(snapshot.copy().join("old"), "old").unwrap();
        fs::write(at.join("new"), "new").unwrap();
        fs::write(snapshot.mark(), "").unwrap();
        let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
        inotify::add_watch(&watch, &copies, WatchFlags::DELETE).unwrap();
        snapshot.forget().unwrap();
        assert_eq!(gone(&watch), ["begun", "copy"]);
        assert!(at.join("old").exists() && !at.join("new").exists() && !copies.exists());
        // Whoever comes again, because nobody noted that it was done, finds nothing to do.
        snapshot.forget().unwrap();
        assert!(at.join("old").exists());
    }
}
