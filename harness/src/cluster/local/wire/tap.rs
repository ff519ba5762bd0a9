//! TAP devices: network interfaces whose frames a program of ours carries (Linux,
//! Documentation/networking/tuntap.rst). One lasts as long as its file is open.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::ioctl::{IntegerSetter, Setter, ioctl};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The header that a TAP puts before each frame (`virtio_net_hdr`): what is left to the
/// receiver of checksums and segmentation.
pub const PREFIX: usize = 10;

/// The longest that can come in one go: a segment of 64 KiB that is to be cut later.
pub const LONGEST: usize = PREFIX + (64 << 10) + 64;

// From linux/if_tun.h.
const SET_INTERFACE: u32 = 0x4004_54ca;
const SET_OFFLOAD: u32 = 0x4004_54d0;
const SET_PREFIX_SIZE: u32 = 0x4004_54d8;
/// A TAP without packet information, with the prefix.
const FLAGS: u16 = 0x0002 | 0x1000 | 0x4000;
/// Checksums, and segments of both families, are left to the receiver.
const OFFLOAD: usize = 0x1 | 0x2 | 0x4;
// From linux/sockios.h and linux/if_arp.h.
const SET_ADDRESS: u32 = 0x8924;
const ETHERNET: u16 = 1;

/// `struct ifreq`: a name, and what is asked of it.
#[repr(C)]
struct Request {
    name: [u8; 16],
    asked: [u8; 24],
}

impl Request {
    fn new(name: &str, asked: &[&[u8]]) -> Self {
        let mut request = Self { name: [0; 16], asked: [0; 24] };
        request.name[..name.len()].copy_from_slice(name.as_bytes());
        let asked = asked.concat();
        request.asked[..asked.len()].copy_from_slice(&asked);
        request
    }
}

/// The file behind an interface.
pub struct Tap {
    file: File,
    offload: bool,
}

impl Tap {
    /// Makes an interface of that name in this thread's network namespace. Its
    /// hardware address ends with the number of its port.
    pub fn open(name: &str, port: u8) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file: OwnedFd = rustix::fs::open("/dev/net/tun", flags, Mode::empty())?;
        let interface = Request::new(name, &[&FLAGS.to_ne_bytes()]);
        let address = [2, b't', b'r', b'b', 0, port];
        let address = Request::new(name, &[&ETHERNET.to_ne_bytes(), &address]);
        // SAFETY: each is called with what it takes: an ifreq, or a pointer to an int.
        unsafe {
            ioctl(&file, Setter::<SET_INTERFACE, Request>::new(interface))?;
            ioctl(&file, Setter::<SET_PREFIX_SIZE, i32>::new(PREFIX as i32))?;
            ioctl(&file, Setter::<SET_ADDRESS, Request>::new(address))?;
        }
        let mut tap = Self { file: file.into(), offload: false };
        tap.offload(true);
        Ok(tap)
    }

    /// The same in another namespace.
    pub fn open_in(namespace: &File, name: &str, port: u8) -> io::Result<Self> {
        // A thread of its own: there is no way back from a namespace that is always allowed.
        std::thread::scope(|scope| {
            let made = scope.spawn(|| {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
                Self::open(name, port)
            });
            made.join().expect("opening a TAP does not panic")
        })
    }

    /// Whether the node may leave checksums and segmentation to whoever gets its frames.
    pub fn offload(&mut self, on: bool) {
        if self.offload != on {
            let what = if on { OFFLOAD } else { 0 };
            // SAFETY: it takes flags, and these are some. It fails where the node is gone, which
            // sends nothing any more.
            let _ = unsafe { ioctl(&self.file, IntegerSetter::<SET_OFFLOAD>::new_usize(what)) };
            self.offload = on;
        }
    }

    /// Takes the next frame that the node sends, prefix and all; `None` if there is none.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match (&self.file).read(buffer) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives the node a frame. One that it has no room for is lost, as on any wire.
    pub fn send(&self, frame: &[u8]) -> bool {
        (&self.file).write(frame).is_ok()
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
