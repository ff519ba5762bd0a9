//! Tribunal's client: the workload `register`, each call to the node it is bound to.

use std::process::ExitCode;

use async_trait::async_trait;
use substrate::{Door, knock};
use tribunal_client::{Call, Client, Failure, Node, Outcome, Reply, serve};

use crate::PORT;
use crate::message::{ClientAnswer, ClientRequest, Versioned};

/// Serves the client protocol.
#[tokio::main(flavor = "current_thread")]
pub async fn run() -> anyhow::Result<ExitCode> {
    Ok(serve(&["register"], |_| QuorumClient::default()).await)
}

/// Whether the node at `address` answers.
#[tokio::main(flavor = "current_thread")]
pub async fn ready(address: &str) -> anyhow::Result<ExitCode> {
    let _: ClientAnswer = knock(address, ClientRequest::Ping).await?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Default)]
struct QuorumClient {
    door: Door<ClientRequest, ClientAnswer>,
}

#[async_trait]
impl Client for QuorumClient {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        self.door.open(node, PORT).await
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        let key = call.key.as_ref().map(ToString::to_string).unwrap_or_default();
        let (request, changes) = match &*call.f {
            "read" => (ClientRequest::Read { key }, false),
            "write" => (ClientRequest::Write { key, value: call.value.clone() }, true),
            other => return Err(Failure::fail(format!("quorum-store has no `{other}`"))),
        };
        match self.door.ask(request, changes).await? {
            ClientAnswer::Done(None) => Ok(Reply::default()),
            ClientAnswer::Done(Some(Versioned { value, stamp })) => {
                Ok(Reply::of(value).with("counter", stamp.counter).with("node", stamp.node))
            }
            ClientAnswer::Refused(why) => Err(Failure::Fail(why)),
            ClientAnswer::Unknown(why) => Err(Failure::Info(why)),
        }
    }

    async fn close(&mut self) {
        self.door.close();
    }
}
