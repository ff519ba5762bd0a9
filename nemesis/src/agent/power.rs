//! The power of a disk fails: what had not reached it is gone, and the daemon with it.
//!
//! The filesystem is cut off from its disk, so that nothing that is only in memory gets there any
//! more; the daemon is killed; then the disk is mounted again, and its journal replayed. What was
//! lost is seen from inside, by two witnesses written just before: one with fsync, one without.
//! That a *name* is gone is never asserted, for a filesystem may keep one whose content it lost.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use tribunal_history::Effect;

use super::act::Act;
use super::ground::{self, Disk, Laid};
use super::journal::Undo;
use super::kill;
use super::processes::Session;

/// What a witness says, over and over.
const WITNESS: &[u8; 16] = b"it was all true\n";
/// So often: more than a filesystem keeps within a file's entry.
const TIMES: usize = 4096;

/// A disk without power.
pub struct PowerOff {
    session: Session,
    laid: Laid,
    seen: Effect,
}

impl PowerOff {
    /// The one under the daemon `pid`.
    pub fn of(pid: u32, laid: Laid) -> io::Result<Self> {
        Ok(Self { session: Session::led_by(pid)?, laid, seen: Effect::default() })
    }
}

impl Act for PowerOff {
    fn undo(&self) -> Undo {
        Undo::PowerOn(self.laid.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        let place = ground::disk_of(&self.laid);
        let disk = Disk::open(&place)?;
        let [synced, unsynced] = ["synced", "unsynced"].map(|name| place.join(name));
        testify(&synced)?.sync_all()?;
        disk.sync()?;
        drop(testify(&unsynced)?);
        disk.shut_down()?;
        drop(disk);
        kill::kill(&self.session)?;
        let began = Instant::now();
        ground::mount_again(&self.laid)?;
        let took = began.elapsed().as_secs_f64() * 1e3;
        let [kept, lost] = [heard(&synced)?, heard(&unsynced)?];
        self.seen = Effect {
            observed: kept == TIMES && lost < TIMES,
            evidence: vec![
                format!(
                    "of {} KiB written without fsync {} are there, of as many with fsync {}",
                    kib(TIMES),
                    kib(lost),
                    kib(kept)
                ),
                format!("the disk was back after {took:.0} ms"),
            ],
        };
        [synced, unsynced].into_iter().try_for_each(forget)
    }

    /// What was seen when the power was back.
    fn look(&mut self) -> io::Result<Effect> {
        Ok(self.seen.clone())
    }
}

/// Gives a disk its power back, where that is still to be done.
pub fn restore(laid: &Laid) -> io::Result<Vec<String>> {
    if !laid.stands()? || ground::is_shut_down(laid) {
        ground::mount_again(laid)?;
    }
    Ok(Vec::new())
}

fn testify(path: &Path) -> io::Result<File> {
    let mut file = File::create(path)?;
    file.write_all(&WITNESS.repeat(TIMES))?;
    Ok(file)
}

/// How often a witness says what it was told.
fn heard(path: &Path) -> io::Result<usize> {
    match fs::read(path) {
        Ok(said) => Ok(said.chunks(WITNESS.len()).filter(|chunk| chunk == WITNESS).count()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn kib(times: usize) -> usize {
    times * WITNESS.len() / 1024
}

fn forget(path: impl AsRef<Path>) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
