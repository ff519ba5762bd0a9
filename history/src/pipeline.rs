//! A file of lines on its way into a history: while some blocks are put together, the next ones are
//! parsed and those after them are read. What the lines say is not known here.

use std::io::{self, Read};

use rayon::prelude::*;

use crate::cutter::Cutter;

/// Parses all blocks that a cutter makes of a reader, on all cores, and gives them to `add` in order,
/// several at a time.
///
/// An error is that of the first block that has one, as if they were read one after the other.
pub(crate) fn run<B: Send, E: From<io::Error> + Send>(
    from: &mut impl Read,
    mut cutter: Cutter,
    parse: impl Fn(&[u8]) -> B + Sync,
    mut add: impl FnMut(Vec<B>) -> Result<(), E> + Send,
) -> Result<(), E> {
    let (mut texts, mut parsed) = (cutter.several(from)?, Vec::new());
    while !texts.is_empty() {
        let (mut added, mut parsing, mut reading) = (Ok(()), Vec::new(), Ok(Vec::new()));
        let adding = std::mem::take(&mut parsed);
        // The reader stays on this thread, which need not be one of the pool's.
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| added = add(adding));
            scope.spawn(|_| parsing = texts.par_iter().map(|text| parse(text)).collect());
            reading = cutter.several(from);
        });
        added?;
        parsed = parsing;
        cutter.reuse(texts);
        texts = match reading {
            Ok(texts) => texts,
            Err(error) => {
                add(parsed)?;
                return Err(error.into());
            }
        };
    }
    add(parsed)
}
