//! A history in the making: events are appended, and sealed in chunks.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder};
use arrow_array::types::{UInt8Type, UInt32Type};
use arrow_array::{
    ArrayRef, DictionaryArray, RecordBatch, StringArray, UInt8Array, UInt32Array, UInt64Array,
};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Schema};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use super::{KINDS, NO_REAL_TIME, schema};
use crate::columns::{Columns, NEMESIS, NONE};
use crate::{Event, EventRef, History, HistoryError, ValueRef};

/// A history that is written as it comes to be.
pub struct Recording<W: Write> {
    to: StreamWriter<W>,
    schema: Arc<Schema>,
    history: History,
    /// Events in the chunks that were written.
    sealed: usize,
}

/// Events of the largest chunk: what one reads back at a time.
const CHUNK: usize = 1 << 16;

impl<W: Write> Recording<W> {
    /// Begins a history.
    pub fn new(to: W) -> io::Result<Self> {
        let schema = schema();
        let to = StreamWriter::try_new(to, &schema).map_err(other)?;
        Ok(Self { to, schema, history: History::default(), sealed: 0 })
    }

    /// Appends an event; its index is given to it.
    pub fn push(&mut self, event: &mut Event) -> io::Result<()> {
        event.index = self.len() as u64;
        let too_large = || io::Error::other(format!("{}: too large a number", event.process));
        self.history.columns.push_event(event).ok_or_else(too_large)?;
        if self.len() - self.sealed >= CHUNK { self.seal() } else { Ok(()) }
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.history.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.history.is_empty()
    }

    /// Writes out all events that were not yet.
    pub fn seal(&mut self) -> io::Result<()> {
        if self.sealed < self.len() {
            let chunk = Chunk { history: &self.history, rows: self.sealed..self.len() };
            let batch = RecordBatch::try_new(self.schema.clone(), chunk.arrays()).map_err(other)?;
            self.to.write(&batch).map_err(other)?;
            self.sealed = self.len();
        }
        self.to.flush().map_err(other)
    }

    /// Ends the file and gives the history.
    pub fn finish(mut self) -> io::Result<(Result<History, HistoryError>, W)> {
        self.seal()?;
        self.to.finish().map_err(other)?;
        let columns: Columns = self.history.columns;
        Ok((History::of(columns), self.to.into_inner().map_err(other)?))
    }
}

impl History {
    /// Writes the history in the store format.
    pub fn write_arrow(&self, to: impl Write) -> io::Result<()> {
        let mut schema = schema();
        if !self.has_real_time() {
            let (name, value) = NO_REAL_TIME;
            let metadata = [(name.to_owned(), value.to_owned())];
            schema = Arc::new(Schema::clone(&schema).with_metadata(metadata));
        }
        let mut to = StreamWriter::try_new(to, &schema).map_err(other)?;
        for from in (0..self.len()).step_by(CHUNK) {
            let chunk = Chunk { history: self, rows: from..(from + CHUNK).min(self.len()) };
            let batch = RecordBatch::try_new(schema.clone(), chunk.arrays()).map_err(other)?;
            to.write(&batch).map_err(other)?;
        }
        to.finish().map_err(other)
    }
}

fn other(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        error => io::Error::other(error),
    }
}

/// Some rows of a history.
struct Chunk<'h> {
    history: &'h History,
    rows: std::ops::Range<usize>,
}

impl<'h> Chunk<'h> {
    /// The columns, in the order of the schema.
    fn arrays(&self) -> Vec<ArrayRef> {
        let columns = &self.history.columns;
        let rows = self.rows.clone();
        let processes = columns.process[rows.clone()].iter();
        let process = processes.map(|&it| (it != NEMESIS).then_some(it)).collect::<UInt32Array>();
        let name = |place: u32| columns.names.get(place).to_string();
        let key = |place: u32| columns.values.get(columns.keys[place as usize]).to_string();
        let [number, numbers, json] = self.values();
        vec![
            Arc::new(UInt64Array::from(columns.time[rows.clone()].to_vec())),
            Arc::new(process),
            Arc::new(self.kinds()),
            Arc::new(dictionary(&columns.f[rows.clone()], name)),
            Arc::new(dictionary(&columns.key[rows.clone()], key)),
            number,
            numbers,
            json,
            Arc::new(dictionary(&columns.node[rows], name)),
            self.texts(|event| {
                Some(event.error()).filter(|it| !it.is_null()).map(|it| it.to_string())
            }),
            self.texts(ext),
        ]
    }

    fn events(&self) -> impl Iterator<Item = EventRef<'h>> {
        let history = self.history;
        self.rows.clone().map(|at| history.event(at as u64))
    }

    fn kinds(&self) -> DictionaryArray<UInt8Type> {
        let kinds = self.history.columns.kind[self.rows.clone()].iter();
        let keys: UInt8Array = kinds.map(|&kind| Some(kind as u8)).collect();
        let texts = Arc::new(StringArray::from_iter_values(KINDS));
        DictionaryArray::try_new(keys, texts).expect("every kind has a text")
    }

    /// Values: whole numbers, lists of them, and all others.
    fn values(&self) -> [ArrayRef; 3] {
        let mut number = Int64Builder::with_capacity(self.rows.len());
        let mut numbers = ListBuilder::new(Int64Builder::new());
        let mut json = StringBuilder::new();
        for value in self.events().map(EventRef::value) {
            number.append_option(value.datum().as_i64());
            let list = whole_numbers(value);
            json.append_option(match (&list, value.datum().as_i64()) {
                (None, None) if !value.is_null() => Some(value.to_string()),
                _ => None,
            });
            numbers.append_option(list);
        }
        [Arc::new(number.finish()), Arc::new(numbers.finish()), Arc::new(json.finish())]
    }

    fn texts(&self, text: impl Fn(EventRef<'h>) -> Option<String>) -> ArrayRef {
        let mut texts = StringBuilder::new();
        self.events().for_each(|event| texts.append_option(text(event)));
        Arc::new(texts.finish())
    }
}

fn whole_numbers(value: ValueRef) -> Option<Vec<Option<i64>>> {
    let elements = value.elements()?;
    elements.data().iter().map(|datum| datum.as_i64().map(Some)).collect()
}

fn ext(event: EventRef) -> Option<String> {
    let fields = event.exts().map(|(name, value)| (name.to_owned(), value.to_value()));
    let fields: Map<String, Value> = fields.collect();
    (!fields.is_empty()).then(|| Value::Object(fields).to_string())
}

/// Places as a dictionary of those that occur; [`NONE`] becomes null.
fn dictionary(places: &[u32], text: impl Fn(u32) -> String) -> DictionaryArray<UInt32Type> {
    let (mut local, mut texts) = (FxHashMap::default(), Vec::new());
    let mut key = |place: u32| {
        *local.entry(place).or_insert_with(|| {
            texts.push(text(place));
            texts.len() as u32 - 1
        })
    };
    let keys: UInt32Array =
        places.iter().map(|&place| (place != NONE).then(|| key(place))).collect();
    let texts = Arc::new(StringArray::from_iter_values(texts));
    DictionaryArray::try_new(keys, texts).expect("every key has a text")
}
