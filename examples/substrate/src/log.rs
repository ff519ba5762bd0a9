//! A write-ahead log: JSON records, one a line, durable before anybody is told so; or not, for a
//! database that breaks its word when the power fails.
//!
//! Records that arrive while the disk is busy are written and synced together.
//! It grows until its owner says what is left of it ([`Log::replace`]).

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

/// An open log.
pub struct Log {
    work: Sender<Work>,
}

/// What the log's thread is asked to do, and who waits until it is done.
struct Work {
    lines: Vec<u8>,
    /// Whether the lines come in the place of all that there was.
    anew: bool,
    done: oneshot::Sender<()>,
}

impl Log {
    /// Opens (or makes) the log at `path` and reads back what it holds. A last
    /// record that was cut off was never acknowledged, and is dropped. Without `sync` records
    /// are left to the operating system, and reach the disk whenever it pleases.
    pub fn open<R: DeserializeOwned>(path: &Path, sync: bool) -> io::Result<(Self, Vec<R>)> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let records = replay(&mut file, path)?;
        // The name itself must survive, too.
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        let (work, queue) = channel();
        let writer = Writer { file, path: path.to_owned(), sync };
        thread::Builder::new().name("log".into()).spawn(move || writer.run(&queue))?;
        Ok((Self { work }, records))
    }

    /// Appends a record, in the order of the calls, and returns when it is on disk, or given away.
    pub async fn append(&self, record: &impl Serialize) {
        self.write(line(record), false).await;
    }

    /// Puts these records in the place of all that were appended before: all of them, or, should
    /// the node die in the middle, none.
    pub async fn replace<R: Serialize>(&self, records: impl IntoIterator<Item = R>) {
        let lines = records.into_iter().flat_map(|record| line(&record)).collect();
        self.write(lines, true).await;
    }

    async fn write(&self, lines: Vec<u8>, anew: bool) {
        let (done, durable) = oneshot::channel();
        let work = Work { lines, anew, done };
        self.work.send(work).expect("the log's thread lives as long as its sender");
        durable.await.expect("the log's thread ends the process when it fails");
    }
}

fn line(record: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(record).expect("records have string keys only");
    line.push(b'\n');
    line
}

fn replay<R: DeserializeOwned>(file: &mut File, path: &Path) -> io::Result<Vec<R>> {
    let content = io::read_to_string(&mut *file)?;
    let whole = content.rfind('\n').map_or(0, |end| end + 1);
    if whole < content.len() {
        file.set_len(whole as u64)?;
        file.sync_all()?;
    }
    let lines = content[..whole].lines().enumerate();
    lines
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|error| {
                let place = format!("{}:{}", path.display(), number + 1);
                io::Error::new(io::ErrorKind::InvalidData, format!("{place}: {error}"))
            })
        })
        .collect()
}

/// The end of the log that has the file.
struct Writer {
    file: File,
    path: PathBuf,
    sync: bool,
}

impl Writer {
    fn run(mut self, queue: &Receiver<Work>) {
        while let Ok(first) = queue.recv() {
            let mut waiting = Vec::new();
            let mut lines = Vec::new();
            let mut anew = false;
            for work in std::iter::once(first).chain(queue.try_iter()) {
                if work.anew {
                    lines.clear();
                    anew = true;
                }
                lines.extend(work.lines);
                waiting.push(work.done);
            }
            // After a failed sync nobody knows what the disk holds, and trying
            // again may succeed without having written anything.
            if let Err(error) = self.write(&lines, anew) {
                eprintln!("the log cannot be written: {error}");
                std::process::abort();
            }
            for done in waiting {
                let _ = done.send(());
            }
        }
    }

    fn write(&mut self, lines: &[u8], anew: bool) -> io::Result<()> {
        if !anew {
            self.file.write_all(lines)?;
            return if self.sync { self.file.sync_data() } else { Ok(()) };
        }
        let beside = self.path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(lines)?;
        if self.sync {
            file.sync_all()?;
        }
        std::fs::rename(&beside, &self.path)?;
        if let Some(folder) = self.path.parent().filter(|_| self.sync) {
            File::open(folder)?.sync_all()?;
        }
        self.file = file;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_appended_is_read_back_without_a_torn_end_or_what_was_replaced() {
        let folder = std::env::temp_dir().join(format!("substrate-log-{}", std::process::id()));
        let path = folder.join("data.log");
        {
            let (log, old) = Log::open::<u32>(&path, true).expect("a new log");
            assert!(old.is_empty());
            tokio::join!(log.append(&1), log.append(&2), log.append(&3));
        }
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"4").unwrap();
        let (log, old) = Log::open::<u32>(&path, true).expect("the same log");
        assert_eq!(old, [1, 2, 3]);
        log.append(&5).await;
        let (_, old) = Log::open::<u32>(&path, true).expect("the same log");
        assert_eq!(old, [1, 2, 3, 5]);
        tokio::join!(log.append(&6), log.replace([3, 5]), log.append(&7));
        log.append(&8).await;
        let (_, old) = Log::open::<u32>(&path, true).expect("the same log");
        assert_eq!(old, [3, 5, 7, 8]);
        let error = Log::open::<String>(&path, true).err().expect("numbers are no strings");
        assert!(error.to_string().contains("data.log:1:"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
