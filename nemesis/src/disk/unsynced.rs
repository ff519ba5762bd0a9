//! What was written and not synced yet, so that it can be lost.
//!
//! Every write goes to the file below at once; what it overwrote is kept here until the file is
//! synced. Losing a write is putting back what was there before. So whatever ends this
//! process loses nothing of the database's.
//!
//! Only bytes can be lost, not names: a file that was created, renamed or removed without a sync stays so. And a
//! file that is cut short counts as synced then, as real filesystems write a truncation down early.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tribunal_generator::Rng;

/// What disks write whole or not at all.
pub const SECTOR: u64 = 512;

/// More than this is not kept: the oldest counts as written back, as a kernel does by itself.
const MOST_BYTES: usize = 256 << 20;

/// In which order writes reach a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// As they were made: those up to some moment are there.
    #[default]
    Kept,
    /// Any: each sector is there or not, by chance.
    Any,
    /// None of them is there.
    Lost,
}

/// What was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Writes that had not been synced.
    pub unsynced: u64,
    /// Those of them of which nothing is left.
    pub lost: u64,
    /// Those of which a part is left.
    pub torn: u64,
    /// How many bytes are as they were before.
    pub bytes: u64,
}

/// Writes, the oldest first.
#[derive(Default)]
pub struct Unsynced {
    writes: VecDeque<Write>,
    bytes: usize,
    made: u64,
}

struct Write {
    number: u64,
    node: u64,
    file: Arc<File>,
    offset: u64,
    length: u64,
    /// What was there, as far as the file went.
    before: Vec<u8>,
    /// Where the file ended.
    end: u64,
}

impl Unsynced {
    /// Takes note of what a write is about to overwrite.
    pub fn note(
        &mut self,
        node: u64,
        file: &Arc<File>,
        offset: u64,
        length: u64,
    ) -> io::Result<()> {
        let end = file.metadata()?.len();
        let kept = end.saturating_sub(offset).min(length);
        let mut before = vec![0; kept as usize];
        file.read_exact_at(&mut before, offset)?;
        self.made += 1;
        self.bytes += before.len();
        let (number, file) = (self.made, file.clone());
        self.writes.push_back(Write { number, node, file, offset, length, before, end });
        while self.bytes > MOST_BYTES
            && let Some(oldest) = self.writes.pop_front()
        {
            self.bytes -= oldest.before.len();
        }
        Ok(())
    }

    /// How many writes were made up to now: what a sync that begins now makes certain.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// A file's writes up to that number are certain.
    pub fn synced(&mut self, node: u64, up_to: u64) {
        self.writes.retain(|write| {
            let synced = write.node == node && write.number <= up_to;
            self.bytes -= if synced { write.before.len() } else { 0 };
            !synced
        });
    }

    /// Loses nothing.
    pub fn keep(&mut self) -> Lost {
        let unsynced = self.writes.len() as u64;
        *self = Self { made: self.made, ..Self::default() };
        Lost { unsynced, ..Lost::default() }
    }

    /// Loses what is not certain, the latest first.
    pub fn lose(&mut self, order: Order, rng: &mut Rng) -> io::Result<Lost> {
        let mut lost = Lost { unsynced: self.writes.len() as u64, ..Lost::default() };
        let kept = match order {
            // Those up to the drawn one; of that one some sectors, if it has several.
            Order::Kept if !self.writes.is_empty() => rng.below(self.writes.len() as u64),
            _ => 0,
        };
        while let Some(write) = self.writes.pop_back() {
            let place = self.writes.len() as u64;
            let sectors = sectors(write.offset, write.length);
            let whole = sectors.len();
            let gone: Vec<(u64, u64)> = match order {
                Order::Kept if place < kept => break,
                Order::Kept if place == kept => {
                    let left = rng.below(whole as u64) as usize;
                    sectors.into_iter().skip(left).collect()
                }
                Order::Kept | Order::Lost => sectors,
                Order::Any => sectors.into_iter().filter(|_| rng.below(2) == 0).collect(),
            };
            lost.lost += u64::from(gone.len() == whole);
            lost.torn += u64::from(!gone.is_empty() && gone.len() < whole);
            lost.bytes += write.put_back(&gone, order != Order::Any)?;
        }
        *self = Self { made: self.made, ..Self::default() };
        Ok(lost)
    }
}

impl Write {
    /// Makes these stretches of it as they were; with `shrink` the file's end, too.
    fn put_back(&self, gone: &[(u64, u64)], shrink: bool) -> io::Result<u64> {
        let mut bytes = 0;
        for &(from, to) in gone {
            bytes += to - from;
            let known = self.offset + self.before.len() as u64;
            if from < known {
                let before = &self.before[(from - self.offset) as usize..];
                let length = (to.min(known) - from) as usize;
                self.file.write_all_at(&before[..length], from)?;
            }
            if to > known {
                let zeros = vec![0; (to - from.max(known)) as usize];
                self.file.write_all_at(&zeros, from.max(known))?;
            }
        }
        if let Some(&(from, _)) = gone.first()
            && shrink
            && self.offset + self.length > self.end
        {
            // Of one that is all gone not even the gap before it is left.
            self.file.set_len(if from == self.offset { self.end } else { from.max(self.end) })?;
        }
        Ok(bytes)
    }
}

/// A stretch of a file, cut where its sectors begin.
pub fn sectors(offset: u64, length: u64) -> Vec<(u64, u64)> {
    let end = offset + length;
    let mut from = offset;
    let mut sectors = Vec::new();
    while from < end {
        let to = ((from / SECTOR + 1) * SECTOR).min(end);
        sectors.push((from, to));
        from = to;
    }
    sectors
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tribunal_generator::Seed;

    use super::*;

    fn file(content: &[u8]) -> Arc<File> {
        let fd = rustix::fs::memfd_create("unsynced", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        let mut file = File::from(fd);
        file.write_all(content).unwrap();
        Arc::new(file)
    }

    fn content(file: &File) -> Vec<u8> {
        let mut content = vec![0; file.metadata().unwrap().len() as usize];
        file.read_exact_at(&mut content, 0).unwrap();
        content
    }

    fn write(unsynced: &mut Unsynced, file: &Arc<File>, offset: u64, bytes: &[u8]) {
        unsynced.note(1, file, offset, bytes.len() as u64).unwrap();
        file.write_all_at(bytes, offset).unwrap();
    }

    #[test]
    fn what_was_synced_stays_and_the_rest_is_as_it_was() {
        let (mut unsynced, file) = (Unsynced::default(), file(b"0123456789"));
        write(&mut unsynced, &file, 0, b"ab");
        unsynced.synced(1, unsynced.made());
        write(&mut unsynced, &file, 1, b"XYZ");
        write(&mut unsynced, &file, 8, b"longer than before");
        write(&mut unsynced, &file, 2, b"__");
        let lost = unsynced.lose(Order::Lost, &mut Seed(1).stream("t")).unwrap();
        assert_eq!(content(&file), b"ab23456789");
        assert_eq!(lost, Lost { unsynced: 3, lost: 3, torn: 0, bytes: 3 + 18 + 2 });
    }

    #[test]
    fn in_order_everything_before_a_moment_is_there_and_one_write_may_be_torn() {
        let (mut torn, mut ends) = (0, std::collections::BTreeSet::new());
        for seed in 0..200 {
            let (mut unsynced, file) = (Unsynced::default(), file(b""));
            for number in 0..4_u8 {
                let bytes = vec![number + 1; 1024];
                write(&mut unsynced, &file, u64::from(number) * 1024, &bytes);
            }
            let lost = unsynced.lose(Order::Kept, &mut Seed(seed).stream("t")).unwrap();
            let left = content(&file);
            assert_eq!(left.len() as u64, 4096 - lost.bytes);
            assert_eq!(left.len() % SECTOR as usize, 0);
            let whole = (0..left.len()).all(|at| usize::from(left[at]) == at / 1024 + 1);
            assert!(whole, "only the end is missing");
            torn += lost.torn;
            ends.insert(left.len());
        }
        assert!((50..150).contains(&torn) && ends.len() == 8, "{torn} {ends:?}");
    }

    #[test]
    fn in_any_order_every_sector_is_old_or_new() {
        let (mut unsynced, file) = (Unsynced::default(), file(&[1; 8192]));
        write(&mut unsynced, &file, 100, &[2; 6000]);
        let lost = unsynced.lose(Order::Any, &mut Seed(3).stream("t")).unwrap();
        assert_eq!((lost.unsynced, lost.torn), (1, 1));
        let left = content(&file);
        assert!(left[..100].iter().chain(&left[6100..]).all(|&byte| byte == 1));
        for (from, to) in sectors(100, 6000) {
            let sector = &left[from as usize..to as usize];
            assert!(sector.iter().all(|&byte| byte == sector[0]), "{from}");
        }
        let old = left[100..6100].iter().filter(|&&byte| byte == 1).count();
        assert_eq!(old as u64, lost.bytes);
    }
}
