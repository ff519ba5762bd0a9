//! The newest snapshot, in a file of its own: the whole of it, or the one before.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::types::{Snapshot, SnapshotMeta};

/// Where the snapshot is.
#[derive(Clone)]
pub struct SnapshotFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Content {
    meta: SnapshotMeta,
    data: Value,
}

impl SnapshotFile {
    /// The snapshot in `folder`, if there is one yet.
    pub fn new(folder: &Path) -> Self {
        Self { path: folder.join("snapshot.json") }
    }

    /// Reads it.
    pub fn read(&self) -> io::Result<Option<Snapshot>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let Content { meta, data } = serde_json::from_reader(BufReader::new(file))?;
        Ok(Some(Snapshot { meta, snapshot: Box::new(data) }))
    }

    /// Puts a new one in its place, on disk before it returns.
    pub fn write(&self, snapshot: &Snapshot) -> io::Result<()> {
        let content =
            Content { meta: snapshot.meta.clone(), data: Value::clone(&snapshot.snapshot) };
        let beside = self.path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(&content)?)?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.path)?;
        match self.path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}
