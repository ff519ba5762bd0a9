//! `txn`: reads of lists and appends to them, as one transaction of etcd.
//!
//! A list is one key, a JSON array. etcd has no append and no interactive transactions, so a
//! transaction that appends is optimistic, as etcd's own STM is: all its lists are read at one
//! revision, and the new ones put in a transaction that is guarded by each list's revision
//! being what it was. One whose guard fails has done nothing, and is a `fail`. A transaction
//! that only reads is one read.

use std::collections::BTreeMap;

use async_trait::async_trait;
use etcd_client::{Client as Etcd, Compare, CompareOp, Txn, TxnOp, TxnOpResponse};
use serde_json::json;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::bound::{Calls, Link, unknown};
use crate::failure::{of_change, parse, revised};

/// Transactions on lists.
pub struct ListAppend;

#[async_trait]
impl Calls for ListAppend {
    async fn perform(&mut self, link: &mut Link, call: &Call) -> Outcome {
        let steps = steps(call).filter(|_| &*call.f == "txn").ok_or_else(|| unknown(call))?;
        let keys: Vec<&str> = steps.iter().map(|step| step.key).collect();
        let mut lists = snapshot(&mut link.etcd, keys).await?;
        let answer: Vec<Value> = steps.iter().map(|step| step.on(&mut lists)).collect();
        let reply = Reply::of(answer);
        if lists.values().any(|list| list.changed) {
            return commit(&mut link.etcd, lists, reply).await;
        }
        Ok(reply)
    }
}

/// One micro-operation.
struct Step<'c> {
    key: &'c str,
    /// What it appends; a read appends nothing.
    append: Option<&'c Value>,
}

impl Step<'_> {
    /// Does it, and tells what was done.
    fn on(&self, lists: &mut BTreeMap<String, List>) -> Value {
        let list = lists.entry(self.key.to_owned()).or_default();
        match self.append {
            None => json!(["r", self.key, list.values]),
            Some(value) => {
                list.values.get_or_insert_default().push(value.clone());
                list.changed = true;
                json!(["append", self.key, value])
            }
        }
    }
}

/// The micro-operations of a call, if that is what it has.
fn steps(call: &Call) -> Option<Vec<Step<'_>>> {
    call.value.as_array()?.iter().map(step).collect()
}

fn step(step: &Value) -> Option<Step<'_>> {
    let [f, key, value] = step.as_array()?.as_slice() else { return None };
    let append = match f.as_str()? {
        "r" => None,
        "append" => Some(value),
        _ => return None,
    };
    Some(Step { key: key.as_str()?, append })
}

/// A list, as it is in a transaction.
#[derive(Default)]
struct List {
    /// `None` where there is no such key.
    values: Option<Vec<Value>>,
    /// When the key was changed last; 0 where there is none.
    revision: i64,
    /// Whether the transaction appended to it.
    changed: bool,
}

fn place(key: &str) -> String {
    format!("tribunal/list/{key}")
}

/// The lists of these keys, all at one revision.
async fn snapshot(etcd: &mut Etcd, mut keys: Vec<&str>) -> Result<BTreeMap<String, List>, Failure> {
    keys.sort_unstable();
    keys.dedup();
    let gets: Vec<TxnOp> = keys.iter().map(|key| TxnOp::get(place(key), None)).collect();
    // Only reads, which change nothing if they are not answered.
    let read = etcd.txn(Txn::new().and_then(gets)).await.map_err(Failure::fail)?;
    let answers = read.op_responses();
    if answers.len() != keys.len() {
        return Err(Failure::fail(format!("{} gets had {} answers", keys.len(), answers.len())));
    }
    keys.into_iter().zip(answers).map(|(key, got)| Ok((key.to_owned(), list(got)?))).collect()
}

fn list(answer: TxnOpResponse) -> Result<List, Failure> {
    let TxnOpResponse::Get(got) = answer else {
        return Err(Failure::fail(format!("etcd answered a get with {answer:?}")));
    };
    let Some(pair) = got.kvs().first() else { return Ok(List::default()) };
    match parse(pair)? {
        Value::Array(values) => {
            Ok(List { values: Some(values), revision: pair.mod_revision(), changed: false })
        }
        other => Err(Failure::info(format!("etcd holds {other}, which is no list"))),
    }
}

/// Puts the lists that were changed, if none of all was changed by another.
async fn commit(etcd: &mut Etcd, lists: BTreeMap<String, List>, reply: Reply) -> Outcome {
    let guard = |(key, list): (&String, &List)| {
        Compare::mod_revision(place(key), CompareOp::Equal, list.revision)
    };
    let guards: Vec<Compare> = lists.iter().map(guard).collect();
    let changed = lists.into_iter().filter(|(_, list)| list.changed);
    let puts: Vec<TxnOp> = changed
        .map(|(key, list)| {
            TxnOp::put(place(&key), Value::from(list.values.unwrap_or_default()).to_string(), None)
        })
        .collect();
    let done = etcd.txn(Txn::new().when(guards).and_then(puts)).await.map_err(of_change)?;
    if !done.succeeded() {
        return Err(Failure::fail("another transaction changed a list meanwhile"));
    }
    Ok(revised(reply, done.header()))
}
