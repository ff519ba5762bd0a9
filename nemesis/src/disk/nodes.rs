//! What the kernel knows of the folder: a number for each file that it has looked up, and what
//! stands behind it.
//!
//! Behind a number is an open descriptor of the file itself (`O_PATH`) and not its path, so it stays the
//! same file whatever it is renamed to, and after it was unlinked. It is let go when the
//! kernel forgets the number.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustix::fs::{Mode, OFlags, Stat, fstat, openat};

/// The folder itself.
pub const ROOT: u64 = 1;

/// Numbers from here on are given where a file's own is taken by one of another filesystem.
const FOREIGN: u64 = 1 << 62;

/// One file, folder or link.
pub struct Node {
    fd: OwnedFd,
    /// Its number.
    pub number: u64,
}

impl Node {
    /// What the filesystem below says of it.
    pub fn stat(&self) -> io::Result<Stat> {
        Ok(fstat(&self.fd)?)
    }

    /// Opens it, or an alias of it.
    pub fn open(&self, flags: OFlags) -> io::Result<OwnedFd> {
        Ok(rustix::fs::open(self.alias(), flags | OFlags::CLOEXEC, Mode::empty())?)
    }

    /// Opens it for reading and writing.
    pub fn file(&self) -> io::Result<File> {
        self.open(OFlags::RDWR).map(File::from)
    }

    /// A path that leads to it, whatever its name is now: for calls that take no descriptor.
    pub fn alias(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.fd.as_raw_fd()).into()
    }

    /// Where it is, as far as the kernel can tell.
    pub fn path(&self) -> io::Result<PathBuf> {
        std::fs::read_link(self.alias())
    }
}

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// All that the kernel knows.
pub struct Nodes {
    root: Arc<Node>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    by_number: HashMap<u64, Lookups>,
    /// By device and inode.
    by_identity: HashMap<(u64, u64), u64>,
    foreign: u64,
}

struct Lookups {
    node: Arc<Node>,
    identity: (u64, u64),
    /// How many answers named it that the kernel has not forgotten.
    count: u64,
}

impl Nodes {
    /// Of the folder that `root` is a descriptor of.
    pub fn below(root: OwnedFd) -> io::Result<Self> {
        let stat = fstat(&root)?;
        let root = Arc::new(Node { fd: root, number: ROOT });
        let identity = (stat.st_dev, stat.st_ino);
        let mut known = Known::default();
        // The kernel never forgets the root.
        known.by_number.insert(ROOT, Lookups { node: root.clone(), identity, count: 1 });
        known.by_identity.insert(identity, ROOT);
        Ok(Self { root, known: Mutex::new(known) })
    }

    /// The folder itself.
    pub fn root(&self) -> &Arc<Node> {
        &self.root
    }

    /// The one of this number.
    pub fn get(&self, number: u64) -> io::Result<Arc<Node>> {
        let known = self.known.lock().expect("nobody panics holding it");
        let found = known.by_number.get(&number).map(|lookups| lookups.node.clone());
        // ESTALE: the kernel asks for what it has forgotten.
        found.ok_or_else(|| io::Error::from_raw_os_error(libc::ESTALE))
    }

    /// Every number the kernel may have something cached of.
    pub fn numbers(&self) -> Vec<u64> {
        self.known.lock().expect("nobody panics holding it").by_number.keys().copied().collect()
    }

    /// Looks a name up, for an answer to the kernel.
    pub fn look_up(&self, parent: &Node, name: &OsStr) -> io::Result<(Arc<Node>, Stat)> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        self.adopt(openat(parent, name, flags, Mode::empty())?)
    }

    /// The same for a file that is open already.
    pub fn adopt(&self, fd: OwnedFd) -> io::Result<(Arc<Node>, Stat)> {
        let stat = fstat(&fd)?;
        let identity = (stat.st_dev, stat.st_ino);
        let mut known = self.known.lock().expect("nobody panics holding it");
        if let Some(number) = known.by_identity.get(&identity).copied()
            && let Some(lookups) = known.by_number.get_mut(&number)
        {
            lookups.count += 1;
            return Ok((lookups.node.clone(), stat));
        }
        let number = match stat.st_ino {
            own if own > ROOT && own < FOREIGN && !known.by_number.contains_key(&own) => own,
            _ => {
                known.foreign += 1;
                FOREIGN + known.foreign
            }
        };
        let node = Arc::new(Node { fd, number });
        known.by_number.insert(number, Lookups { node: node.clone(), identity, count: 1 });
        known.by_identity.insert(identity, number);
        Ok((node, stat))
    }

    /// The kernel has forgotten so many answers.
    pub fn forget(&self, number: u64, count: u64) {
        let mut known = self.known.lock().expect("nobody panics holding it");
        let Some(lookups) = known.by_number.get_mut(&number) else { return };
        lookups.count = lookups.count.saturating_sub(count);
        if lookups.count == 0 && number != ROOT {
            let identity = lookups.identity;
            known.by_number.remove(&number);
            known.by_identity.remove(&identity);
        }
    }
}
