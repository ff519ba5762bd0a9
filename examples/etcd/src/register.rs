//! `read`, `write` and `cas` of one key each, as etcd's get, put and transaction.

use std::time::Duration;

use async_trait::async_trait;
use etcd_client::{
    Client as Etcd, Compare, CompareOp, ConnectOptions, Error, KeyValue, ResponseHeader, Txn,
    TxnOp, TxnOpResponse,
};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tribunal_client::{Call, Client, Failure, Node, Outcome, Reply, Value};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// A client of one etcd node.
#[derive(Default)]
pub struct Register {
    address: String,
    etcd: Option<Etcd>,
}

#[async_trait]
impl Client for Register {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        self.address = format!("{}:{}", node.ip, node.ports.get("client").unwrap_or(&2379));
        self.etcd = Some(connect(&self.address).await?);
        Ok(())
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        // Taken out and given back only after an answer: whatever went wrong, the
        // next call gets a connection of its own.
        let mut etcd = match self.etcd.take() {
            Some(etcd) => etcd,
            None => connect(&self.address).await?,
        };
        let key = format!("tribunal/{}", call.key.as_ref().unwrap_or(&Value::Null));
        let reply = match (&*call.f, &call.value) {
            ("read", _) => read(&mut etcd, key).await,
            ("write", value) => write(&mut etcd, key, value).await,
            ("cas", Value::Array(pair)) if pair.len() == 2 => {
                cas(&mut etcd, key, &pair[0], &pair[1]).await
            }
            (f, value) => return Err(Failure::fail(format!("there is no `{f}` of {value}"))),
        }?;
        self.etcd = Some(etcd);
        Ok(reply)
    }

    async fn close(&mut self) {
        self.etcd = None;
    }
}

/// A connection to `address`. The first one, which carries nothing, tells whether
/// anybody listens there; if not, no call was made for certain.
async fn connect(address: &str) -> Result<Etcd, Failure> {
    match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(Failure::fail(format!("cannot reach {address}: {error}"))),
        Err(_) => {
            return Err(Failure::fail(format!("cannot reach {address}: no connection in time")));
        }
    }
    let options = ConnectOptions::new().with_connect_timeout(CONNECT);
    // Without a user and a password this sends nothing.
    Etcd::connect([address], Some(options)).await.map_err(Failure::fail)
}

async fn read(etcd: &mut Etcd, key: String) -> Outcome {
    // A read that was not answered has changed nothing.
    let got = etcd.get(key, None).await.map_err(Failure::fail)?;
    let value = got.kvs().first().map_or(Ok(Value::Null), parse)?;
    Ok(revised(Reply::of(value), got.header()))
}

async fn write(etcd: &mut Etcd, key: String, value: &Value) -> Outcome {
    let put = etcd.put(key, value.to_string(), None).await.map_err(failure)?;
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
    let done = etcd.txn(txn).await.map_err(failure)?;
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

fn parse(pair: &KeyValue) -> Result<Value, Failure> {
    serde_json::from_slice(pair.value()).map_err(|error| {
        let text = String::from_utf8_lossy(pair.value());
        Failure::info(format!("etcd holds `{text}`, which no call wrote: {error}"))
    })
}

fn revised(reply: Reply, header: Option<&ResponseHeader>) -> Reply {
    match header {
        Some(header) => reply.with("revision", header.revision()),
        None => reply,
    }
}

/// Only what etcd refuses before it proposes anything to Raft certainly does not happen.
fn failure(error: Error) -> Failure {
    let refused = match &error {
        Error::GRpcStatus(status) => status.message() == "etcdserver: too many requests",
        Error::InvalidArgs(_) => true,
        _ => false,
    };
    if refused { Failure::fail(error) } else { Failure::info(error) }
}
