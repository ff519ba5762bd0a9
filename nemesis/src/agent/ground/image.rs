//! A disk of our own in a file: a filesystem on a loop device, whose folder `data` is mounted over
//! the database's.
//!
//! ```text
//! HOME/image     the disk's content
//! HOME/disk      where it is mounted: out of the database's sight, witnesses and ballast lie here
//! HOME/disk/data mounted once more, over the database's folder
//! ```
//!
//! It is mounted without barriers: what has reached the file survives, for this
//! machine keeps its power, so nothing need wait for the disk below.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::mount::{MountFlags, mount, mount_bind};
use tribunal_harness::cluster::local::find_program;

use super::loop_device::{self, LoopDevice};
use super::{Laid, ioctl, mounts};
use crate::agent::protocol::{Filesystem, Ground, Image};

/// How a filesystem is made and mounted.
struct Manner {
    kind: &'static str,
    arguments: &'static [&'static str],
    options: &'static str,
}

impl Filesystem {
    fn manner(self) -> Manner {
        match self {
            // No blocks are kept for root, so that a full disk is full; nothing is written to it
            // before it is needed.
            Filesystem::Ext4 => Manner {
                kind: "ext4",
                arguments: &[
                    "-q",
                    "-F",
                    "-m",
                    "0",
                    "-E",
                    "nodiscard,lazy_itable_init=1,lazy_journal_init=1",
                ],
                options: "barrier=0,noinit_itable",
            },
            Filesystem::Xfs => Manner { kind: "xfs", arguments: &["-q", "-f"], options: "nouuid" },
        }
    }
}

/// The file of a ground's disk.
fn image_of(laid: &Laid) -> PathBuf {
    laid.home.join("image")
}

/// Where a ground's disk is mounted.
pub fn disk_of(laid: &Laid) -> PathBuf {
    laid.home.join("disk")
}

fn data_of(laid: &Laid) -> PathBuf {
    disk_of(laid).join("data")
}

/// Makes the disk and mounts it.
pub fn lay(laid: &Laid, image: &Image) -> io::Result<()> {
    // Of an earlier one that could not be lifted to its end.
    lift(laid)?;
    super::remove(&laid.home)?;
    fs::create_dir_all(disk_of(laid))?;
    File::create(image_of(laid))?.set_len(image.size_mb << 20)?;
    make(&image_of(laid), image.filesystem)?;
    mount_disk(laid, image.filesystem)?;
    fs::create_dir(data_of(laid))?;
    // As the folder was that it takes the place of.
    fs::set_permissions(data_of(laid), fs::metadata(&laid.at)?.permissions())?;
    // An install script finds it as if it had made it itself.
    File::open(disk_of(laid))?.sync_all()?;
    bind(laid)
}

fn make(image: &Path, filesystem: Filesystem) -> io::Result<()> {
    let (program, package) = filesystem.maker();
    let Some(path) = find_program(program) else {
        let text = format!("{program} is missing: apt-get install {package}");
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    };
    let output = Command::new(path).args(filesystem.manner().arguments).arg(image).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    Err(io::Error::other(format!("{program} fails: {said}")))
}

/// The root of a disk of ours. What is done to a whole filesystem is done through this, so that it
/// is never done to any other: where nothing is mounted, the folder is part of somebody else's.
pub struct Disk(File);

impl Disk {
    /// The one that is mounted at a place.
    pub fn open(place: &Path) -> io::Result<Self> {
        let absent = || {
            let text = format!("no disk of ours is mounted at {}", place.display());
            io::Error::new(io::ErrorKind::NotFound, text)
        };
        let mount = mounts::at(place)?.ok_or_else(absent)?;
        let folder = File::open(place)?;
        let device = rustix::fs::fstat(&folder)?.st_dev;
        let device = (rustix::fs::major(device), rustix::fs::minor(device));
        let ours = device == mount.device && device.0 == loop_device::LOOP;
        if ours { Ok(Self(folder)) } else { Err(absent()) }
    }

    /// Makes sure that everything has reached it.
    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    /// Holds every write back.
    pub fn freeze(&self) -> io::Result<()> {
        ioctl::freeze(&self.0)
    }

    /// Lets every write go on, however often they were held back.
    pub fn thaw(&self) -> io::Result<()> {
        loop {
            match ioctl::thaw(&self.0) {
                Ok(()) => {}
                // It is not frozen, or not any more.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Cuts it off: what has not reached it never will.
    pub fn shut_down(&self) -> io::Result<()> {
        ioctl::shut_down(&self.0)
    }
}

/// Whether that was done since it was mounted: a filesystem that is cut off takes no new file.
pub fn is_shut_down(laid: &Laid) -> bool {
    let path = disk_of(laid).join("probe");
    let taken = File::create(&path).and_then(|file| file.sync_all());
    let _ = fs::remove_file(path);
    taken.is_err_and(|error| error.raw_os_error() == Some(libc::EIO))
}

/// Unmounts the disk and mounts it again, which replays its journal.
pub fn mount_again(laid: &Laid) -> io::Result<()> {
    let Ground::Image(image) = laid.ground else { return Err(super::missing()) };
    lift(laid)?;
    mount_disk(laid, image.filesystem)?;
    bind(laid)
}

fn mount_disk(laid: &Laid, filesystem: Filesystem) -> io::Result<()> {
    let Manner { kind, options, .. } = filesystem.manner();
    let device = LoopDevice::of(&image_of(laid))?;
    let options = CString::new(options)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount(&device.path, disk_of(laid), kind, flags, options.as_c_str()).map_err(|error| {
        let text = format!("{kind} cannot be mounted at {}: {error}", disk_of(laid).display());
        io::Error::new(io::Error::from(error).kind(), text)
    })
}

fn bind(laid: &Laid) -> io::Result<()> {
    mount_bind(data_of(laid), &laid.at).map_err(|error| {
        let text = format!("nothing can be mounted over {}: {error}", laid.at.display());
        io::Error::new(io::Error::from(error).kind(), text)
    })
}

/// Unmounts all that is mounted of it; users are killed: who they were.
pub fn lift(laid: &Laid) -> io::Result<Vec<String>> {
    let mut killed = Vec::new();
    let Some(disk) = mounts::at(&disk_of(laid))? else { return Ok(killed) };
    // Somebody else's mount over the same folder is none of ours.
    while mounts::at(&laid.at)?.is_some_and(|it| it.device == disk.device) {
        killed.extend(mounts::unmount(&laid.at)?);
    }
    killed.extend(mounts::unmount(&disk_of(laid))?);
    Ok(killed)
}

/// Whether it is mounted in both places.
pub fn stands(laid: &Laid) -> io::Result<bool> {
    let (disk, data) = (mounts::at(&disk_of(laid))?, mounts::at(&laid.at)?);
    Ok(disk.is_some_and(|disk| data.is_some_and(|data| data.device == disk.device)))
}
