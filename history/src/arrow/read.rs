//! Reading the store format: chunk by chunk, straight into columns.

use std::io::Read;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowDictionaryKeyType, Int64Type, UInt8Type, UInt32Type, UInt64Type};
use arrow_array::{Array, DictionaryArray, RecordBatch};
use arrow_buffer::{ArrowNativeType, Buffer};
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::Schema;
use serde_json::Value;

use super::message::Message;
use super::{KINDS, NO_REAL_TIME, schema};
use crate::columns::{Columns, ERROR, NEMESIS, NONE};
use crate::history::HistoryError;
use crate::jsonl::{ReadError, Tail};
use crate::{Datum, History, Kind};

/// How a file in this format begins: no text does.
pub const MAGIC: [u8; 4] = [0xff; 4];

/// Reads a history until the reader's end.
pub fn read_from(mut from: impl Read, tail: Tail) -> Result<History, ReadError> {
    let (mut decoder, mut columns) = (StreamDecoder::new(), Columns::default());
    loop {
        let message = Message::read(&mut from)?;
        let message = match message {
            Message::Whole(bytes) => bytes,
            Message::End => break,
            Message::CutOff if tail == Tail::MayBeTorn => break,
            Message::CutOff => return Err(damaged(&columns, "the file was cut off here")),
            Message::Damaged(why) => return Err(damaged(&columns, why)),
        };
        let batch = decoder.decode(&mut Buffer::from(message));
        let batch = batch.map_err(|why| damaged(&columns, why))?;
        let other = decoder.schema().filter(|found| found.fields() != schema().fields());
        if let Some(found) = other {
            return Err(damaged(&columns, other_columns(&found)));
        }
        if let Some(batch) = batch {
            let added = add(&mut columns, &batch);
            added.map_err(|why| damaged(&columns, why))?;
        }
    }
    let history = History::of(columns).map_err(|HistoryError { line, reason }| {
        ReadError::Store(format!("event {}: {reason}", line - 1))
    })?;
    let (name, value) = NO_REAL_TIME;
    let metadata = decoder.schema().map(|schema| schema.metadata().get(name).cloned());
    let timeless = metadata.flatten().as_deref() == Some(value);
    Ok(if timeless { history.without_real_time() } else { history })
}

fn damaged(columns: &Columns, why: impl std::fmt::Display) -> ReadError {
    ReadError::Store(format!("after {} events: {why}", columns.len()))
}

/// Adds the rows of a chunk, column by column.
fn add(columns: &mut Columns, batch: &RecordBatch) -> Result<(), String> {
    let dictionary = |at: usize| batch.column(at).as_dictionary::<UInt32Type>();
    columns.time.extend_from_slice(batch.column(0).as_primitive::<UInt64Type>().values());
    let process = batch.column(1).as_primitive::<UInt32Type>();
    columns.process.extend(process.iter().map(|it| it.unwrap_or(NEMESIS)));
    let kinds = translate(batch.column(2).as_dictionary::<UInt8Type>(), |text| {
        let kind = KINDS.iter().position(|&it| it == text).map(|at| ALL_KINDS[at]);
        kind.ok_or_else(|| format!("{text:?} is no type of an event"))
    })?;
    columns.kind.extend(kinds.into_iter().collect::<Option<Vec<_>>>().ok_or("a type is null")?);
    let names = &mut columns.names;
    let f = translate(dictionary(3), |text| Ok(names.place(text)))?;
    columns.f.extend(f.into_iter().collect::<Option<Vec<_>>>().ok_or("an f is null")?);
    let node = translate(dictionary(8), |text| Ok(names.place(text)))?;
    columns.node.extend(node.into_iter().map(|it| it.unwrap_or(NONE)));
    let key = translate(dictionary(4), |text| {
        let datum = columns.values.intern(&json(text)?);
        Ok(columns.key_place(datum))
    })?;
    columns.key.extend(key.into_iter().map(|it| it.unwrap_or(NONE)));
    add_values(columns, batch)?;
    add_extras(columns, batch)
}

const ALL_KINDS: [Kind; 4] = [Kind::Invoke, Kind::Ok, Kind::Fail, Kind::Info];

fn other_columns(schema: &Schema) -> String {
    let found: Vec<&str> = schema.fields().iter().map(|it| it.name().as_str()).collect();
    format!(
        "its columns are {}; a history's are time, process, type, f, key, number, numbers, \
         json, node, error and ext, of the types that docs/formats.md lists",
        found.join(", ")
    )
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{text} is no JSON: {error}"))
}

/// A column of texts, each text looked up once.
fn translate<K: ArrowDictionaryKeyType, T: Copy>(
    column: &DictionaryArray<K>,
    meaning: impl FnMut(&str) -> Result<T, String>,
) -> Result<Vec<Option<T>>, String> {
    let texts = column.values().as_string::<i32>();
    let meanings = texts.iter().map(Option::unwrap_or_default).map(meaning);
    let meanings: Vec<T> = meanings.collect::<Result<_, _>>()?;
    let meaning = |key: K::Native| meanings.get(key.as_usize()).copied();
    Ok(column.keys().iter().map(|key| key.and_then(meaning)).collect())
}

fn add_values(columns: &mut Columns, batch: &RecordBatch) -> Result<(), String> {
    let number = batch.column(5).as_primitive::<Int64Type>();
    let numbers = batch.column(6).as_list::<i32>();
    let any = batch.column(7).as_string::<i32>();
    let elements = numbers.values().as_primitive::<Int64Type>();
    if elements.null_count() > 0 {
        return Err("a list of numbers holds a null".to_owned());
    }
    let values = &mut columns.values;
    let mut list: Vec<Datum> = Vec::new();
    for at in 0..batch.num_rows() {
        columns.value.push(if number.is_valid(at) {
            values.int(number.value(at))
        } else if numbers.is_valid(at) {
            let ends = numbers.value_offsets();
            let elements = &elements.values()[ends[at] as usize..ends[at + 1] as usize];
            list.clear();
            list.extend(elements.iter().map(|&it| values.int(it)));
            values.list(&list)
        } else if any.is_valid(at) {
            values.intern(&json(any.value(at))?)
        } else {
            Datum::NULL
        });
    }
    Ok(())
}

fn add_extras(columns: &mut Columns, batch: &RecordBatch) -> Result<(), String> {
    let [error, ext] = [9, 10].map(|at| batch.column(at).as_string::<i32>());
    let none = error.null_count() == batch.num_rows() && ext.null_count() == batch.num_rows();
    if none && columns.extras.is_empty() {
        return Ok(());
    }
    let before = columns.len() - batch.num_rows();
    columns.extra_ends.resize(before, columns.extras.len() as u32);
    for at in 0..batch.num_rows() {
        if error.is_valid(at) {
            let error = columns.values.intern(&json(error.value(at))?);
            columns.extras.push((ERROR, error));
        }
        if ext.is_valid(at) {
            let Value::Object(fields) = json(ext.value(at))? else {
                return Err(format!("ext is {}, and must be an object", ext.value(at)));
            };
            for (name, value) in &fields {
                let extra = (columns.names.place(name), columns.values.intern(value));
                columns.extras.push(extra);
            }
        }
        columns.extra_ends.push(columns.extras.len() as u32);
    }
    Ok(())
}
