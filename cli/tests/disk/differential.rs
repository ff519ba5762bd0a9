//! Thousands of random operations on the served folder and on a plain one beside it: each fares the same, and in the
//! end both look alike, and so does what is below.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, RenameFlags, SeekFrom, XattrFlags};
use tribunal_generator::{Rng, Seed};

use crate::mounted::Mounted;

const OPERATIONS: usize = 6000;
const NAMES: [&str; 12] = [
    "a",
    "b",
    "c",
    "d",
    "d/a",
    "d/b",
    "d/e",
    "d/e/a",
    "f",
    "f/a",
    "longer-name",
    "d/e/longer-name",
];

/// A folder, and what is open of it.
struct Side {
    root: PathBuf,
    open: Vec<File>,
}

/// What both sides are to do; everything about it is drawn beforehand.
#[derive(Debug)]
enum Doing {
    Open { name: &'static str, flags: i32, append: bool, new: bool },
    Close { which: u64 },
    Write { which: u64, offset: u64, length: u64, byte: u8 },
    Append { which: u64, length: u64, byte: u8 },
    Read { which: u64, offset: u64, length: u64 },
    Map { which: u64, at: u64, byte: u8 },
    Resize { which: u64, size: u64 },
    ResizeNamed { name: &'static str, size: u64 },
    Allocate { which: u64, mode: u32, offset: u64, length: u64 },
    Seek { which: u64, offset: u64 },
    Sync { which: u64 },
    MakeFolder { name: &'static str },
    Remove { name: &'static str, folder: bool },
    Rename { from: &'static str, to: &'static str, flags: u32 },
    Link { from: &'static str, to: &'static str },
    Symlink { target: &'static str, name: &'static str },
    Mode { name: &'static str, mode: u32 },
    Attribute { name: &'static str, value: u8 },
    Look { name: &'static str },
    List { name: &'static str },
}

fn draw(rng: &mut Rng) -> Doing {
    let name = *rng.pick(&NAMES);
    let other = *rng.pick(&NAMES);
    let (which, byte) = (rng.bits(), rng.below(255) as u8 + 1);
    let (offset, length) = (rng.below(20_000), rng.between(1, 9000));
    match rng.below(26) {
        0..3 => {
            let flags =
                [libc::O_RDWR, libc::O_WRONLY, libc::O_RDONLY, libc::O_RDWR | libc::O_TRUNC];
            Doing::Open {
                name,
                flags: *rng.pick(&flags),
                append: rng.below(4) == 0,
                new: rng.below(5) == 0,
            }
        }
        3 => Doing::Close { which },
        4..8 => Doing::Write { which, offset, length, byte },
        8 => Doing::Append { which, length, byte },
        9..12 => Doing::Read { which, offset, length },
        12 => Doing::Map { which, at: offset, byte },
        13 => Doing::Resize { which, size: offset },
        14 => Doing::ResizeNamed { name, size: offset },
        15 => {
            let keep = FallocateFlags::KEEP_SIZE;
            let modes = [
                FallocateFlags::empty(),
                keep,
                keep | FallocateFlags::PUNCH_HOLE,
                FallocateFlags::ZERO_RANGE,
            ];
            Doing::Allocate { which, mode: rng.pick(&modes).bits(), offset, length }
        }
        16 => Doing::Seek { which, offset },
        17 => Doing::Sync { which },
        18 => Doing::MakeFolder { name },
        19 => Doing::Remove { name, folder: rng.below(3) == 0 },
        20 => {
            let flags = [0, 0, RenameFlags::NOREPLACE.bits(), RenameFlags::EXCHANGE.bits()];
            Doing::Rename { from: name, to: other, flags: *rng.pick(&flags) }
        }
        21 => Doing::Link { from: name, to: other },
        22 => Doing::Symlink { target: other, name },
        23 => match rng.below(2) {
            0 => Doing::Mode { name, mode: rng.below(0o1000) as u32 },
            _ => Doing::Attribute { name, value: byte },
        },
        24 => Doing::Look { name },
        _ => Doing::List { name },
    }
}

impl Side {
    fn file(&self, which: u64) -> io::Result<&File> {
        let count = self.open.len().max(1) as u64;
        self.open.get((which % count) as usize).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// What came of it, in words.
    fn perform(&mut self, doing: &Doing) -> io::Result<String> {
        match *doing {
            Doing::Open { name, flags, append, new } => {
                let access = flags & libc::O_ACCMODE;
                let mut options = OpenOptions::new();
                options.read(access != libc::O_WRONLY).mode(0o640);
                options.write(access != libc::O_RDONLY).append(append && access != libc::O_RDONLY);
                let flags = flags & libc::O_TRUNC & if append { 0 } else { !0 };
                options.custom_flags(flags | if new { libc::O_EXCL } else { 0 });
                options.create(access != libc::O_RDONLY);
                let file = options.open(self.at(name))?;
                if file.metadata()?.is_dir() {
                    return Ok("a folder".to_owned());
                }
                if self.open.len() == 8 {
                    self.open.remove(0);
                }
                self.open.push(file);
                Ok("open".to_owned())
            }
            Doing::Close { which } => {
                self.file(which)?;
                let count = self.open.len() as u64;
                self.open.remove((which % count) as usize);
                Ok("closed".to_owned())
            }
            Doing::Write { which, offset, length, byte } => {
                self.file(which)?.write_all_at(&vec![byte; length as usize], offset)?;
                Ok("written".to_owned())
            }
            Doing::Append { which, length, byte } => {
                let mut file = self.file(which)?;
                Ok(format!("{}", io::Write::write(&mut file, &vec![byte; length as usize])?))
            }
            Doing::Read { which, offset, length } => {
                let mut bytes = vec![0; length as usize];
                let read = self.file(which)?.read_at(&mut bytes, offset)?;
                Ok(format!("{read} {:?}", &bytes[..read]))
            }
            Doing::Map { which, at, byte } => map(self.file(which)?, at, byte),
            Doing::Resize { which, size } => {
                self.file(which)?.set_len(size)?;
                Ok("resized".to_owned())
            }
            Doing::ResizeNamed { name, size } => {
                let file = OpenOptions::new().write(true).open(self.at(name))?;
                file.set_len(size)?;
                Ok("resized".to_owned())
            }
            Doing::Allocate { which, mode, offset, length } => {
                let mode = FallocateFlags::from_bits_retain(mode);
                rustix::fs::fallocate(self.file(which)?, mode, offset, length)?;
                Ok("allocated".to_owned())
            }
            Doing::Seek { which, offset } => {
                // Where holes are is the filesystem's own business; that the end is one is not.
                let file = self.file(which)?;
                rustix::fs::seek(file, SeekFrom::Hole(offset))?;
                rustix::fs::seek(file, SeekFrom::Start(offset))?;
                Ok("found".to_owned())
            }
            Doing::Sync { which } => {
                self.file(which)?.sync_all()?;
                Ok("synced".to_owned())
            }
            Doing::MakeFolder { name } => {
                std::fs::create_dir(self.at(name))?;
                Ok("made".to_owned())
            }
            Doing::Remove { name, folder } => {
                match folder {
                    true => std::fs::remove_dir(self.at(name))?,
                    false => std::fs::remove_file(self.at(name))?,
                }
                Ok("removed".to_owned())
            }
            Doing::Rename { from, to, flags } => {
                let (from, to) = (self.at(from), self.at(to));
                let flags = RenameFlags::from_bits_retain(flags);
                rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, flags)?;
                Ok("renamed".to_owned())
            }
            Doing::Link { from, to } => {
                std::fs::hard_link(self.at(from), self.at(to))?;
                Ok("linked".to_owned())
            }
            Doing::Symlink { target, name } => {
                symlink(target, self.at(name))?;
                Ok("linked".to_owned())
            }
            Doing::Mode { name, mode } => {
                std::fs::set_permissions(self.at(name), PermissionsExt::from_mode(mode))?;
                Ok("changed".to_owned())
            }
            Doing::Attribute { name, value } => {
                let flags = XattrFlags::empty();
                rustix::fs::setxattr(self.at(name), "user.value", &[value; 40], flags)?;
                Ok("set".to_owned())
            }
            Doing::Look { name } => Ok(look(&self.at(name))?),
            Doing::List { name } => {
                let listed = std::fs::read_dir(self.at(name))?;
                let mut names: Vec<_> = listed.map(|it| it.unwrap().file_name()).collect();
                names.sort();
                Ok(format!("{names:?}"))
            }
        }
    }
}

/// Writes a byte through a shared mapping, and reads the page that way.
fn map(file: &File, at: u64, byte: u8) -> io::Result<String> {
    let length = file.metadata()?.len();
    if at >= length {
        return Ok("beyond".to_owned());
    }
    let page = at / 4096 * 4096;
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
    let fd = std::os::fd::AsRawFd::as_raw_fd(file);
    // SAFETY: a new mapping at a place that the kernel chooses, of a page that begins within the file.
    let place =
        unsafe { libc::mmap(std::ptr::null_mut(), 4096, protection, flags, fd, page as i64) };
    if place == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: 4096 bytes are mapped there, writable, for as long as this lasts, and nobody cuts the file meanwhile.
    let mapped = unsafe { std::slice::from_raw_parts_mut(place.cast::<u8>(), 4096) };
    mapped[(at - page) as usize] = byte;
    let seen = format!("{:?}", &mapped[..(length - page).min(4096) as usize]);
    // SAFETY: the mapping from above, and no reference into it lives any more.
    unsafe { libc::munmap(place, 4096) };
    Ok(seen)
}

/// A file's attributes and content, as far as they are its own and not its filesystem's.
fn look(path: &Path) -> io::Result<String> {
    let it = path.symlink_metadata()?;
    let mut text = format!("{:o} {}:{} {} links", it.mode(), it.uid(), it.gid(), it.nlink());
    if it.is_symlink() {
        let _ = write!(text, " to {:?}", std::fs::read_link(path)?);
    } else if it.is_file() {
        let mut value = [0; 64];
        let attribute = rustix::fs::getxattr(path, "user.value", &mut value);
        let _ = write!(
            text,
            " {:?} {:?}",
            attribute.map(|length| value[..length].to_vec()),
            std::fs::read(path)?
        );
    }
    Ok(text)
}

/// All that is below a folder.
fn tree(root: &Path, path: &Path, lines: &mut Vec<String>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(path).unwrap().map(|it| it.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        let name = entry.strip_prefix(root).unwrap();
        // How many links a folder has is its filesystem's business.
        let folder = entry.symlink_metadata().unwrap().is_dir();
        let like = if folder { "a folder".to_owned() } else { look(&entry).unwrap() };
        lines.push(format!("{}: {like}", name.display()));
        if folder {
            tree(root, &entry, lines);
        }
    }
}

pub fn random_operations_fare_as_on_a_plain_folder() {
    let Some(mounted) = Mounted::new() else { return };
    let plain = mounted.beside("plain");
    let seed: u64 = std::env::var("SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(1);
    let mut rng = Seed(seed).stream("disk");
    let mut one = Side { root: mounted.data(), open: Vec::new() };
    let mut other = Side { root: plain.clone(), open: Vec::new() };
    let mut succeeded = 0;
    for number in 0..OPERATIONS {
        let doing = draw(&mut rng);
        let plainly = other.perform(&doing);
        let served = one.perform(&doing);
        succeeded += usize::from(plainly.is_ok());
        let told = |result: io::Result<String>| result.map_err(|error| error.raw_os_error());
        let (served, plainly) = (told(served), told(plainly));
        assert_eq!(served, plainly, "seed {seed}, operation {number}: {doing:?}");
    }
    assert!(succeeded > OPERATIONS / 3, "{succeeded} of {OPERATIONS} succeeded");
    let expected = all(&plain);
    assert!(expected.len() > 5, "{expected:?}");
    assert_same(&all(&mounted.data()), &expected, seed);
    // What is written through mappings is below as soon as it is synced.
    for file in &one.open {
        file.sync_all().unwrap();
    }
    drop(one);
    assert_same(&all(&mounted.below()), &expected, seed);
}

fn all(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    tree(root, root, &mut lines);
    lines
}

fn assert_same(seen: &[String], expected: &[String], seed: u64) {
    for (seen, expected) in seen.iter().zip(expected) {
        assert_eq!(seen, expected, "seed {seed}");
    }
    assert_eq!(seen.len(), expected.len(), "seed {seed}");
}
