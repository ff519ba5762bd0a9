//! Tells a format from the beginning of a file.

use super::error::Unrecognized;
use super::{Format, awdit, plume, porcupine};
use crate::arrow;

/// How much of a file is looked at, in bytes.
pub(super) const HEAD: u64 = 64 << 10;

/// How dbcop's histories begin.
const DBCOP: &str = "{\"params\":{";

/// The format of a file that begins with `head`. The dialects of EDN differ
/// further inside, so all of them are [`Format::Edn`] here.
pub fn detect(head: &[u8]) -> Result<Format, Unrecognized> {
    const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
    if head.starts_with(&GZIP_MAGIC) {
        return Err(Unrecognized::Gzip);
    }
    if head.starts_with(&arrow::MAGIC) {
        return Ok(Format::Store);
    }
    if lines(head).take(100).any(|line| porcupine::after_prefix(line).is_some()) {
        return Ok(Format::Porcupine);
    }
    if plume::is_told(head) {
        return Ok(Format::Plume);
    }
    if awdit::is_told(head) {
        return Ok(Format::Awdit);
    }
    let bytes = significant(head).take(DBCOP.len());
    if bytes.eq(DBCOP.bytes()) {
        return Ok(Format::Dbcop);
    }
    let mut bytes = significant(head);
    match (bytes.next(), bytes.next()) {
        // Nothing is a history without events, in our own format.
        (None, _) if head.trim_ascii().is_empty() => Ok(Format::Jsonl),
        (None, _) => Ok(Format::Edn),
        (Some(b'{'), Some(b'"')) => Ok(Format::Jsonl),
        (Some(b'['), Some(b'{')) => Ok(match bytes.next() {
            Some(b'"') => Format::ElleJson,
            _ => Format::Edn,
        }),
        (Some(b'{' | b'[' | b'(' | b'^'), _) => Ok(Format::Edn),
        (Some(b'#'), Some(_)) => Ok(Format::Edn),
        _ => Err(Unrecognized::Unknown),
    }
}

fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|&byte| byte == b'\n')
}

/// The bytes that are neither space nor in a comment of EDN.
fn significant(head: &[u8]) -> impl Iterator<Item = u8> {
    lines(head)
        .flat_map(|line| line.split(|&byte| byte == b';').next().unwrap_or_default())
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b',')
}
