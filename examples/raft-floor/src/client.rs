//! Tribunal's client of any database on this floor: each call to the node it is bound to.

use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;

use async_trait::async_trait;
use substrate::{Door, LinkError, knock};
use tribunal_client::{Call, Client, Failure, Node, Outcome, serve};

use crate::database::Database;
use crate::message::{ClientAnswer, ClientRequest, Request};

type NodeDoor<D> = Door<
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
    knock::<ClientRequest<D::Change, D::Question>, _>(address, ClientRequest::Role).await
}

struct RaftClient<D: Database> {
    /// Its name for its changes, which no other client has.
    name: String,
    /// How many changes it has asked for.
    sequence: u64,
    door: NodeDoor<D>,
    workload: String,
    memory: D::Memory,
}

impl<D: Database> RaftClient<D> {
    fn new(workload: &str) -> Self {
        let name = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
        let (workload, memory) = (workload.to_owned(), D::memory(workload));
        Self { name, sequence: 0, door: Door::default(), workload, memory }
    }
}

#[async_trait]
impl<D: Database> Client for RaftClient<D> {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        // It is another process that goes on, who remembers nothing.
        self.memory = D::memory(&self.workload);
        self.door.open(node, D::PORT).await
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        let request = D::request(&self.memory, call)?;
        let changes = matches!(request, Request::Change(_));
        self.sequence += 1;
        let (client, sequence) = (self.name.clone(), self.sequence);
        let request = ClientRequest::Perform { client, sequence, request };
        match self.door.ask(request, changes).await? {
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
        self.door.close();
    }
}
