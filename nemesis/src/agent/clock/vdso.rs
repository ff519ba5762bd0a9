//! The vDSO of another process: where its clock functions are, and where there
//! is room behind them.
//!
//! The image is read from the target itself, not from this process: a kernel
//! maps other images into other kinds of processes.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;

/// A function of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// From the start of the image.
    pub offset: usize,
    /// In bytes.
    pub size: usize,
}

/// A process' memory and the vDSO in it.
pub struct Vdso {
    memory: File,
    /// Where it is mapped.
    pub base: u64,
    /// The whole mapping.
    pub image: Vec<u8>,
}

impl Vdso {
    /// Reads the vDSO of `pid`.
    pub fn of(pid: i32) -> io::Result<Self> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let line = maps.lines().find(|line| line.ends_with("[vdso]"));
        let range = line.and_then(|line| line.split(' ').next()?.split_once('-'));
        let bounds = range.and_then(|(from, to)| {
            Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?))
        });
        let (base, end) = bounds.ok_or_else(|| io::Error::other("it has no vDSO"))?;
        let memory = OpenOptions::new().read(true).write(true).open(format!("/proc/{pid}/mem"))?;
        let mut image = vec![0; (end - base) as usize];
        memory.read_exact_at(&mut image, base)?;
        if !image.starts_with(b"\x7fELF\x02\x01") {
            return Err(io::Error::other("its vDSO is not a 64-bit ELF image"));
        }
        Ok(Self { memory, base, image })
    }

    /// Writes into the mapping; the process gets a page of its own.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) -> io::Result<()> {
        self.memory.write_all_at(bytes, self.base + offset as u64)?;
        self.image[offset..offset + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    /// Reads another place of the process' memory.
    pub fn read(&self, bytes: &mut [u8], address: u64) -> io::Result<()> {
        self.memory.read_exact_at(bytes, address)
    }

    /// Writes to another place of the process' memory.
    pub fn write_elsewhere(&self, address: u64, bytes: &[u8]) -> io::Result<()> {
        self.memory.write_all_at(bytes, address)
    }

    /// The first free byte behind the ELF image, on a boundary of 64 bytes,
    /// provided that `size` zero bytes follow it.
    pub fn slack(&self, size: usize) -> Option<usize> {
        let start = image_end(&self.image)?.next_multiple_of(64);
        let room = self.image.get(start..start.checked_add(size)?)?;
        room.iter().all(|byte| *byte == 0).then_some(start)
    }

    /// Looks a function up in the dynamic symbol table.
    pub fn symbol(&self, name: &str) -> Option<Symbol> {
        symbol(&self.image, name)
    }
}

// The numbers are those of the System V ABI's ELF-64 object file format.
const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;
const DT_HASH: u64 = 4;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;

/// A little-endian number of `width` bytes.
fn number(image: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = image.get(at..at.checked_add(width)?)?;
    Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// A program header: type, file offset, virtual address, file size.
struct Segment {
    kind: u64,
    offset: usize,
    address: u64,
    size: usize,
}

fn segments(image: &[u8]) -> Option<Vec<Segment>> {
    let (start, size) = (number(image, 32, 8)? as usize, number(image, 54, 2)? as usize);
    let count = number(image, 56, 2)? as usize;
    let segment = |at: usize| {
        Some(Segment {
            kind: number(image, at, 4)?,
            offset: number(image, at + 8, 8)? as usize,
            address: number(image, at + 16, 8)?,
            size: number(image, at + 32, 8)? as usize,
        })
    };
    (0..count).map(|index| segment(start + index * size)).collect()
}

/// Where the image ends: the last of its segments and its section headers.
fn image_end(image: &[u8]) -> Option<usize> {
    let sections = number(image, 40, 8)? + number(image, 58, 2)? * number(image, 60, 2)?;
    let loaded = segments(image)?.iter().map(|segment| segment.offset + segment.size).max()?;
    Some(loaded.max(sections as usize))
}

fn symbol(image: &[u8], name: &str) -> Option<Symbol> {
    let segments = segments(image)?;
    let load = segments.iter().find(|segment| segment.kind == PT_LOAD)?;
    let dynamic = segments.iter().find(|segment| segment.kind == PT_DYNAMIC)?;
    let place = |address: u64| Some(address.checked_sub(load.address)? as usize + load.offset);
    let entry = |tag: u64| {
        (0..dynamic.size / 16)
            .map(|index| dynamic.offset + index * 16)
            .find(|at| number(image, *at, 8) == Some(tag))
            .and_then(|at| place(number(image, at + 8, 8)?))
    };
    let (strings, symbols) = (entry(DT_STRTAB)?, entry(DT_SYMTAB)?);
    // Only the older hash table knows the number of symbols. Without it, the
    // string table is the next thing behind them, as every linker lays it out.
    let count = match entry(DT_HASH) {
        Some(hash) => number(image, hash + 4, 4)? as usize,
        None => strings.checked_sub(symbols)? / 24,
    };
    (0..count).map(|index| symbols + index * 24).find_map(|at| {
        let text = image.get(strings + number(image, at, 4)? as usize..)?;
        let named = text.starts_with(name.as_bytes()) && text.get(name.len()) == Some(&0);
        let offset = place(number(image, at + 8, 8)?)?;
        named.then_some(Symbol { offset, size: number(image, at + 16, 8)? as usize })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_the_three_clock_functions() {
        let vdso = Vdso::of(std::process::id() as i32).unwrap();
        for name in ["__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time"] {
            let symbol = vdso.symbol(name).unwrap_or_else(|| panic!("no {name}"));
            assert!(symbol.size >= 5 && symbol.offset < vdso.image.len(), "{name}: {symbol:?}");
        }
        assert_eq!(vdso.symbol("__vdso_clock"), None);
        assert!(vdso.slack(512).is_some());
        assert_eq!(vdso.slack(1 << 20), None);
    }

    #[test]
    fn a_torn_image_is_no_panic() {
        let vdso = Vdso::of(std::process::id() as i32).unwrap();
        for length in 0..vdso.image.len() {
            let torn = &vdso.image[..length];
            let _ = (symbol(torn, "__vdso_time"), image_end(torn));
        }
    }
}
