//! Tribunal's client: the workloads `lww` and `register`, each call to the node it is bound to.

use std::process::ExitCode;
use std::time::Duration;

use async_trait::async_trait;
use substrate::{Link, LinkError};
use tribunal_client::{Call, Client, Failure, Node, Outcome, Reply, Value, serve};

use crate::message::{ClientAnswer, ClientRequest, Versioned};

/// Longer than the harness waits for a call; it ends a connection that is dead.
const PATIENCE: Duration = Duration::from_secs(5);

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
    let link = Link::<ClientRequest, ClientAnswer>::new(address, Duration::from_secs(1));
    link.ask(ClientRequest::Ping).await?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Default)]
struct LwwClient {
    empty: Value,
    address: String,
    link: Option<Link<ClientRequest, ClientAnswer>>,
}

#[async_trait]
impl Client for LwwClient {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        let port = node.ports.get("client").copied().unwrap_or(7000);
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
            "write" if call.value == self.empty => {
                (ClientRequest::Write { key, value: Value::Null }, false)
            }
            "write" => (ClientRequest::Write { key, value: call.value.clone() }, false),
            other => return Err(Failure::fail(format!("lww-store has no `{other}`"))),
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
        self.link = None;
    }
}
