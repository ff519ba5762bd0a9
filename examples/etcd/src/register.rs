//! `read`, `write` and `cas` of one key each, as etcd's get, put and transaction.

use async_trait::async_trait;
use clap::ValueEnum;
use etcd_client::{Client as Etcd, Compare, CompareOp, GetOptions, Txn, TxnOp, TxnOpResponse};
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::bound::{Calls, Link, place, unknown};
use crate::failure::{of_change, parse, revised};

/// What reads ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reads {
    /// What a majority has acknowledged: etcd's default.
    Linearizable,
    /// What the node itself knows, however old that is.
    Serializable,
}

/// Registers.
pub struct Register {
    /// What reads ask for.
    pub reads: Reads,
}

#[async_trait]
impl Calls for Register {
    async fn perform(&mut self, link: &mut Link, call: &Call) -> Outcome {
        let (etcd, key) = (&mut link.etcd, place(call));
        match (&*call.f, &call.value) {
            ("read", _) => read(etcd, key, self.reads).await,
            ("write", value) => write(etcd, key, value).await,
            ("cas", Value::Array(pair)) if pair.len() == 2 => {
                cas(etcd, key, &pair[0], &pair[1]).await
            }
            _ => Err(unknown(call)),
        }
    }
}

/// What a key holds, or null.
pub async fn read(etcd: &mut Etcd, key: String, reads: Reads) -> Outcome {
    let options = match reads {
        Reads::Linearizable => None,
        Reads::Serializable => Some(GetOptions::new().with_serializable()),
    };
    // A read that was not answered has changed nothing.
    let got = etcd.get(key, options).await.map_err(Failure::fail)?;
    let value = got.kvs().first().map_or(Ok(Value::Null), parse)?;
    Ok(revised(Reply::of(value), got.header()))
}

async fn write(etcd: &mut Etcd, key: String, value: &Value) -> Outcome {
    let put = etcd.put(key, value.to_string(), None).await.map_err(of_change)?;
    Ok(revised(Reply::of(value.clone()), put.header()))
}

/// Compares values, not revisions, and gets what is there when they differ: a
/// failed compare-and-set is as good as a read.
async fn cas(etcd: &mut Etcd, key: String, old: &Value, new: &Value) -> Outcome {
    let same = match old {
        Value::Null => Compare::version(key.clone(), CompareOp::Equal, 0),
        old => Compare::value(key.clone(), CompareOp::Equal, old.to_string()),
    };
    let txn = Txn::new()
        .when([same])
        .and_then([TxnOp::put(key.clone(), new.to_string(), None)])
        .or_else([TxnOp::get(key, None)]);
    let done = etcd.txn(txn).await.map_err(of_change)?;
    let mut reply = Reply::of(vec![old.clone(), new.clone()]);
    if !done.succeeded() {
        let found = match done.op_responses().first() {
            Some(TxnOpResponse::Get(got)) => got.kvs().first().map_or(Ok(Value::Null), parse)?,
            other => return Err(Failure::info(format!("etcd answered a get with {other:?}"))),
        };
        reply = reply.with("swapped", false).with("found", found);
    }
    Ok(revised(reply, done.header()))
}
