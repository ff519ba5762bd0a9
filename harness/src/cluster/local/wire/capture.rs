//! A capture of what went over the wire, as tcpdump and Wireshark read it: the pcap
//! format with nanoseconds (draft-ietf-opsawg-pcap). Bounded: a long run does not fill the disk.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes of a frame that are kept: headers and the beginning of what is said.
const SNAP: usize = 128;
/// Bytes of the file; what comes after is not kept.
const LIMIT: u64 = 64 << 20;

/// A file that frames are written to.
pub struct Capture {
    file: BufWriter<File>,
    written: u64,
    /// What the monotonic clock must be moved by to be the wall clock, in nanoseconds.
    epoch: u64,
}

impl Capture {
    /// Begins one. `now` is the monotonic clock that frames will be stamped with.
    pub fn create(path: &Path, now: u64) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 18, File::create(path)?);
        // Magic for nanoseconds; version 2.4; no time zone; no accuracy; bytes kept; Ethernet.
        for word in [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, SNAP as u32, 1] {
            file.write_all(&word.to_le_bytes())?;
        }
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let epoch = (wall.as_nanos() as u64).saturating_sub(now);
        Ok(Self { file, written: 24, epoch })
    }

    /// Keeps the beginning of a frame.
    pub fn frame(&mut self, now: u64, frame: &[u8]) -> io::Result<()> {
        let kept = &frame[..frame.len().min(SNAP)];
        if self.written + 16 + kept.len() as u64 > LIMIT {
            return Ok(());
        }
        let time = self.epoch + now;
        let (seconds, nanos) = ((time / 1_000_000_000) as u32, (time % 1_000_000_000) as u32);
        for word in [seconds, nanos, kept.len() as u32, frame.len() as u32] {
            self.file.write_all(&word.to_le_bytes())?;
        }
        self.file.write_all(kept)?;
        self.written += 16 + kept.len() as u64;
        Ok(())
    }

    /// Lets readers see what there is.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_a_header_and_frames_cut_short() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wire.pcap");
        let mut capture = Capture::create(&path, 5).unwrap();
        capture.frame(5, &[7; 60]).unwrap();
        capture.frame(1_000_000_005, &[8; 1500]).unwrap();
        capture.flush().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 24 + 16 + 60 + 16 + SNAP);
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!((word(0), word(20)), (0xa1b2_3c4d, 1));
        assert_eq!((word(32), word(36), bytes[40]), (60, 60, 7));
        assert_eq!((word(108), word(112), bytes[116]), (SNAP as u32, 1500, 8));
        assert_eq!(word(100) - word(24), 1, "a second apart");
    }
}
