//! Tribunal's client of any database on this floor: each call to the node it is bound to.

use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;
use std::time::Duration;

use async_trait::async_trait;
use substrate::{Link, LinkError};
use tribunal_client::{Call, Client, Failure, Node, Outcome, serve};

use crate::database::Database;
use crate::message::{ClientAnswer, ClientRequest, Request};

/// Longer than the harness waits for a call; it ends a connection that is dead.
const PATIENCE: Duration = Duration::from_secs(5);

type NodeLink<D> = Link<
    ClientRequest<<D as Database>::Change, <D as Database>::Question>,
    ClientAnswer<<D as Database>::Answer>,
>;

/// Serves the client protocol.
#[tokio::main(flavor = "current_thread")]
pub async fn run<D: Database>() -> anyhow::Result<ExitCode> {
    Ok(serve(D::WORKLOADS, RaftClient::<D>::new).await)
}

/// Whether the node at `address` answers and knows a leader.
pub fn ready<D: Database>(address: &str) -> anyhow::Result<ExitCode> {
    let serves = matches!(role::<D>(address)?, ClientAnswer::Role { serves: true, .. });
    Ok(if serves { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the node at `address` holds itself leader.
pub fn is_leader<D: Database>(address: &str) -> anyhow::Result<ExitCode> {
    let leads = matches!(role::<D>(address)?, ClientAnswer::Role { leader: true, .. });
    Ok(if leads { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[tokio::main(flavor = "current_thread")]
async fn role<D: Database>(address: &str) -> Result<ClientAnswer<D::Answer>, LinkError> {
    NodeLink::<D>::new(address, Duration::from_secs(1)).ask(ClientRequest::Role).await
}

struct RaftClient<D: Database> {
    /// Its name for its changes, which no other client has.
    name: String,
    /// How many changes it has asked for.
    sequence: u64,
    address: String,
    link: Option<NodeLink<D>>,
    memory: D::Memory,
}

impl<D: Database> RaftClient<D> {
    fn new(workload: &str) -> Self {
        let name = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
        let memory = D::memory(workload);
        Self { name, sequence: 0, address: String::new(), link: None, memory }
    }
}

#[async_trait]
impl<D: Database> Client for RaftClient<D> {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        let port = node.ports.get("client").copied().unwrap_or(D::PORT);
        self.address = format!("{}:{port}", node.ip);
        let link = Link::new(&self.address, PATIENCE);
        link.connect().await.map_err(Failure::fail)?;
        self.link = Some(link);
        Ok(())
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        let request = D::request(&self.memory, call)?;
        let asks = matches!(request, Request::Ask(_));
        self.sequence += 1;
        let (client, sequence) = (self.name.clone(), self.sequence);
        // Taken out, so that a call cut off by its deadline leaves no connection
        // behind on which its answer is still to come.
        let link = self.link.take().unwrap_or_else(|| Link::new(&self.address, PATIENCE));
        let asked = link.ask(ClientRequest::Perform { client, sequence, request }).await;
        let answer = asked.map_err(|error| match error {
            LinkError::Unreached { .. } => Failure::fail(error),
            // A question that was not answered has changed nothing.
            LinkError::Unanswered { .. } if asks => Failure::fail(error),
            LinkError::Unanswered { .. } => Failure::info(error),
        })?;
        self.link = Some(link);
        match answer {
            ClientAnswer::Done { answer, node, term } => {
                let reply = D::conclude(&mut self.memory, call, answer)?;
                Ok(reply.with("node", node).with("term", term))
            }
            ClientAnswer::Refused(why) => Err(Failure::Fail(why)),
            ClientAnswer::Unknown(why) => Err(Failure::Info(why)),
            ClientAnswer::Role { .. } => Err(Failure::info("the node answered something else")),
        }
    }

    async fn close(&mut self) {
        self.link = None;
    }
}
