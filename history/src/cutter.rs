//! Files of lines, cut into blocks that can be read by themselves. What a line says is not known here.

use std::io::{self, Read};

/// Bytes of a block, which ends with the last line that is whole in them.
const BLOCK: usize = 1 << 20;

/// Bytes of the blocks that are in hand at once. Not a matter of the cores: what is made of them
/// must not depend on the machine.
const TURN: usize = 8 << 20;

/// Cuts what a reader gives into blocks of whole lines.
pub(crate) struct Cutter {
    /// The beginning of a line whose end has not been read yet.
    rest: Vec<u8>,
    /// A block that is longer than this ends where it is, if it is all one line.
    longest: usize,
    /// Memory of blocks that are done: to take it anew costs as much as to read what goes into it.
    spare: Vec<Vec<u8>>,
}

impl Cutter {
    /// Blocks of lines that may have any length up to `longest` bytes; a longer one is torn, so that
    /// a file without lines is not held whole.
    pub fn new(longest: usize) -> Self {
        Self { rest: Vec::new(), longest, spare: Vec::new() }
    }

    /// The next blocks; none at the end.
    pub fn several(&mut self, from: &mut impl Read) -> io::Result<Vec<Vec<u8>>> {
        let (mut blocks, mut bytes) = (Vec::new(), 0);
        while bytes < TURN {
            let Some(block) = self.next(from)? else { break };
            bytes += block.len();
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// Takes back blocks that are done.
    pub fn reuse(&mut self, blocks: Vec<Vec<u8>>) {
        self.spare = blocks;
    }

    /// The next block; `None` at the end. Only the last may end without a line's end.
    fn next(&mut self, from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
        let mut text = self.spare.pop().unwrap_or_default();
        text.clear();
        text.append(&mut self.rest);
        loop {
            let before = text.len();
            text.reserve(BLOCK);
            let read = from.by_ref().take(BLOCK as u64).read_to_end(&mut text)?;
            if read == 0 {
                return Ok((!text.is_empty()).then_some(text));
            }
            if let Some(end) = text[before..].iter().rposition(|&byte| byte == b'\n') {
                self.rest.extend(text.drain(before + end + 1..));
                return Ok(Some(text));
            }
            if text.len() > self.longest {
                return Ok(Some(text));
            }
        }
    }
}
