//! A write-ahead log: JSON records, one a line, durable before anybody is told so; or not, for a
//! database that breaks its word when the power fails.
//!
//! Records that arrive while the disk is busy are written and synced together.
//! There is no compaction: a test run is short.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

/// An open log.
pub struct Log {
    records: Sender<(Vec<u8>, oneshot::Sender<()>)>,
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
        let (sender, queue) = channel();
        thread::Builder::new().name("log".into()).spawn(move || write(file, sync, &queue))?;
        Ok((Self { records: sender }, records))
    }

    /// Appends a record, in the order of the calls, and returns when it is on disk, or given away.
    pub async fn append(&self, record: &impl Serialize) {
        let mut line = serde_json::to_vec(record).expect("records have string keys only");
        line.push(b'\n');
        let (written, durable) = oneshot::channel();
        self.records.send((line, written)).expect("the log's thread lives as long as its sender");
        durable.await.expect("the log's thread ends the process when it fails");
    }
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

fn write(mut file: File, sync: bool, queue: &Receiver<(Vec<u8>, oneshot::Sender<()>)>) {
    while let Ok((mut lines, written)) = queue.recv() {
        let mut waiting = vec![written];
        for (line, written) in queue.try_iter() {
            lines.extend(line);
            waiting.push(written);
        }
        // After a failed sync nobody knows what the disk holds, and trying
        // again may succeed without having written anything.
        if let Err(error) =
            file.write_all(&lines).and_then(|()| if sync { file.sync_data() } else { Ok(()) })
        {
            eprintln!("the log cannot be written: {error}");
            std::process::abort();
        }
        for written in waiting {
            let _ = written.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_appended_is_read_back_without_a_torn_end() {
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
        let error = Log::open::<String>(&path, true).err().expect("numbers are no strings");
        assert!(error.to_string().contains("data.log:1:"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
