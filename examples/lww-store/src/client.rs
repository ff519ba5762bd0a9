//! Tribunal's client: the workloads `lww` and `register`, each call to the node it is bound to.

use std::process::ExitCode;

use async_trait::async_trait;
use substrate::{Door, knock};
use tribunal_client::{Call, Client, Failure, Node, Outcome, Reply, Value, serve};

use crate::PORT;
use crate::message::{ClientAnswer, ClientRequest, Versioned};

/// Serves the client protocol. A key that holds nothing reads as `empty`, and is
/// deleted by a write of that.
#[tokio::main(flavor = "current_thread")]
pub async fn run(empty: Value) -> anyhow::Result<ExitCode> {
    let client = |_: &str| LwwClient { empty: empty.clone(), ..Default::default() };
    Ok(serve(&["lww", "register"], client).await)
}

/// Whether the node at `address` answers.
#[tokio::main(flavor = "current_thread")]
pub async fn ready(address: &str) -> anyhow::Result<ExitCode> {
    let _: ClientAnswer = knock(address, ClientRequest::Ping).await?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Default)]
struct LwwClient {
    empty: Value,
    door: Door<ClientRequest, ClientAnswer>,
}

#[async_trait]
impl Client for LwwClient {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        self.door.open(node, PORT).await
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        let key = call.key.as_ref().map(ToString::to_string).unwrap_or_default();
        let (request, changes) = match &*call.f {
            "read" => (ClientRequest::Read { key }, false),
            "write" if call.value == self.empty => {
                (ClientRequest::Write { key, value: Value::Null }, true)
            }
            "write" => (ClientRequest::Write { key, value: call.value.clone() }, true),
            other => return Err(Failure::fail(format!("lww-store has no `{other}`"))),
        };
        match self.door.ask(request, changes).await? {
            ClientAnswer::Done(None) => Ok(Reply::of(self.empty.clone())),
            ClientAnswer::Done(Some(Versioned { value, stamp })) => {
                let value = if value.is_null() { self.empty.clone() } else { value };
                Ok(Reply::of(value).with("timestamp", stamp.ns).with("node", stamp.node))
            }
            ClientAnswer::Refused(why) => Err(Failure::Fail(why)),
            ClientAnswer::Unknown(why) => Err(Failure::Info(why)),
        }
    }

    async fn close(&mut self) {
        self.door.close();
    }
}
