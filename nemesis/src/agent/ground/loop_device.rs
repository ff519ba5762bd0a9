//! A file as a disk. Nothing is left of a loop device when whoever has it is killed: it frees
//! itself (autoclear) with the last mount or open file.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use super::ioctl;

/// Others may take the same free device at the same time.
const TRIES: usize = 64;
const MISC: u32 = 10;
const CONTROL: u32 = 237;
/// The major number of loop devices.
pub(super) const LOOP: u32 = 7;

/// A loop device with content, for as long as this is open or the device is mounted.
pub(super) struct LoopDevice {
    /// Where it is.
    pub path: PathBuf,
    _device: File,
}

impl LoopDevice {
    /// One whose content is this file.
    pub fn of(image: &Path) -> io::Result<Self> {
        let image = OpenOptions::new().read(true).write(true).open(image)?;
        let told = |error: io::Error| {
            let text = format!("there is no loop device to be had: {error} (modprobe loop)");
            io::Error::new(error.kind(), text)
        };
        let control =
            open(Path::new("/dev/loop-control"), FileType::CharacterDevice, MISC, CONTROL)
                .map_err(told)?;
        for _ in 0..TRIES {
            let number = ioctl::free_loop(&control).map_err(told)?;
            let path = PathBuf::from(format!("/dev/loop{number}"));
            let device = open(&path, FileType::BlockDevice, LOOP, number).map_err(told)?;
            match ioctl::configure_loop(&device, &image) {
                Ok(()) => return Ok(Self { path, _device: device }),
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
                Err(error) => return Err(told(error)),
            }
        }
        Err(told(io::Error::other("each was taken by somebody else")))
    }
}

/// Opens a device. A local node's `/dev` has none that nobody asked for, so it is made there.
fn open(path: &Path, kind: FileType, major: u32, minor: u32) -> io::Result<File> {
    let opened = OpenOptions::new().read(true).write(true).open(path);
    match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match mknodat(CWD, path, kind, Mode::from_raw_mode(0o600), makedev(major, minor)) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            OpenOptions::new().read(true).write(true).open(path)
        }
        opened => opened,
    }
}
