//! A part of a file: whole lines, read by themselves, and put together in order.

use super::{ReadError, Tail, line};
use crate::Event;
use crate::columns::Columns;
use crate::history::{HistoryError, Reason};

/// What was read of a block.
pub(super) struct Block {
    columns: Columns,
    /// Lines read, blank ones too.
    lines: usize,
    /// For each blank line, how many events came before it.
    blanks: Vec<usize>,
    /// The first event that tells its index, and that index.
    indexed: Option<(usize, u64)>,
    /// The first line that is none.
    failure: Option<Failure>,
}

/// A line that is no event.
struct Failure {
    reason: Reason,
    /// It is the last one and does not end.
    torn: bool,
}

impl Block {
    /// Reads the lines of `text`.
    pub fn parse(text: &[u8]) -> Self {
        let (columns, blanks) = (Columns::draft(text.len() / 4), Vec::new());
        let mut block = Self { columns, lines: 0, blanks, indexed: None, failure: None };
        // A line of ours takes about a hundred bytes.
        block.columns.reserve(text.len() / 100);
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            block.lines += 1;
            if line.iter().all(u8::is_ascii_whitespace) {
                block.blanks.push(block.columns.len());
            } else if let Err(failure) = block.add(line) {
                block.failure = Some(failure);
                break;
            }
        }
        block
    }

    fn add(&mut self, text: &[u8]) -> Result<(), Failure> {
        let at = self.columns.len();
        let index = line::read(text, &mut self.columns).map_err(|error| {
            let torn = error.is_eof() && !text.ends_with(b"\n");
            let reason = if torn { Reason::CutOff } else { not_an_event(&error) };
            Failure { reason, torn }
        })?;
        if index == Event::UNNUMBERED {
            return Ok(());
        }
        let (first, offset) = *self.indexed.get_or_insert((at, index));
        let expected = offset + (at - first) as u64;
        match index == expected {
            true => Ok(()),
            false => Err(Failure { reason: Reason::Index { found: index, expected }, torn: false }),
        }
    }
}

fn not_an_event(error: &serde_json::Error) -> Reason {
    // serde_json adds "at line 1 column 17"; the line is ours to tell.
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    let what = what.replace(char::is_control, " ");
    Reason::NotAnEvent(format!("{what} (column {})", error.column()))
}

/// The blocks so far, as one.
pub(super) struct Whole {
    pub columns: Columns,
    lines: usize,
    /// For each blank line, how many events came before it.
    blanks: Vec<usize>,
}

impl Default for Whole {
    fn default() -> Self {
        Self { columns: Columns::of_parts(), lines: 0, blanks: Vec::new() }
    }
}

impl Whole {
    /// Adds the next blocks.
    pub fn add(&mut self, blocks: Vec<Block>, tail: Tail) -> Result<(), ReadError> {
        let mut base = self.columns.len();
        for block in &blocks {
            self.pass(block, base, tail)?;
            base += block.columns.len();
        }
        self.columns.join(blocks.into_iter().map(|block| block.columns).collect());
        Ok(())
    }

    /// Notes the lines of a block, before which there are `base` events, if it is sound.
    fn pass(&mut self, block: &Block, base: usize, tail: Tail) -> Result<(), ReadError> {
        self.blanks.extend(block.blanks.iter().map(|before| base + before));
        if let Some((first, found)) = block.indexed {
            let expected = (base + first) as u64;
            if found != expected {
                let error = HistoryError::at(base + first, Reason::Index { found, expected });
                return Err(self.locate(error).into());
            }
        }
        self.lines += block.lines;
        match &block.failure {
            Some(failure) if !(failure.torn && tail == Tail::MayBeTorn) => {
                Err(HistoryError { line: self.lines, reason: failure.reason.clone() }.into())
            }
            _ => Ok(()),
        }
    }

    /// Names the line of an event that was named by its position: there may be blank ones.
    pub fn locate(&self, error: HistoryError) -> HistoryError {
        let blanks = self.blanks.iter().filter(|&&before| before < error.line).count();
        HistoryError { line: error.line + blanks, ..error }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{Datum, History};

    /// Values of few kinds, so that equal ones are in several blocks, at any depth.
    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            (-1_i64..3).prop_map(Value::from),
            Just(json!(i64::MAX)),
            Just(json!(0.5)),
            "[a-b]{0,2}".prop_map(Value::from),
            (0_i64..3, 0_i64..3).prop_map(|(key, value)| json!(["append", key, value])),
        ];
        leaf.prop_recursive(4, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-b]{0,2}", inner, 0..3)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn event(at: usize, [value, key, extra]: &[Value; 3]) -> Value {
        let mut event =
            json!({"index": at, "time": at, "process": "nemesis", "type": "info", "f": "x"});
        event["value"] = value.clone();
        event["key"] = key.clone();
        if extra.is_string() {
            event["node"] = extra.clone();
        } else if !extra.is_null() {
            event["error"] = extra.clone();
            event["ext"] = json!({"there": extra});
        }
        event
    }

    /// The history of blocks of so many lines, so many of them at a time.
    fn joined(events: &[Value], lines: usize, blocks: usize) -> History {
        let text = |part: &[Value]| part.iter().map(|it| format!("{it}\n")).collect::<String>();
        let parts: Vec<String> = events.chunks(lines).map(text).collect();
        let mut whole = Whole::default();
        for turn in parts.chunks(blocks) {
            let turn = turn.iter().map(|part| Block::parse(part.as_bytes())).collect();
            whole.add(turn, Tail::Whole).unwrap();
        }
        History::of(whole.columns).unwrap()
    }

    proptest! {
        /// Compared with events that are added one by one, and never taken over from a block.
        #[test]
        fn blocks_are_put_together_to_what_they_are(
            values in prop::collection::vec([any_value(), any_value(), any_value()], 1..40),
            lines in 1_usize..6,
            blocks in 1_usize..5,
        ) {
            let values: Vec<Value> = (0..).zip(&values).map(|(at, it)| event(at, it)).collect();
            let history = joined(&values, lines, blocks);
            let alone = values.iter().map(|it| serde_json::from_value(it.clone()).unwrap());
            let alone = History::new(alone.collect()).unwrap();
            prop_assert_eq!(history.len(), alone.len());
            for (one, other) in history.events().zip(alone.events()) {
                prop_assert_eq!(one.to_event(), other.to_event());
            }
            let keys = |history: &History| -> Vec<Value> {
                history.keys().iter().map(|&it| history.values().get(it).to_value()).collect()
            };
            prop_assert_eq!(keys(&history), keys(&alone));
            let data: Vec<(Datum, Value)> = history
                .events()
                .flat_map(|it| [Some(it.value()), it.key(), Some(it.error()), it.ext("there")])
                .flatten()
                .map(|it| (it.datum(), it.to_value()))
                .collect();
            for (datum, value) in &data {
                prop_assert_eq!(history.values().find(value), *datum, "{}", value);
                for (other, that) in &data {
                    prop_assert_eq!(datum == other, value == that, "{} and {}", value, that);
                }
            }
        }
    }
}
