//! Tribunal's client: the workload `leader`, each call to the node it is bound
//! to, and `cas-register`, each call to the leader that the node points to.

use std::process::ExitCode;
use std::time::Duration;

use async_trait::async_trait;
use substrate::{Link, LinkError, Member, knock};
use tribunal_client::{Call, Client, Failure, Node, Outcome, Reply, Value, serve};

use crate::PORT;
use crate::message::{ClientAnswer, ClientRequest, Operation};

/// Longer than the harness waits for a call; it ends a connection that is dead.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a call that was certainly refused is made again: elections take a
/// while, and a hint may be out of date.
const ATTEMPTS: usize = 8;

/// How long it waits in between when nobody knows a leader.
const PAUSE: Duration = Duration::from_millis(50);

type NodeLink = Link<ClientRequest, ClientAnswer>;

/// Serves the client protocol.
#[tokio::main(flavor = "current_thread")]
pub async fn run() -> anyhow::Result<ExitCode> {
    let make = |workload: &str| LeaseClient { follows: workload != "leader", ..Default::default() };
    Ok(serve(&["leader", "cas-register", "register"], make).await)
}

/// Whether the node at `address` answers.
pub fn ready(address: &str) -> anyhow::Result<ExitCode> {
    role(address)?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the node at `address` holds itself leader.
pub fn is_leader(address: &str) -> anyhow::Result<ExitCode> {
    let leads = matches!(role(address)?, ClientAnswer::Role { leader: true, .. });
    Ok(if leads { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[tokio::main(flavor = "current_thread")]
async fn role(address: &str) -> Result<ClientAnswer, LinkError> {
    knock(address, ClientRequest::Role).await
}

#[derive(Default)]
struct LeaseClient {
    /// Whether calls go to the leader, wherever it is.
    follows: bool,
    port: u16,
    /// The address of the node it is bound to.
    bound: String,
    /// The node that answered last: the one it is bound to, or a leader.
    server: Option<Server>,
}

struct Server {
    address: String,
    link: NodeLink,
}

impl Server {
    fn at(address: String) -> Self {
        Self { link: NodeLink::new(&address, PATIENCE), address }
    }
}

#[async_trait]
impl Client for LeaseClient {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        self.port = node.ports.get("client").copied().unwrap_or(PORT);
        self.bound = format!("{}:{}", node.ip, self.port);
        let server = Server::at(self.bound.clone());
        server.link.connect().await.map_err(Failure::fail)?;
        self.server = Some(server);
        Ok(())
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        let operation = parse(call)?;
        let changes = !matches!(operation, Operation::Read { .. } | Operation::Probe);
        let attempts = if self.follows { ATTEMPTS } else { 1 };
        let mut refusal = "the node is not the leader".to_owned();
        for attempt in 1..=attempts {
            // Taken out, so that a call cut off by its deadline leaves no
            // connection behind on which its answer is still to come.
            let server = self.server.take().unwrap_or_else(|| Server::at(self.bound.clone()));
            match server.link.ask(ClientRequest::Perform(operation.clone())).await {
                Ok(ClientAnswer::NotLeader { leader }) if self.follows && attempt < attempts => {
                    self.follow(leader).await;
                }
                Ok(answer) => {
                    self.server = Some(server);
                    return conclude(call, answer);
                }
                Err(error @ LinkError::Unreached { .. }) => {
                    refusal = error.to_string();
                    if server.address == self.bound {
                        break;
                    }
                }
                Err(error) => return Err(error.failure(changes)),
            }
        }
        Err(Failure::Fail(refusal))
    }

    async fn close(&mut self) {
        self.server = None;
    }
}

impl LeaseClient {
    /// Turns to the leader that was named, or back to its own node after a while.
    async fn follow(&mut self, leader: Option<Member>) {
        match leader {
            Some(leader) => {
                self.server = Some(Server::at(format!("{}:{}", leader.ip, self.port)));
            }
            None => tokio::time::sleep(PAUSE).await,
        }
    }
}

fn parse(call: &Call) -> Result<Operation, Failure> {
    let key = call.key.as_ref().map(ToString::to_string).unwrap_or_default();
    match (&*call.f, &call.value) {
        ("probe", _) => Ok(Operation::Probe),
        ("read", _) => Ok(Operation::Read { key }),
        ("write", value) => Ok(Operation::Write { key, value: value.clone() }),
        ("cas", Value::Array(pair)) if pair.len() == 2 => {
            Ok(Operation::Cas { key, old: pair[0].clone(), new: pair[1].clone() })
        }
        (f, value) => Err(Failure::fail(format!("lease-store has no `{f}` of {value}"))),
    }
}

fn conclude(call: &Call, answer: ClientAnswer) -> Outcome {
    match answer {
        ClientAnswer::Role { node, leader, term } => {
            let role = if leader { "leader" } else { "follower" };
            Ok(Reply::of(serde_json::json!({"node": node, "role": role, "term": term})))
        }
        ClientAnswer::Done { node, term, value, swapped } => {
            let reply = match &*call.f {
                "cas" if swapped => Reply::of(call.value.clone()),
                "cas" => Reply::of(call.value.clone()).with("swapped", false).with("found", value),
                _ => Reply::of(value),
            };
            Ok(reply.with("node", node).with("term", term))
        }
        ClientAnswer::NotLeader { .. } => Err(Failure::fail("the node is not the leader")),
        ClientAnswer::Unknown(why) => Err(Failure::Info(why)),
    }
}
