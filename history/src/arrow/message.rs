//! One message of Arrow's stream format, taken from a reader whole or not at all.
//!
//! A message is a mark, the length of its head, the head, and a body whose
//! length the head tells. The decoder trusts what a head says of its body, and
//! panics where that is not so; a file that was damaged must be refused
//! instead, so it is looked at here first.

use std::io::{self, Read};

use arrow_ipc::{RecordBatch, root_as_message};

/// What a reader has next.
pub(super) enum Message {
    /// A message, with its mark.
    Whole(Vec<u8>),
    /// Nothing more.
    End,
    /// A part of a message.
    CutOff,
    /// Something else.
    Damaged(String),
}

impl Message {
    /// Takes the next message. Memory grows with what is there, not with what is promised.
    pub fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        if from.by_ref().take(8).read_to_end(&mut bytes)? < 8 {
            return Ok(if bytes.is_empty() { Self::End } else { Self::CutOff });
        }
        if bytes[..4] != super::MAGIC {
            return Ok(Self::Damaged("no chunk begins here".to_owned()));
        }
        let head = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        if head == 0 {
            return Ok(Self::End);
        }
        if from.by_ref().take(head.into()).read_to_end(&mut bytes)? < head as usize {
            return Ok(Self::CutOff);
        }
        let body = match body(&bytes[8..]) {
            Ok(length) => length,
            Err(why) => return Ok(Self::Damaged(why)),
        };
        bytes.reserve(usize::try_from(body).unwrap_or(0).min(1 << 24));
        if (from.by_ref().take(body).read_to_end(&mut bytes)? as u64) < body {
            return Ok(Self::CutOff);
        }
        Ok(Self::Whole(bytes))
    }
}

/// The length of the body, whose parts must lie within it.
fn body(head: &[u8]) -> Result<u64, String> {
    let message = root_as_message(head).map_err(|why| format!("a chunk's head: {why}"))?;
    let length = u64::try_from(message.bodyLength()).map_err(|_| "a chunk's body is negative")?;
    let dictionary = message.header_as_dictionary_batch().and_then(|it| it.data());
    let rows = message.header_as_record_batch();
    let fit = rows.is_none_or(|rows| fits(rows, &ROWS, length))
        && dictionary.is_none_or(|texts| fits(texts, &TEXTS, length));
    if fit { Ok(length) } else { Err("a chunk's parts are not those of a history".to_owned()) }
}

/// Bytes of an element in each part of a chunk: of every column its validity, then what it holds.
const ROWS: [u64; 27] =
    [1, 8, 1, 4, 1, 1, 1, 4, 1, 4, 1, 8, 1, 4, 1, 8, 1, 4, 1, 1, 4, 1, 4, 1, 1, 4, 1];
/// The same of a dictionary.
const TEXTS: [u64; 3] = [1, 4, 1];

/// Whether all parts lie in the body, at places and with lengths that their elements allow.
fn fits(batch: RecordBatch, widths: &[u64], body: u64) -> bool {
    let parts: Vec<_> = batch.buffers().into_iter().flatten().collect();
    let fits = |offset: i64, length: i64, width: u64| {
        let (offset, length) = (u64::try_from(offset).ok()?, u64::try_from(length).ok()?);
        let end = offset.checked_add(length).filter(|&end| end <= body)?;
        (end <= body && offset % 8 == 0 && length % width == 0).then_some(())
    };
    let mut each = parts.iter().zip(widths);
    parts.len() == widths.len()
        && each.all(|(part, &width)| fits(part.offset(), part.length(), width).is_some())
}
