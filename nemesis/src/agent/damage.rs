//! Damage to files at rest: one is cut short, has bits turned round, is lost, or two change places.
//!
//! The daemon is killed first, and finds them so when it is started again. Nothing is healed by
//! itself, for a disk that rots does not heal. Where it is asked for, a copy is kept, and put back if
//! the daemon did not live on what it found; where it did, an old file under a newer database would
//! be another harm.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, chown};
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};
use serde::{Deserialize, Serialize};
use tribunal_generator::{Rng, Seed};
use tribunal_history::Effect;

use super::act;
use super::journal::Undo;
use super::kill;
use super::processes::Session;
use super::protocol::Damage;

/// Bits that are told of one by one.
const TOLD: usize = 4;

/// Where damaged files are, and the copies of how they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Their folder.
    pub at: PathBuf,
    /// The folder of the copies, under the same names; `None` where none are kept.
    pub copies: Option<PathBuf>,
}

impl Kept {
    /// Puts back all that was kept, unless somebody has a file of the folder open; and forgets it.
    pub fn put_back(&self) -> io::Result<Vec<String>> {
        let Some(copies) = &self.copies else { return Ok(Vec::new()) };
        let (mut told, in_use) = (Vec::new(), in_use(&self.at)?);
        for file in files(copies)? {
            if !in_use {
                copy(&copies.join(&file), &self.at.join(&file))?;
            }
            let what = if in_use { "left as it is: the database lives on it" } else { "as it was" };
            told.push(format!("{} is {what}", file.display()));
        }
        fs::remove_dir_all(copies).or_else(absent)?;
        Ok(told)
    }

    fn keep(&self, file: &Path) -> io::Result<()> {
        match &self.copies {
            Some(copies) => copy(&self.at.join(file), &copies.join(file)),
            None => Ok(()),
        }
    }
}

/// Damage that is about to be done.
pub struct Act {
    session: Option<Session>,
    kept: Kept,
    pattern: Pattern,
    damage: Damage,
    seed: u64,
    seen: Effect,
}

impl Act {
    /// To files of the daemon `pid`, or of nobody.
    pub fn of(
        pid: Option<u32>,
        kept: Kept,
        files: &str,
        damage: Damage,
        seed: u64,
    ) -> io::Result<Self> {
        let session = pid.map(Session::led_by).transpose()?;
        let pattern = Pattern::new(files).map_err(io::Error::other)?;
        Ok(Self { session, kept, pattern, damage, seed, seen: Effect::default() })
    }

    /// The files that it may be, each with content.
    fn choice(&self) -> io::Result<Vec<PathBuf>> {
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        let at = &self.kept.at;
        let found = files(at)?.into_iter().filter(|file| {
            self.pattern.matches_path_with(file, options)
                && fs::metadata(at.join(file)).is_ok_and(|it| it.len() > 0)
        });
        let found: Vec<PathBuf> = found.collect();
        if found.is_empty() {
            let (at, pattern) = (at.display(), &self.pattern);
            return Err(io::Error::other(format!("no file with content in {at} is `{pattern}`")));
        }
        Ok(found)
    }

    /// Does it to one of them, or to two; what was done, in words.
    fn harm(&self, found: &[PathBuf], rng: &mut Rng) -> io::Result<String> {
        let file = rng.pick(found);
        let path = self.kept.at.join(file);
        let other =
            if self.damage == Damage::Swap { Some(neighbour(file, found, rng)?) } else { None };
        [Some(file), other].into_iter().flatten().try_for_each(|file| self.kept.keep(file))?;
        let did = match (self.damage, other) {
            (Damage::Swap, Some(other)) => {
                swap(&path, &self.kept.at.join(other))?;
                format!("has changed places with {}", other.display())
            }
            (Damage::Truncate, _) => truncate(&path, rng)?,
            (Damage::Flip { bits }, _) => flip(&path, bits, rng)?,
            (Damage::Lose | Damage::Swap, _) => {
                fs::remove_file(&path)?;
                "is gone".to_owned()
            }
        };
        Ok(format!("{} {did}", file.display()))
    }
}

impl act::Act for Act {
    fn undo(&self) -> Undo {
        Undo::PutBack(self.kept.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        if let Some(session) = &self.session {
            kill::kill(session)?;
        }
        let mut rng = Seed(self.seed).stream("damage");
        let told = self.harm(&self.choice()?, &mut rng)?;
        self.seen = Effect { observed: true, evidence: vec![told] };
        Ok(())
    }

    /// What was done: it was looked at then, for the daemon may write over it.
    fn look(&mut self) -> io::Result<Effect> {
        Ok(self.seen.clone())
    }
}

/// Every regular file in a folder and below, in order, by its path from there.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut ahead) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(inner) = ahead.pop() {
        let entries = match fs::read_dir(folder.join(&inner)) {
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && inner.as_os_str().is_empty() =>
            {
                break;
            }
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let (path, kind) = (inner.join(entry.file_name()), entry.file_type()?);
            if kind.is_dir() {
                ahead.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether some process has a file below a folder open.
fn in_use(folder: &Path) -> io::Result<bool> {
    let folder = folder.canonicalize()?;
    let below =
        |link: fs::DirEntry| fs::read_link(link.path()).is_ok_and(|it| it.starts_with(&folder));
    for process in fs::read_dir("/proc")? {
        // One that ended, or that is no process, has nothing open.
        let Ok(links) = fs::read_dir(process?.path().join("fd")) else { continue };
        if links.flatten().any(below) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Another file of the same folder, of the same kind by its name's end if there is any.
fn neighbour<'f>(file: &Path, found: &'f [PathBuf], rng: &mut Rng) -> io::Result<&'f PathBuf> {
    let beside = |it: &&PathBuf| *it != file && it.parent() == file.parent();
    let beside: Vec<&PathBuf> = found.iter().filter(beside).collect();
    let alike: Vec<&PathBuf> =
        beside.iter().copied().filter(|it| it.extension() == file.extension()).collect();
    let choice = if alike.is_empty() { beside } else { alike };
    if choice.is_empty() {
        let text = format!("{} has no other file beside it to change places with", file.display());
        return Err(io::Error::other(text));
    }
    let drawn: &&PathBuf = rng.pick(&choice[..]);
    Ok(drawn)
}

fn swap(one: &Path, other: &Path) -> io::Result<()> {
    let before = fs::metadata(one)?.ino();
    let exchange = rustix::fs::RenameFlags::EXCHANGE;
    rustix::fs::renameat_with(rustix::fs::CWD, one, rustix::fs::CWD, other, exchange)?;
    if fs::metadata(other)?.ino() == before {
        Ok(())
    } else {
        Err(io::Error::other("they have not"))
    }
}

fn truncate(path: &Path, rng: &mut Rng) -> io::Result<String> {
    let file = OpenOptions::new().write(true).open(path)?;
    let (before, after) = (file.metadata()?.len(), rng.below(file.metadata()?.len()));
    file.set_len(after)?;
    file.sync_all()?;
    Ok(format!("has {} of {before} bytes left", fs::metadata(path)?.len()))
}

/// Turns bits round, no two of them in one byte unless there are more bits than bytes.
fn flip(path: &Path, bits: u64, rng: &mut Rng) -> io::Result<String> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = std::collections::BTreeSet::new();
    while (bytes.len() as u64) < bits.min(size) {
        bytes.insert(rng.below(size));
    }
    for &at in &bytes {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at)?;
        let turned = byte[0] ^ (1 << rng.below(8));
        file.write_all_at(&[turned], at)?;
        file.read_exact_at(&mut byte, at)?;
        if byte[0] != turned {
            return Err(io::Error::other(format!("byte {at} does not stay turned round")));
        }
    }
    file.sync_all()?;
    let told: Vec<String> = bytes.iter().take(TOLD).map(ToString::to_string).collect();
    let more = if bytes.len() > TOLD { ", .." } else { "" };
    let told = told.join(", ");
    Ok(format!("has a bit turned round in {} of {size} bytes, at {told}{more}", bytes.len()))
}

/// A file with its owner and its rights.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to.parent().unwrap_or(Path::new("/")))?;
    fs::copy(from, to)?;
    let owner = fs::metadata(from)?;
    chown(to, Some(owner.uid()), Some(owner.gid()))?;
    File::open(to)?.sync_all()
}

fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
