//! Names and attributes: done to the folder below as they were asked for, and owned by who asked.
//!
//! This process is root and has no umask; the kernel has checked permissions and taken the caller's umask
//! off before it asks. So a new file is made as it is wanted and then given to its owner.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{FileAttr, FileType, INodeNo, TimeOrNow};
use rustix::fs::{
    AtFlags, CWD, FileType as Kind, Gid, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps, Uid,
};

use super::folder::{Entry, Folder, Listing};
use super::nodes::Node;

/// Who asks.
#[derive(Clone, Copy)]
pub struct Caller {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// What is to change about a file.
#[derive(Default)]
pub struct Change {
    /// Its permissions.
    pub mode: Option<u32>,
    /// Its owner.
    pub uid: Option<u32>,
    /// Its group.
    pub gid: Option<u32>,
    /// Where it ends.
    pub size: Option<u64>,
    /// When it was read last.
    pub atime: Option<TimeOrNow>,
    /// When it was written last.
    pub mtime: Option<TimeOrNow>,
}

/// A file for the kernel, and what it is told of it.
pub type Named = (Arc<Node>, FileAttr);

impl Folder {
    /// What a name stands for.
    pub fn look_up(&self, parent: u64, name: &OsStr) -> io::Result<Named> {
        let parent = self.nodes.get(parent)?;
        let (node, stat) = match self.is_probe(&parent, name) {
            true => self.nodes.adopt(self.probe()?)?,
            false => self.nodes.look_up(&parent, name)?,
        };
        let attributes = attributes(&stat, node.number);
        Ok((node, attributes))
    }

    /// What a file is like.
    pub fn attributes(&self, node: u64) -> io::Result<FileAttr> {
        let node = self.nodes.get(node)?;
        Ok(attributes(&node.stat()?, node.number))
    }

    /// Changes it.
    pub fn change_attributes(
        &self,
        number: u64,
        open: Option<Arc<File>>,
        change: &Change,
    ) -> io::Result<FileAttr> {
        let node = self.nodes.get(number)?;
        let link = Kind::from_raw_mode(node.stat()?.st_mode) == Kind::Symlink;
        if change.uid.is_some() || change.gid.is_some() {
            let (uid, gid) = (change.uid.map(Uid::from_raw), change.gid.map(Gid::from_raw));
            rustix::fs::chownat(&node, "", uid, gid, AtFlags::EMPTY_PATH)?;
        }
        if let Some(mode) = change.mode {
            rustix::fs::chmod(node.alias(), Mode::from_raw_mode(mode))?;
        }
        if let Some(size) = change.size {
            match open {
                Some(file) => self.cut(number, &file, size)?,
                None => self.cut(number, &node.file()?, size)?,
            }
            self.drop_privileges(number)?;
        }
        if change.atime.is_some() || change.mtime.is_some() {
            let (last_access, last_modification) = (time(change.atime), time(change.mtime));
            let times = Timestamps { last_access, last_modification };
            match link {
                true => rustix::fs::utimensat(&node, "", &times, AtFlags::EMPTY_PATH)?,
                false => rustix::fs::utimensat(CWD, node.alias(), &times, AtFlags::empty())?,
            }
        }
        Ok(attributes(&node.stat()?, number))
    }

    /// A file that somebody writes to is run as nobody else any more.
    pub fn drop_privileges(&self, node: u64) -> io::Result<()> {
        let node = self.nodes.get(node)?;
        let mode = Mode::from_raw_mode(node.stat()?.st_mode);
        let mut lost = Mode::SUID;
        // Without the group's right to run it, this bit means another thing.
        lost.set(Mode::SGID, mode.contains(Mode::XGRP));
        match mode.intersects(lost) {
            true => Ok(rustix::fs::chmod(node.alias(), mode.difference(lost))?),
            false => Ok(()),
        }
    }

    /// Where a symbolic link leads.
    pub fn link_target(&self, node: u64) -> io::Result<Vec<u8>> {
        Ok(rustix::fs::readlinkat(self.nodes.get(node)?, "", Vec::new())?.into_bytes())
    }

    /// Opens a file, and makes it if need be.
    pub fn create(
        &self,
        parent: u64,
        name: &OsStr,
        mode: u32,
        flags: i32,
        caller: Caller,
    ) -> io::Result<(Named, u64)> {
        let parent = self.nodes.get(parent)?;
        let wanted = OFlags::from_bits_retain(flags as u32);
        let new = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | below(wanted);
        let mode = Mode::from_raw_mode(mode);
        let made = match rustix::fs::openat(&parent, name, new, mode) {
            Ok(fd) => self.own(&parent, &fd, mode, caller).map(|()| fd)?,
            Err(rustix::io::Errno::EXIST) if !wanted.contains(OFlags::EXCL) => {
                let there = below(wanted) | (wanted & OFlags::TRUNC) | OFlags::NOFOLLOW;
                rustix::fs::openat(&parent, name, there, Mode::empty())?
            }
            Err(error) => return Err(error.into()),
        };
        let (node, stat) = self.nodes.adopt(alias(&made)?)?;
        let attributes = attributes(&stat, node.number);
        let handle = self.opened(&node, File::from(made))?;
        Ok(((node, attributes), handle))
    }

    /// Opens a file that is there.
    pub fn open(&self, node: u64, flags: i32) -> io::Result<u64> {
        let node = self.nodes.get(node)?;
        let fd = node.open(below(OFlags::from_bits_retain(flags as u32)))?;
        self.opened(&node, File::from(fd))
    }

    /// A new special file, or an ordinary one.
    pub fn make_node(
        &self,
        parent: u64,
        name: &OsStr,
        mode: u32,
        device: u32,
        caller: Caller,
    ) -> io::Result<Named> {
        let folder = self.nodes.get(parent)?;
        let (kind, bits) = (Kind::from_raw_mode(mode), Mode::from_raw_mode(mode));
        rustix::fs::mknodat(&folder, name, kind, bits, u64::from(device))?;
        self.own_name(&folder, name, bits, caller)?;
        self.look_up(parent, name)
    }

    /// A new folder.
    pub fn make_folder(
        &self,
        parent: u64,
        name: &OsStr,
        mode: u32,
        caller: Caller,
    ) -> io::Result<Named> {
        let folder = self.nodes.get(parent)?;
        let mode = Mode::from_raw_mode(mode);
        rustix::fs::mkdirat(&folder, name, mode)?;
        self.own_name(&folder, name, mode, caller)?;
        self.look_up(parent, name)
    }

    /// A new symbolic link.
    pub fn make_link(
        &self,
        parent: u64,
        name: &OsStr,
        target: &Path,
        caller: Caller,
    ) -> io::Result<Named> {
        let folder = self.nodes.get(parent)?;
        rustix::fs::symlinkat(target, &folder, name)?;
        self.own_name(&folder, name, Mode::empty(), caller)?;
        self.look_up(parent, name)
    }

    /// A second name of a file.
    pub fn link(&self, node: u64, parent: u64, name: &OsStr) -> io::Result<Named> {
        let (node, folder) = (self.nodes.get(node)?, self.nodes.get(parent)?);
        rustix::fs::linkat(CWD, node.alias(), &folder, name, AtFlags::SYMLINK_FOLLOW)?;
        self.look_up(parent, name)
    }

    /// Takes a name away; of a folder, with [`AtFlags::REMOVEDIR`].
    pub fn remove(&self, parent: u64, name: &OsStr, flags: AtFlags) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(self.nodes.get(parent)?, name, flags)?)
    }

    /// Another name, or two names exchanged.
    pub fn rename(
        &self,
        from: (u64, &OsStr),
        to: (u64, &OsStr),
        flags: RenameFlags,
    ) -> io::Result<()> {
        let (old, new) = (self.nodes.get(from.0)?, self.nodes.get(to.0)?);
        Ok(rustix::fs::renameat_with(old, from.1, new, to.1, flags)?)
    }

    /// Opens a folder.
    pub fn open_folder(&self, node: u64) -> io::Result<u64> {
        let fd = self.nodes.get(node)?.open(OFlags::RDONLY | OFlags::DIRECTORY)?;
        Ok(self.listed(fd))
    }

    /// What is in it: as it is now when it is read from the beginning, and else as it was then.
    pub fn entries(&self, listing: &Listing, offset: u64) -> io::Result<Arc<Vec<Entry>>> {
        let mut entries = listing.entries.lock().expect("nobody panics holding it");
        if offset == 0 {
            let mut now = Vec::new();
            for entry in rustix::fs::Dir::read_from(&listing.fd)? {
                let entry = entry?;
                let name = std::os::unix::ffi::OsStringExt::from_vec(
                    entry.file_name().to_bytes().to_vec(),
                );
                now.push(Entry { inode: entry.ino(), kind: entry.file_type(), name });
            }
            *entries = Arc::new(now);
        }
        Ok(entries.clone())
    }

    /// Gives a new file to its owner.
    fn own(&self, parent: &Node, file: &OwnedFd, mode: Mode, caller: Caller) -> io::Result<()> {
        rustix::fs::fchown(file, Some(Uid::from_raw(caller.uid)), group(parent, caller)?)?;
        // Changing the owner has taken these off.
        match mode.intersects(Mode::SUID | Mode::SGID) {
            true => Ok(rustix::fs::fchmod(file, mode)?),
            false => Ok(()),
        }
    }

    fn own_name(&self, parent: &Node, name: &OsStr, mode: Mode, caller: Caller) -> io::Result<()> {
        let owner = Some(Uid::from_raw(caller.uid));
        let group = group(parent, caller)?;
        rustix::fs::chownat(parent, name, owner, group, AtFlags::SYMLINK_NOFOLLOW)?;
        match mode.intersects(Mode::SUID | Mode::SGID) {
            true => Ok(rustix::fs::chmodat(parent, name, mode, AtFlags::empty())?),
            false => Ok(()),
        }
    }
}

/// The group of a new file: the folder's where that wants it so (the kernel has done that), else the caller's.
fn group(parent: &Node, caller: Caller) -> io::Result<Option<Gid>> {
    let inherits = Mode::from_raw_mode(parent.stat()?.st_mode).contains(Mode::SGID);
    Ok((!inherits).then(|| Gid::from_raw(caller.gid)))
}

/// How a file below is opened for somebody who opens it with these flags here. What is left out is the
/// kernel's business already, or would get in the way: it says where to append, and gives aligned pages.
fn below(wanted: OFlags) -> OFlags {
    let access = match wanted & OFlags::RWMODE {
        OFlags::RDONLY => OFlags::RDONLY,
        _ => OFlags::RDWR,
    };
    access | OFlags::CLOEXEC | OFlags::NONBLOCK
}

/// The same file, as the kernel's numbers stand for it.
fn alias(file: &OwnedFd) -> io::Result<OwnedFd> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    Ok(rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)
}

/// What the kernel is told.
pub fn attributes(stat: &Stat, number: u64) -> FileAttr {
    let time = |seconds: i64, nanoseconds: u64| {
        let fraction = Duration::from_nanos(nanoseconds);
        match u64::try_from(seconds) {
            Ok(after) => UNIX_EPOCH + Duration::from_secs(after) + fraction,
            Err(_) => UNIX_EPOCH - Duration::from_secs(seconds.unsigned_abs()) + fraction,
        }
    };
    FileAttr {
        ino: INodeNo(number),
        size: stat.st_size as u64,
        blocks: stat.st_blocks as u64,
        atime: time(stat.st_atime, stat.st_atime_nsec),
        mtime: time(stat.st_mtime, stat.st_mtime_nsec),
        ctime: time(stat.st_ctime, stat.st_ctime_nsec),
        crtime: UNIX_EPOCH,
        kind: kind(Kind::from_raw_mode(stat.st_mode)),
        perm: (stat.st_mode & 0o7777) as u16,
        nlink: stat.st_nlink as u32,
        uid: stat.st_uid,
        gid: stat.st_gid,
        rdev: stat.st_rdev as u32,
        blksize: stat.st_blksize as u32,
        flags: 0,
    }
}

/// What a file is.
pub fn kind(kind: Kind) -> FileType {
    match kind {
        Kind::Directory => FileType::Directory,
        Kind::Symlink => FileType::Symlink,
        Kind::Fifo => FileType::NamedPipe,
        Kind::Socket => FileType::Socket,
        Kind::CharacterDevice => FileType::CharDevice,
        Kind::BlockDevice => FileType::BlockDevice,
        _ => FileType::RegularFile,
    }
}

fn time(wanted: Option<TimeOrNow>) -> Timespec {
    match wanted {
        None => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
        Some(TimeOrNow::Now) => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW },
        Some(TimeOrNow::SpecificTime(time)) => timespec(time),
    }
}

fn timespec(time: SystemTime) -> Timespec {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => {
            Timespec { tv_sec: after.as_secs() as i64, tv_nsec: i64::from(after.subsec_nanos()) }
        }
        Err(before) => {
            let before = before.duration();
            let up = i64::from(before.subsec_nanos() > 0);
            let nanoseconds = (1_000_000_000 - i64::from(before.subsec_nanos())) % 1_000_000_000;
            Timespec { tv_sec: -(before.as_secs() as i64) - up, tv_nsec: nanoseconds }
        }
    }
}
