//! Makes a history of what a file says: order, times, and a process for every thread of calls.

use std::collections::{HashMap, HashSet};

use super::error::{ImportError, Problem};
use super::record::Record;
use super::remark::Remark;
use super::text::Position;
use crate::columns::Columns;
use crate::{History, Kind, Nanos, Process, Reason};

/// How far a time may be behind the one before it, in ns. Threads that stamp their events and
/// then wait for each other to record them leave such times; the order of the file is then the true
/// one, because a call leaves after it was recorded, and an answer is recorded after it is in.
const RACE: Nanos = 1_000_000_000;

/// The history, and what had to be said or changed to make it one.
pub(super) fn assemble(mut records: Vec<Record>) -> Result<(History, Vec<Remark>), ImportError> {
    let mut remarks = Vec::new();
    order(&records, &mut remarks)?;
    times(&mut records, &mut remarks)?;
    retire(&mut records, &mut remarks);
    let without_process = records.iter().filter(|record| !record.has_process).count() as u64;
    if without_process > 0 {
        remarks.push(Remark::NoProcess(without_process));
    }
    Ok((in_columns(records)?, remarks))
}

/// The events one by one, so that no two copies of all of them are held.
fn in_columns(records: Vec<Record>) -> Result<History, ImportError> {
    let mut columns = Columns::default();
    columns.reserve(records.len());
    let mut places: Vec<Position> = Vec::with_capacity(records.len());
    for record in records {
        let pushed = columns.push_event(&record.event);
        let too_large = Problem::History(Reason::ProcessTooLarge);
        pushed.ok_or_else(|| ImportError::at(record.at, too_large))?;
        places.push(record.at);
    }
    History::of(columns).map_err(|error| {
        let at = places[error.line - 1];
        ImportError::at(at, Problem::History(error.reason))
    })
}

/// Indexes must rise where they are given. They need not be dense: other tools count from 1,
/// and a filtered history has gaps.
fn order(records: &[Record], remarks: &mut Vec<Remark>) -> Result<(), ImportError> {
    let mut last: Option<u64> = None;
    let mut moved = false;
    for (position, record) in records.iter().enumerate() {
        let Some(found) = record.index else { continue };
        if let Some(before) = last.filter(|&before| before >= found) {
            return Err(ImportError::at(record.at, Problem::IndexOrder { found, before }));
        }
        last = Some(found);
        moved |= found != position as u64;
    }
    if moved {
        remarks.push(Remark::Renumbered);
    }
    Ok(())
}

/// Gives every event a time, never one before the last. Where there is none at all, it is the
/// event's position.
fn times(records: &mut [Record], remarks: &mut Vec<Remark>) -> Result<(), ImportError> {
    if records.iter().all(|record| record.time.is_none()) {
        for (position, record) in records.iter_mut().enumerate() {
            record.event.time = position as Nanos;
        }
        return Ok(());
    }
    let (mut last, mut moved, mut furthest) = (0, 0, 0);
    for record in records {
        let found = record.time.unwrap_or(last);
        let behind = last.saturating_sub(found);
        if behind > RACE {
            let problem = Problem::TimeRanBack { found, before: last };
            return Err(ImportError::at(record.at, problem));
        }
        moved += u64::from(behind > 0);
        furthest = furthest.max(behind);
        last = last.max(found);
        record.event.time = last;
    }
    if moved > 0 {
        remarks.push(Remark::TimesMoved { events: moved, furthest });
    }
    Ok(())
}

/// Gives a process that goes on after an info a new number, as Jepsen does and others do not: its
/// call may still take effect beside the next ones.
fn retire(records: &mut [Record], remarks: &mut Vec<Remark>) {
    let used: HashSet<u64> = records.iter().filter_map(Record::client).collect();
    let mut unused = (0..).filter(|number| !used.contains(number));
    let mut crashed: HashSet<u64> = HashSet::new();
    let mut numbers: HashMap<u64, u64> = HashMap::new();
    for record in records {
        let Some(process) = record.client() else { continue };
        if record.event.kind == Kind::Invoke && crashed.remove(&process) {
            numbers.extend(unused.next().map(|number| (process, number)));
        }
        if record.event.kind == Kind::Info {
            crashed.insert(process);
        }
        record.event.process = Process::Client(numbers.get(&process).copied().unwrap_or(process));
    }
    if !numbers.is_empty() {
        remarks.push(Remark::Retired(numbers.len() as u64));
    }
}
