//! A bad disk: a filesystem in user space (FUSE) between a database and its folder, which does what a disk does,
//! and on request what a failing one does.
//!
//! [`serve`] opens a folder, mounts itself over it and serves it, in a process of its own that outlives the
//! agent. Without rules it only passes on what is asked. The kernel's page cache is used as on any
//! filesystem, so mappings work, shared ones, too; and writes go through it at once, so that a database sees a
//! failing write where it writes.
//!
//! It keeps nothing that the folder has not: whatever ends this process, the folder below is whole, and is
//! there again as soon as the dead mount is taken away.

mod control;
mod filesystem;
mod folder;
mod names;
mod nodes;
mod power;
mod rule;
mod unsynced;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;

use fuser::{Config, Session, SessionACL};
use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, mount};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

pub use control::{Line, Reply, Request};
pub use folder::PROBE;
pub use power::Torn;
pub use rule::{Access, Harm, Rule, Tally};
pub use unsynced::{Lost, Order};

/// What the kernel needs for it.
pub const DEVICE: &str = "/dev/fuse";
/// What the mount is called in the kernel's tables.
pub const SOURCE: &str = "tribunal-disk";
/// What kind of filesystem it says that it is.
pub const KIND: &str = "fuse.tribunal";
/// What this process says when it serves.
pub const READY: &str = "ready";

/// How many of the kernel's requests are served at once.
const THREADS: usize = 4;

/// Mounts over `folder` and serves it until it is unmounted, and agents on `socket` meanwhile. Says [`READY`]
/// on standard output as soon as it does.
pub fn serve(folder: &Path, socket: &Path) -> io::Result<()> {
    let within =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
    // Away from the agent's session, and from its umask: what ends that must not end this.
    let _ = rustix::process::setsid();
    crate::agent::hold_signals();
    umask(Mode::empty());
    allow_many_files();
    // Opened before it is covered: from here on this is the way to what is below.
    let root =
        rustix::fs::open(folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let served = Arc::new(folder::Folder::of(root.map_err(io::Error::from).map_err(within)?)?);
    let _ = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket)?;
    let kernel = cover(folder).map_err(within)?;
    let mut config = Config::default();
    config.acl = SessionACL::All;
    config.n_threads = Some(THREADS);
    let filesystem = filesystem::Served::new(served.clone());
    let session = Session::from_fd(filesystem, kernel, SessionACL::All, config)?;
    // Whoever wanted it may have changed their mind meanwhile, and found nothing to unmount.
    if !socket.exists() {
        rustix::mount::unmount(folder, rustix::mount::UnmountFlags::DETACH)?;
        return Ok(());
    }
    control::listen(listener, served, session.notifier());
    let mut out = io::stdout().lock();
    writeln!(out, "{READY}").and_then(|()| out.flush())?;
    drop(out);
    let served = session.run();
    let _ = std::fs::remove_file(socket);
    served
}

/// Mounts over the folder; what the kernel asks comes from the descriptor.
///
/// The mount is made here and not by a helper such as `fusermount3`: a node needs no package for it.
fn cover(folder: &Path) -> io::Result<OwnedFd> {
    let device = OFlags::RDWR | OFlags::CLOEXEC;
    let device = rustix::fs::open(DEVICE, device, Mode::empty()).map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(error.kind(), format!("{DEVICE}: {error}"))
    })?;
    let options = format!(
        "fd={},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
        device.as_raw_fd()
    );
    let options = std::ffi::CString::new(options).expect("no NUL in it");
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount(SOURCE, folder, KIND, flags, options.as_c_str())?;
    Ok(device)
}

/// A descriptor for each file that the kernel has looked up, and one for each that is open.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    // Root may raise the hard limit, too, as far as the kernel goes.
    if let Ok(most) = std::fs::read_to_string("/proc/sys/fs/nr_open")
        && let Ok(most) = most.trim().parse()
    {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: Some(most) });
    }
}

/// Whether this machine can do it at all; the error says what is missing.
pub fn available() -> Result<(), String> {
    let opened = File::options().read(true).write(true).open(DEVICE);
    opened.map(drop).map_err(|error| format!("{DEVICE}: {error}"))
}
