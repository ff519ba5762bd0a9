//! What the kernel asks, answered: the [`Folder`] as a filesystem.
//!
//! Nothing is decided here: each method takes a question of the kernel's apart, has the folder do what is asked,
//! and answers. The file is long because the kernel's operations are one trait, and a trait is implemented in one
//! block; no method is. An operation that a rule delays, or that waits for the power, gets a thread of its own, so
//! that whoever serves the others goes on.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, Errno, FileHandle, Filesystem, FopenFlags, Generation, INodeNo, InitFlags,
    KernelConfig, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData,
    ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty, ReplyEntry, ReplyLseek, ReplyOpen, ReplyStatfs,
    ReplyWrite, ReplyXattr, Request, TimeOrNow, Version, WriteFlags,
};
use rustix::fs::{AtFlags, FallocateFlags, SeekFrom, XattrFlags};

use super::folder::{Folder, Open};
use super::names::{Caller, Change, Named, kind};
use super::nodes::ROOT;
use super::rule::{Access, Fate};

/// How long the kernel believes what it was told. Nobody but it changes anything.
const BELIEVED: Duration = Duration::from_secs(1);

/// The most that is written or read in one go.
const MOST: u32 = 1 << 20;

/// Requests of the kernel's own accord (reading ahead, writing back) that may be open at once.
const BACKGROUND: u16 = 64;

/// The first version of the protocol (7.40: Linux 6.9) whose kernels surely ask for a sync after a write to a
/// file that wants each one synced (O_DSYNC); for others it is done here.
const SYNCS_WRITES: Version = Version(7, 40);

/// The filesystem.
pub struct Served {
    folder: Arc<Folder>,
    /// Whether writes to files that want it are synced here.
    syncs_writes: bool,
}

impl Served {
    /// Of a folder.
    pub fn new(folder: Arc<Folder>) -> Self {
        Self { folder, syncs_writes: false }
    }

    /// Does it when the time has come, here or in a thread of its own.
    fn when_due(&self, fate: Fate, work: impl FnOnce(&Folder, &Fate) + Send + 'static) {
        if fate.delay.is_zero() && self.folder.power.is_on() {
            return work(&self.folder, &fate);
        }
        let folder = self.folder.clone();
        thread::spawn(move || {
            thread::sleep(fate.delay);
            work(&folder, &fate);
        });
    }

    /// The open file of a handle, and how an operation on it fares.
    fn fated(&self, handle: FileHandle, access: Access) -> io::Result<(Arc<Open>, Fate)> {
        let open = self.folder.file(handle.0)?;
        let fate = self.folder.fate_of(access, &open);
        Ok((open, fate))
    }

    /// Names are made at once or not at all: a rule can refuse them, and delays nothing.
    fn room_below(&self, parent: INodeNo) -> io::Result<()> {
        let parent = self.folder.nodes.get(parent.0)?;
        self.folder.fate_at(Access::Allocate, &parent).refusal()
    }
}

fn errno(error: io::Error) -> Errno {
    Errno::from_i32(error.raw_os_error().unwrap_or(libc::EIO))
}

fn caller(request: &Request) -> Caller {
    Caller { uid: request.uid(), gid: request.gid() }
}

fn entry(named: io::Result<Named>, reply: ReplyEntry) {
    match named {
        Ok((_, attributes)) => reply.entry(&BELIEVED, &attributes, Generation(0)),
        Err(error) => reply.error(errno(error)),
    }
}

fn done(result: io::Result<()>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(errno(error)),
    }
}

/// How the kernel keeps an open file's pages: as long as it likes, but for a probe's.
fn caching(probe: bool) -> FopenFlags {
    if probe { FopenFlags::FOPEN_DIRECT_IO } else { FopenFlags::FOPEN_KEEP_CACHE }
}

impl Filesystem for Served {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        let wanted = [
            InitFlags::FUSE_DO_READDIRPLUS,
            InitFlags::FUSE_READDIRPLUS_AUTO,
            InitFlags::FUSE_PARALLEL_DIROPS,
            InitFlags::FUSE_ASYNC_DIO,
            InitFlags::FUSE_CACHE_SYMLINKS,
            // Our own writes change a file's times; its pages stay what they are.
            InitFlags::FUSE_EXPLICIT_INVAL_DATA,
            // Else it asks at each write whether the file has privileges to lose.
            InitFlags::FUSE_HANDLE_KILLPRIV_V2,
        ];
        for flag in wanted {
            // What an older kernel has not, it does without.
            let _ = config.add_capabilities(flag);
        }
        self.syncs_writes = config.kernel_abi() < SYNCS_WRITES;
        let _ = config.set_max_write(MOST);
        let _ = config.set_max_readahead(MOST);
        let _ = config.set_max_background(BACKGROUND);
        Ok(())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        entry(self.folder.look_up(parent.0, name), reply);
    }

    fn forget(&self, _: &Request, node: INodeNo, count: u64) {
        self.folder.nodes.forget(node.0, count);
    }

    fn getattr(&self, _: &Request, node: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.folder.attributes(node.0) {
            Ok(attributes) => reply.attr(&BELIEVED, &attributes),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        node: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _: Option<SystemTime>,
        handle: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let change = Change { mode, uid, gid, size, atime, mtime };
        let open = handle.and_then(|handle| self.folder.file(handle.0).ok());
        match self.folder.change_attributes(node.0, open.map(|open| open.file.clone()), &change) {
            Ok(attributes) => reply.attr(&BELIEVED, &attributes),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn readlink(&self, _: &Request, node: INodeNo, reply: ReplyData) {
        match self.folder.link_target(node.0) {
            Ok(target) => reply.data(&target),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        device: u32,
        reply: ReplyEntry,
    ) {
        let made = self
            .room_below(parent)
            .and_then(|()| self.folder.make_node(parent.0, name, mode, device, caller(request)));
        entry(made, reply);
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        let made = self
            .room_below(parent)
            .and_then(|()| self.folder.make_folder(parent.0, name, mode, caller(request)));
        entry(made, reply);
    }

    fn symlink(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        target: &Path,
        reply: ReplyEntry,
    ) {
        let made = self
            .room_below(parent)
            .and_then(|()| self.folder.make_link(parent.0, name, target, caller(request)));
        entry(made, reply);
    }

    fn link(&self, _: &Request, node: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let made = self.room_below(parent).and_then(|()| self.folder.link(node.0, parent.0, name));
        entry(made, reply);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.folder.remove(parent.0, name, AtFlags::empty()), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.folder.remove(parent.0, name, AtFlags::REMOVEDIR), reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let flags = rustix::fs::RenameFlags::from_bits_retain(flags.bits());
        done(self.folder.rename((parent.0, name), (new_parent.0, new_name), flags), reply);
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        flags: i32,
        reply: ReplyCreate,
    ) {
        let made = self
            .room_below(parent)
            .and_then(|()| self.folder.create(parent.0, name, mode, flags, caller(request)));
        match made {
            Ok(((_, attributes), handle)) => {
                let (handle, caching) = (FileHandle(handle), caching(false));
                reply.created(&BELIEVED, &attributes, Generation(0), handle, caching);
            }
            Err(error) => reply.error(errno(error)),
        }
    }

    fn open(&self, _: &Request, node: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let opened = self.folder.open(node.0, flags.0);
        match opened.and_then(|handle| Ok((handle, self.folder.file(handle)?.probe))) {
            Ok((handle, probe)) => reply.opened(FileHandle(handle), caching(probe)),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let (open, fate) = match self.fated(handle, Access::Read) {
            Ok(fated) => fated,
            Err(error) => return reply.error(errno(error)),
        };
        self.when_due(fate, move |folder, fate| {
            match folder.read(&open, offset, size as usize, fate) {
                Ok(bytes) => reply.data(&bytes),
                Err(error) => reply.error(errno(error)),
            }
        });
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        offset: u64,
        bytes: &[u8],
        how: WriteFlags,
        flags: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let (open, fate) = match self.fated(handle, Access::Write) {
            Ok(fated) => fated,
            Err(error) => return reply.error(errno(error)),
        };
        if how.contains(WriteFlags::FUSE_WRITE_KILL_SUIDGID)
            && let Err(error) = self.folder.drop_privileges(open.node)
        {
            return reply.error(errno(error));
        }
        let sync = self.syncs_writes && flags.0 & libc::O_DSYNC != 0;
        let write = move |folder: &Folder, fate: &Fate, bytes: &[u8]| {
            let written = folder.write(&open, offset, bytes, fate).and_then(|()| match sync {
                true => folder.sync(&open, true, &folder.fate_of(Access::Sync, &open)),
                false => Ok(()),
            });
            match written {
                Ok(()) => reply.written(bytes.len() as u32),
                Err(error) => reply.error(errno(error)),
            }
        };
        if fate.delay.is_zero() && self.folder.power.is_on() {
            // The bytes are lent: only what waits needs a copy of them.
            return write(&self.folder, &fate, bytes);
        }
        let bytes = bytes.to_vec();
        self.when_due(fate, move |folder, fate| write(folder, fate, &bytes));
    }

    /// A `close` asks for nothing here; the kernel has written back what it had. It does not ask again.
    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.error(Errno::ENOSYS);
    }

    fn release(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.folder.close(handle.0);
        reply.ok();
    }

    fn fsync(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        only_data: bool,
        reply: ReplyEmpty,
    ) {
        match self.fated(handle, Access::Sync) {
            Ok((open, fate)) => self.when_due(fate, move |folder, fate| {
                done(folder.sync(&open, only_data, fate), reply);
            }),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn opendir(&self, _: &Request, node: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.folder.open_folder(node.0) {
            Ok(handle) => reply.opened(FileHandle(handle), FopenFlags::empty()),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn readdir(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listing = self.folder.listing(handle.0);
        let entries = match listing.and_then(|listing| self.folder.entries(&listing, offset)) {
            Ok(entries) => entries,
            Err(error) => return reply.error(errno(error)),
        };
        for (place, entry) in entries.iter().enumerate().skip(offset as usize) {
            let inode = INodeNo(entry.inode);
            if reply.add(inode, place as u64 + 1, kind(entry.kind), &entry.name) {
                break;
            }
        }
        reply.ok();
    }

    fn readdirplus(
        &self,
        _: &Request,
        node: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        let listing = self.folder.listing(handle.0);
        let entries = match listing.and_then(|listing| self.folder.entries(&listing, offset)) {
            Ok(entries) => entries,
            Err(error) => return reply.error(errno(error)),
        };
        let Ok(own) = self.folder.attributes(node.0) else { return reply.error(Errno::ESTALE) };
        for (place, entry) in entries.iter().enumerate().skip(offset as usize) {
            let (next, name) = (place as u64 + 1, &entry.name);
            // These two are named for the listing's sake: the kernel counts no lookup of them.
            let dots = name == "." || name == "..";
            let found =
                if dots { Ok(own) } else { self.folder.look_up(node.0, name).map(|it| it.1) };
            // One that is gone since is not there any more.
            let Ok(attributes) = found else { continue };
            let inode = INodeNo(entry.inode);
            if reply.add(inode, next, name, &BELIEVED, &attributes, Generation(0)) {
                if !dots {
                    self.folder.nodes.forget(attributes.ino.0, 1);
                }
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        reply: ReplyEmpty,
    ) {
        self.folder.close_listing(handle.0);
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, node: INodeNo, handle: FileHandle, _: bool, reply: ReplyEmpty) {
        let found =
            self.folder.listing(handle.0).and_then(|it| Ok((it, self.folder.nodes.get(node.0)?)));
        let (listing, node) = match found {
            Ok(found) => found,
            Err(error) => return reply.error(errno(error)),
        };
        let fate = self.folder.fate_at(Access::Sync, &node);
        self.when_due(fate, move |_, fate| {
            let synced = fate.refusal().and_then(|()| match fate.lie {
                true => Ok(()),
                false => Ok(rustix::fs::fsync(&listing.fd)?),
            });
            done(synced, reply);
        });
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        match rustix::fs::fstatvfs(self.folder.nodes.root()) {
            Ok(it) => reply.statfs(
                it.f_blocks,
                it.f_bfree,
                it.f_bavail,
                it.f_files,
                it.f_ffree,
                it.f_bsize as u32,
                it.f_namemax as u32,
                it.f_frsize as u32,
            ),
            Err(error) => reply.error(errno(error.into())),
        }
    }

    fn setxattr(
        &self,
        _: &Request,
        node: INodeNo,
        name: &OsStr,
        value: &[u8],
        flags: i32,
        _: u32,
        reply: ReplyEmpty,
    ) {
        let flags = XattrFlags::from_bits_retain(flags as u32);
        let set = self
            .folder
            .nodes
            .get(node.0)
            .and_then(|node| Ok(rustix::fs::setxattr(node.alias(), name, value, flags)?));
        done(set, reply);
    }

    fn getxattr(&self, _: &Request, node: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        let mut value = vec![0; size as usize];
        let got =
            self.folder.nodes.get(node.0).and_then(|node| {
                Ok(rustix::fs::getxattr(node.alias(), name, value.as_mut_slice())?)
            });
        attribute(got, size, &value, reply);
    }

    fn listxattr(&self, _: &Request, node: INodeNo, size: u32, reply: ReplyXattr) {
        let mut names = vec![0; size as usize];
        let got = self
            .folder
            .nodes
            .get(node.0)
            .and_then(|node| Ok(rustix::fs::listxattr(node.alias(), names.as_mut_slice())?));
        attribute(got, size, &names, reply);
    }

    fn removexattr(&self, _: &Request, node: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let removed = self
            .folder
            .nodes
            .get(node.0)
            .and_then(|node| Ok(rustix::fs::removexattr(node.alias(), name)?));
        done(removed, reply);
    }

    fn fallocate(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let mode = FallocateFlags::from_bits_retain(mode as u32);
        match self.fated(handle, Access::Allocate) {
            Ok((open, fate)) => self.when_due(fate, move |folder, fate| {
                done(folder.allocate(&open, mode, offset, length, fate), reply);
            }),
            Err(error) => reply.error(errno(error)),
        }
    }

    /// Where data and holes begin; all else the kernel knows.
    fn lseek(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        offset: i64,
        whence: i32,
        reply: ReplyLseek,
    ) {
        let from = match whence {
            libc::SEEK_DATA => SeekFrom::Data(offset as u64),
            libc::SEEK_HOLE => SeekFrom::Hole(offset as u64),
            _ => return reply.error(Errno::EINVAL),
        };
        let found =
            self.folder.file(handle.0).and_then(|open| Ok(rustix::fs::seek(&*open.file, from)?));
        match found {
            Ok(offset) => reply.offset(offset as i64),
            Err(error) => reply.error(errno(error)),
        }
    }
}

/// Answers with an attribute, or with how long it is.
fn attribute(got: io::Result<usize>, size: u32, value: &[u8], reply: ReplyXattr) {
    match got {
        Ok(length) if size == 0 => reply.size(length as u32),
        Ok(length) => reply.data(&value[..length]),
        Err(error) => reply.error(errno(error)),
    }
}

const _: () = assert!(ROOT == INodeNo::ROOT.0);
