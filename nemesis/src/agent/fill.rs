//! No byte is left on the disk: a file of ours takes them all, and is removed when it is over.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, fstatvfs, statvfs};
use tribunal_history::Effect;

use super::act::Act;
use super::ground::{self, Disk, Laid};
use super::journal::Undo;

/// What a probe tries to write.
const PROBE: usize = 64 << 10;

/// A disk that is full.
pub struct Fill {
    disk: PathBuf,
    ballast: PathBuf,
}

impl Fill {
    /// The disk of this ground; `fault` names its ballast.
    pub fn of(fault: u64, laid: &Laid) -> Self {
        let disk = ground::disk_of(laid);
        Self { ballast: disk.join(format!("ballast-{fault}")), disk }
    }

    /// Takes half of what could not be taken whole, and so on, down to a single block.
    fn take_all(&self) -> io::Result<()> {
        let ballast = File::create(&self.ballast)?;
        let all = fstatvfs(&ballast)?;
        let (block, mut taken) = (all.f_frsize, 0);
        let mut piece = (all.f_bfree * block).max(block);
        loop {
            match fallocate(&ballast, FallocateFlags::empty(), taken, piece) {
                Ok(()) => taken += piece,
                Err(rustix::io::Errno::NOSPC) if piece > block => {
                    piece = (piece / 2).next_multiple_of(block);
                }
                Err(rustix::io::Errno::NOSPC) => return ballast.sync_all(),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Act for Fill {
    fn undo(&self) -> Undo {
        Undo::Empty(self.ballast.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        // Any other disk that were filled would be the node's own.
        Disk::open(&self.disk)?;
        self.take_all()
    }

    /// Somebody else's write: what the database is told.
    fn look(&mut self) -> io::Result<Effect> {
        let (path, size) = (self.disk.join("probe"), fs::metadata(&self.ballast)?.len() >> 20);
        let wrote = File::create(&path).and_then(|mut file| file.write_all(&[1; PROBE]));
        let _ = fs::remove_file(path);
        let said = match &wrote {
            Ok(()) => "goes through".to_owned(),
            Err(error) => format!("is told: {error}"),
        };
        let observed = wrote.is_err_and(|error| error.kind() == io::ErrorKind::StorageFull);
        let evidence =
            format!("{size} MiB are taken away, and a write of {} KiB {said}", PROBE >> 10);
        Ok(Effect { observed, evidence: vec![evidence] })
    }
}

/// Gives the disk its room back.
pub fn empty(ballast: &Path) -> io::Result<Vec<String>> {
    match fs::remove_file(ballast) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    let free = statvfs(ballast.parent().unwrap_or(ballast))?;
    Ok(vec![format!("{} MiB are free again", (free.f_bavail * free.f_frsize) >> 20)])
}
