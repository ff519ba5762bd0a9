//! What is laid under a database's data, so that harm can be done to its disk.
//!
//! Ground is no harm: the database is started on it and lives on it. So it goes
//! by other rules. It is laid before the database is there, under a fault number
//! of its own ([`GROUND`]), with its undo in the journal like everybody's; but it
//! is not undone when harms are, for that would end a database that is fine. It is
//! lifted when its controller says so, or when its controller is lost for certain:
//!
//! - A killed agent's successor of the same controller (the same tenant) adopts it;
//!   an agent of anybody else, or `tribunal heal`, lifts it at once.
//! - An agent whose input closes cannot tell a dead controller from a torn line. It
//!   undoes its harms and leaves; its guard waits for a successor for the length of
//!   a lease, and lifts the ground if there is none.
//! - An agent that has heard nothing for the length of a lease lifts it itself.
//!
//! Whoever still uses ground that is lifted is killed: it is the database of a run
//! that is over.

pub(super) mod fuse;
mod image;
mod ioctl;
mod loop_device;
pub(super) mod mounts;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tribunal_history::Effect;

use super::act::Act;
use super::journal::Undo;
use super::protocol::Ground;

pub(super) use image::{Disk, disk_of, is_shut_down, mount_again};

/// The number under which ground is held; no schedule reaches it.
pub const GROUND: u64 = u64::MAX;

/// Ground, where it is and whose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Laid {
    /// Which kind.
    pub ground: Ground,
    /// The folder that it lies under: no symbolic link leads there.
    pub at: PathBuf,
    /// A folder of the agent's that is this ground's alone.
    pub home: PathBuf,
    /// The controller that wanted it, by a word that is nobody else's.
    pub tenant: String,
}

impl Laid {
    /// Lays it.
    pub(super) fn lay(&self) -> io::Result<()> {
        match &self.ground {
            Ground::Image(disk) => image::lay(self, disk),
            Ground::Fuse => fuse::lay(self),
        }
    }

    /// Takes it away, whatever there is of it; what was done, in words.
    pub(super) fn lift(&self) -> io::Result<Vec<String>> {
        let killed = match &self.ground {
            Ground::Image(_) => image::lift(self)?,
            Ground::Fuse => fuse::lift(self)?,
        };
        remove(&self.home)?;
        // An empty folder that was only there to be mounted on; not, where the database left some.
        let _ = fs::remove_dir(&self.at);
        Ok(killed.into_iter().map(|process| format!("{process} still used it: killed")).collect())
    }

    /// Whether all of it is there.
    pub(super) fn stands(&self) -> io::Result<bool> {
        match &self.ground {
            Ground::Image(_) => image::stands(self),
            Ground::Fuse => fuse::stands(self),
        }
    }
}

/// Whoever needs ground says so with this.
pub(super) fn missing() -> io::Error {
    let text = "there is no disk of ours under the data of this node: use this fault in a run";
    io::Error::other(text)
}

/// Ground that is about to be laid.
pub(super) struct Lay(Laid);

impl Lay {
    /// Under the folder `at`, which is made where it is missing.
    pub fn under(at: &Path, ground: Ground, tenant: String, directory: &Path) -> io::Result<Self> {
        let within =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", at.display()));
        fs::create_dir_all(at).map_err(within)?;
        let at = at.canonicalize().map_err(within)?;
        Ok(Self(Laid { ground, at, home: directory.canonicalize()?.join("ground"), tenant }))
    }
}

impl Act for Lay {
    fn undo(&self) -> Undo {
        Undo::Lift(self.0.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        self.0.lay()
    }

    fn look(&mut self) -> io::Result<Effect> {
        let observed = self.0.stands()?;
        Ok(Effect { observed, evidence: vec![self.0.at.display().to_string()] })
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io::Error::new(error.kind(), format!("{}: {error}", folder.display())))
        }
        _ => Ok(()),
    }
}
