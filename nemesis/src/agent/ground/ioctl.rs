//! The requests to the kernel that have no function of their own: loop devices, and filesystems
//! that are frozen or shut down.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

use libc::c_int;

/// linux/loop.h.
const LOOP_CONFIGURE: u64 = 0x4c0a;
const LOOP_CTL_GET_FREE: u64 = 0x4c82;
const AUTOCLEAR: u32 = 4;
/// linux/fs.h.
const FIFREEZE: u64 = 0xc004_5877;
const FITHAW: u64 = 0xc004_5878;
/// `XFS_IOC_GOINGDOWN`, which ext4, f2fs and btrfs have, too.
const SHUTDOWN: u64 = 0x8004_587d;
/// Nothing that is only in memory reaches the disk any more, not even the journal.
const WITHOUT_FLUSH: u32 = 2;

#[repr(C)]
struct LoopInfo {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo,
    reserved: [u64; 8],
}

/// The number of a loop device that nobody uses; another may take it first.
pub(super) fn free_loop(control: &File) -> io::Result<u32> {
    // SAFETY: this request takes no argument.
    let number = unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE as _) };
    u32::try_from(number).map_err(|_| io::Error::last_os_error())
}

/// Makes a file the content of a loop device that frees itself as soon as nobody has it open.
pub(super) fn configure_loop(device: &File, image: &File) -> io::Result<()> {
    // SAFETY: plain numbers, for which zero is a value.
    let mut config: LoopConfig = unsafe { std::mem::zeroed() };
    config.fd = image.as_raw_fd() as u32;
    config.info.flags = AUTOCLEAR;
    config.info.file_name[..8].copy_from_slice(b"tribunal");
    // SAFETY: the structure is the kernel's `struct loop_config`, and outlives the call.
    done(unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CONFIGURE as _, &raw const config) })
}

/// Holds every write to a filesystem back, from now on.
pub(super) fn freeze(folder: &File) -> io::Result<()> {
    with_number(folder.as_raw_fd(), FIFREEZE, 0)
}

/// Lets writes go on. It is an error (`EINVAL`) where none were held back.
pub(super) fn thaw(folder: &File) -> io::Result<()> {
    with_number(folder.as_raw_fd(), FITHAW, 0)
}

/// Cuts a filesystem off from its disk: what has not reached it never will.
pub(super) fn shut_down(folder: &File) -> io::Result<()> {
    with_number(folder.as_raw_fd(), SHUTDOWN, WITHOUT_FLUSH)
}

fn with_number(fd: RawFd, request: u64, number: u32) -> io::Result<()> {
    // SAFETY: these requests take a pointer to a number, which outlives the call.
    done(unsafe { libc::ioctl(fd, request as _, &raw const number) })
}

fn done(returned: c_int) -> io::Result<()> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
