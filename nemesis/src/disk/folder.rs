//! The folder below, and how its files are read and written by way of here: with the rules that are in force.
//!
//! Everything that has bytes in it goes through [`Folder::read`], [`Folder::write`] and
//! [`Folder::sync`]; names and attributes are in [`super::names`].

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};

use rustix::fs::FallocateFlags;

use super::nodes::{Node, Nodes};
use super::power::Power;
use super::rule::{Access, Asker, Fate, Harm, Layer, Rule, Tally};
use super::unsynced::Unsynced;

/// A name that only agents look up: no listing shows it, and rules without regard to their pattern
/// hold for it, so that an agent can see for itself how the folder's files fare.
pub const PROBE: &str = ".tribunal-probe";

/// A file that somebody has open.
pub struct Open {
    /// Its number as a node.
    pub node: u64,
    /// The file below. Open for writing means for reading as well, to see what a write overwrites.
    pub file: Arc<File>,
    /// Whether it is an agent's probe.
    pub probe: bool,
}

/// What a listing shows.
pub struct Entry {
    /// The file's own number.
    pub inode: u64,
    /// What it is.
    pub kind: rustix::fs::FileType,
    /// Its name.
    pub name: std::ffi::OsString,
}

/// A folder that somebody has open, as it was when they began to list it.
pub struct Listing {
    /// The folder.
    pub fd: OwnedFd,
    /// What is in it; empty before it is asked for.
    pub entries: Mutex<Arc<Vec<Entry>>>,
}

/// Rules at work, by the fault that each is for.
type Layers = Vec<(u64, Arc<Layer>)>;

/// The folder, with all that is known about it and asked of it.
pub struct Folder {
    /// What the kernel knows.
    pub nodes: Nodes,
    /// Where it is, for the patterns of rules.
    path: PathBuf,
    files: RwLock<HashMap<u64, Arc<Open>>>,
    listings: RwLock<HashMap<u64, Arc<Listing>>>,
    handles: AtomicU64,
    layers: RwLock<Arc<Layers>>,
    /// Whether any rule is in force: all else is without them.
    any: AtomicBool,
    /// Whether the power is on.
    pub power: Power,
    /// What a power cut may lose, while a rule wants it known.
    pub unsynced: Mutex<Option<Unsynced>>,
    probe: File,
}

impl Folder {
    /// The one that `root` is a descriptor of.
    pub fn of(root: OwnedFd) -> io::Result<Self> {
        let nodes = Nodes::below(root)?;
        let path = nodes.root().path()?;
        // In memory: an agent's probe must neither cost the database room nor stay behind.
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        let probe = File::from(rustix::fs::memfd_create("tribunal-probe", flags)?);
        // Zeros, to be read.
        probe.set_len(4096)?;
        Ok(Self {
            nodes,
            path,
            files: RwLock::default(),
            listings: RwLock::default(),
            handles: AtomicU64::new(1),
            layers: RwLock::default(),
            any: AtomicBool::new(false),
            power: Power::default(),
            unsynced: Mutex::new(None),
            probe,
        })
    }

    /// A descriptor of the probe.
    pub fn probe(&self) -> io::Result<OwnedFd> {
        Ok(self.probe.try_clone()?.into())
    }

    /// Whether a name is the probe's.
    pub fn is_probe(&self, parent: &Node, name: &OsStr) -> bool {
        parent.number == super::nodes::ROOT && name == PROBE
    }

    // What is open.

    /// A file is open from now on; its handle.
    pub fn opened(&self, node: &Node, file: File) -> io::Result<u64> {
        let probe = rustix::fs::fstat(&self.probe)?;
        let stat = node.stat()?;
        let probe = (probe.st_dev, probe.st_ino) == (stat.st_dev, stat.st_ino);
        let open = Open { node: node.number, file: Arc::new(file), probe };
        Ok(self.keep(&self.files, open))
    }

    /// A folder is open from now on; its handle.
    pub fn listed(&self, fd: OwnedFd) -> u64 {
        self.keep(&self.listings, Listing { fd, entries: Mutex::default() })
    }

    fn keep<T>(&self, all: &RwLock<HashMap<u64, Arc<T>>>, one: T) -> u64 {
        let handle = self.handles.fetch_add(1, Relaxed);
        all.write().expect("nobody panics holding it").insert(handle, Arc::new(one));
        handle
    }

    /// The open file of a handle.
    pub fn file(&self, handle: u64) -> io::Result<Arc<Open>> {
        let files = self.files.read().expect("nobody panics holding it");
        files.get(&handle).cloned().ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))
    }

    /// The open folder of a handle.
    pub fn listing(&self, handle: u64) -> io::Result<Arc<Listing>> {
        let listings = self.listings.read().expect("nobody panics holding it");
        listings.get(&handle).cloned().ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))
    }

    /// It is closed.
    pub fn close(&self, handle: u64) {
        drop(self.files.write().expect("nobody panics holding it").remove(&handle));
    }

    /// It is closed.
    pub fn close_listing(&self, handle: u64) {
        drop(self.listings.write().expect("nobody panics holding it").remove(&handle));
    }

    // Rules.

    /// From now on this rule is in force, under a fault's number.
    pub fn impose(&self, fault: u64, rule: Rule) -> Result<(), String> {
        let volatile = matches!(rule.harm, Harm::Volatile { .. });
        let layer = Arc::new(rule.layer()?);
        if volatile {
            let mut unsynced = self.unsynced.lock().expect("nobody panics holding it");
            unsynced.get_or_insert_default();
        }
        self.change(|layers| {
            layers.retain(|(id, _)| *id != fault);
            layers.push((fault, layer));
        });
        Ok(())
    }

    /// It is not any more; what it did, and whether it had anything to do with reading.
    pub fn lift(&self, fault: u64) -> Option<(Rule, Tally)> {
        let lifted = self.layer(fault)?;
        let left = self.change(|layers| layers.retain(|(id, _)| *id != fault));
        let volatile = |layer: &Layer| matches!(layer.rule().harm, Harm::Volatile { .. });
        if !left.iter().any(|(_, layer)| volatile(layer)) {
            *self.unsynced.lock().expect("nobody panics holding it") = None;
        }
        Some((lifted.rule().clone(), lifted.tally()))
    }

    /// The rule of a fault.
    pub fn layer(&self, fault: u64) -> Option<Arc<Layer>> {
        self.layers().iter().find(|(id, _)| *id == fault).map(|(_, layer)| layer.clone())
    }

    fn layers(&self) -> Arc<Layers> {
        self.layers.read().expect("nobody panics holding it").clone()
    }

    fn change(&self, change: impl FnOnce(&mut Layers)) -> Arc<Layers> {
        let mut layers = self.layers.write().expect("nobody panics holding it");
        let mut changed = Vec::clone(&layers);
        change(&mut changed);
        self.any.store(!changed.is_empty(), Relaxed);
        *layers = Arc::new(changed);
        layers.clone()
    }

    /// What becomes of an operation on a file that is open.
    pub fn fate_of(&self, access: Access, open: &Open) -> Fate {
        let asker = if open.probe { Asker::Agent } else { Asker::Database };
        self.fate(access, asker, || self.nodes.get(open.node).ok()?.path().ok())
    }

    /// What becomes of an operation on a node.
    pub fn fate_at(&self, access: Access, node: &Node) -> Fate {
        self.fate(access, Asker::Database, || node.path().ok())
    }

    fn fate(&self, access: Access, asker: Asker, path: impl Fn() -> Option<PathBuf>) -> Fate {
        let mut fate = Fate::default();
        if !self.any.load(Relaxed) {
            return fate;
        }
        let path = std::cell::LazyCell::new(|| {
            path().and_then(|path| path.strip_prefix(&self.path).ok().map(Path::to_owned))
        });
        for (_, layer) in self.layers().iter() {
            layer.treat(access, asker, || path.as_deref(), &mut fate);
        }
        fate
    }

    // Bytes.

    /// Reads as much as there is, up to `size`.
    pub fn read(&self, open: &Open, offset: u64, size: usize, fate: &Fate) -> io::Result<Vec<u8>> {
        fate.refusal()?;
        self.power.pass(open)?;
        let (mut bytes, mut filled) = (vec![0; size], 0);
        while filled < size {
            match open.file.read_at(&mut bytes[filled..], offset + filled as u64)? {
                0 => break,
                more => filled += more,
            }
        }
        bytes.truncate(filled);
        fate.flip_in(&mut bytes);
        Ok(bytes)
    }

    /// Writes all of it.
    pub fn write(&self, open: &Open, offset: u64, bytes: &[u8], fate: &Fate) -> io::Result<()> {
        fate.refusal()?;
        self.power.pass(open)?;
        let flipped = fate.flip.map(|_| {
            let mut flipped = bytes.to_vec();
            fate.flip_in(&mut flipped);
            flipped
        });
        let bytes = flipped.as_deref().unwrap_or(bytes);
        let mut unsynced = self.unsynced.lock().expect("nobody panics holding it");
        let Some(noted) = unsynced.as_mut() else {
            drop(unsynced);
            return open.file.write_all_at(bytes, offset);
        };
        noted.note(open.node, &open.file, offset, bytes.len() as u64)?;
        let left = self.power.left_of(offset, bytes.len() as u64);
        open.file.write_all_at(&bytes[..left as usize], offset)?;
        drop(unsynced);
        // The power went while this was written: whoever asked will never hear of it, but for an agent.
        if left < bytes.len() as u64 { self.power.pass(open) } else { Ok(()) }
    }

    /// Makes a file's bytes certain.
    pub fn sync(&self, open: &Open, only_data: bool, fate: &Fate) -> io::Result<()> {
        fate.refusal()?;
        self.power.pass(open)?;
        if fate.lie {
            return Ok(());
        }
        let made = self.made();
        if only_data {
            open.file.sync_data()?
        } else {
            open.file.sync_all()?
        }
        self.certain(open.node, made);
        Ok(())
    }

    /// Makes room, or a hole.
    pub fn allocate(
        &self,
        open: &Open,
        mode: FallocateFlags,
        offset: u64,
        length: u64,
        fate: &Fate,
    ) -> io::Result<()> {
        fate.refusal()?;
        self.power.pass(open)?;
        rustix::fs::fallocate(&open.file, mode, offset, length)?;
        if !mode.difference(FallocateFlags::KEEP_SIZE).is_empty() {
            self.certain(open.node, self.made());
        }
        Ok(())
    }

    /// A file's end is elsewhere from now on.
    pub fn cut(&self, node: u64, file: &File, size: u64) -> io::Result<()> {
        let shorter = file.metadata()?.len() > size;
        file.set_len(size)?;
        if shorter {
            self.certain(node, self.made());
        }
        Ok(())
    }

    fn made(&self) -> u64 {
        let unsynced = self.unsynced.lock().expect("nobody panics holding it");
        unsynced.as_ref().map_or(0, Unsynced::made)
    }

    fn certain(&self, node: u64, made: u64) {
        let mut unsynced = self.unsynced.lock().expect("nobody panics holding it");
        if let Some(unsynced) = unsynced.as_mut() {
            unsynced.synced(node, made);
        }
    }
}

impl Fate {
    /// The error it ends with.
    pub fn refusal(&self) -> io::Result<()> {
        self.errno.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))
    }

    fn flip_in(&self, bytes: &mut [u8]) {
        if let Some(drawn) = self.flip
            && !bytes.is_empty()
        {
            let bit = drawn % (bytes.len() as u64 * 8);
            bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
    }
}
