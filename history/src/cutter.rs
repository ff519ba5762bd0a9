//! Files of lines, cut into blocks that can be read by themselves. What a line says is not known here.

use std::io::{self, Read};

/// Bytes of a block, which ends with the last line that is whole in them.
const BLOCK: usize = 4 << 20;

/// Cuts what a reader gives into blocks of whole lines.
pub(crate) struct Cutter {
    /// The beginning of a line whose end has not been read yet.
    rest: Vec<u8>,
    /// A block that is longer than this ends where it is, if it is all one line.
    longest: usize,
}

impl Cutter {
    /// Blocks of lines that may have any length up to `longest` bytes; a longer one is torn, so that
    /// a file without lines is not held whole.
    pub fn new(longest: usize) -> Self {
        Self { rest: Vec::new(), longest }
    }

    /// The next blocks, one for each core; none at the end.
    pub fn several(&mut self, from: &mut impl Read) -> io::Result<Vec<Vec<u8>>> {
        let next = std::iter::from_fn(|| self.next(from).transpose());
        next.take(rayon::current_num_threads()).collect()
    }

    /// The next block; `None` at the end. Only the last may end without a line's end.
    fn next(&mut self, from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
        let mut text = std::mem::take(&mut self.rest);
        loop {
            let before = text.len();
            let read = from.by_ref().take(BLOCK as u64).read_to_end(&mut text)?;
            if read == 0 {
                return Ok((!text.is_empty()).then_some(text));
            }
            if let Some(end) = text[before..].iter().rposition(|&byte| byte == b'\n') {
                self.rest = text.split_off(before + end + 1);
                return Ok(Some(text));
            }
            if text.len() > self.longest {
                return Ok(Some(text));
            }
        }
    }
}
