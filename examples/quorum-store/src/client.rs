//! Tribunal's client: the workload `register`, each call to the node it is bound to.

use std::process::ExitCode;
use std::time::Duration;

use async_trait::async_trait;
use substrate::{Link, LinkError};
use tribunal_client::{Call, Client, Failure, Node, Outcome, Reply, serve};

use crate::message::{ClientAnswer, ClientRequest, Versioned};

/// Longer than the harness waits for a call; it ends a connection that is dead.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves the client protocol.
#[tokio::main(flavor = "current_thread")]
pub async fn run() -> anyhow::Result<ExitCode> {
    Ok(serve(&["register"], |_| QuorumClient::default()).await)
}

/// Whether the node at `address` answers.
#[tokio::main(flavor = "current_thread")]
pub async fn ready(address: &str) -> anyhow::Result<ExitCode> {
    let link = Link::<ClientRequest, ClientAnswer>::new(address, Duration::from_secs(1));
    link.ask(ClientRequest::Ping).await?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Default)]
struct QuorumClient {
    address: String,
    link: Option<Link<ClientRequest, ClientAnswer>>,
}

#[async_trait]
impl Client for QuorumClient {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        let port = node.ports.get("client").copied().unwrap_or(7200);
        self.address = format!("{}:{port}", node.ip);
        let link = Link::new(&self.address, PATIENCE);
        link.connect().await.map_err(Failure::fail)?;
        self.link = Some(link);
        Ok(())
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        let key = call.key.as_ref().map(ToString::to_string).unwrap_or_default();
        let (request, reads) = match &*call.f {
            "read" => (ClientRequest::Read { key }, true),
            "write" => (ClientRequest::Write { key, value: call.value.clone() }, false),
            other => return Err(Failure::fail(format!("quorum-store has no `{other}`"))),
        };
        // Taken out, so that a call cut off by its deadline leaves no connection
        // behind on which its answer is still to come.
        let link = self.link.take().unwrap_or_else(|| Link::new(&self.address, PATIENCE));
        let answer = link.ask(request).await.map_err(|error| match error {
            LinkError::Unreached { .. } => Failure::fail(error),
            // A read that was not answered has changed nothing.
            LinkError::Unanswered { .. } if reads => Failure::fail(error),
            LinkError::Unanswered { .. } => Failure::info(error),
        })?;
        self.link = Some(link);
        match answer {
            ClientAnswer::Done(None) => Ok(Reply::default()),
            ClientAnswer::Done(Some(Versioned { value, stamp })) => {
                Ok(Reply::of(value).with("counter", stamp.counter).with("node", stamp.node))
            }
            ClientAnswer::Refused(why) => Err(Failure::Fail(why)),
            ClientAnswer::Unknown(why) => Err(Failure::Info(why)),
        }
    }

    async fn close(&mut self) {
        self.link = None;
    }
}
