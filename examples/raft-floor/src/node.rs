//! A node: it performs what clients want itself while it leads, and by way of the leader
//! otherwise, again and again until it knows how that ended or time is up.

use std::collections::HashMap;
use std::time::Duration;

use openraft::Raft;
use openraft::error::RaftError;
use openraft::raft::ClientWriteResponse;
use serde_json::Value;
use substrate::LinkError;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::database::Flaw;
use crate::machine::Machine;
use crate::message::{Order, PeerAnswer, PeerRequest, Performed};
use crate::network::PeerLink;
use crate::store::Store;
use crate::types::{Command, NodeId, Snapshot, Types};

/// How long a node tries; less than clients wait.
const PATIENCE: Duration = Duration::from_millis(900);

/// How long it waits before it tries again.
const PAUSE: Duration = Duration::from_millis(20);

/// A member of the cluster.
pub struct Node {
    /// Its number.
    pub own: NodeId,
    /// Its name.
    pub name: String,
    /// Raft.
    pub raft: Raft<Types>,
    /// What is applied.
    pub store: Store,
    /// The other members, for what clients want.
    pub links: HashMap<NodeId, PeerLink>,
    /// What it does wrong, if anything.
    pub flaw: Option<Flaw>,
    /// What the leader of this term has applied and not committed; nothing in a correct database.
    pub ahead: Mutex<Option<(u64, Box<dyn Machine>)>>,
}

impl Node {
    /// Has an order performed. `Refused` says that it never happens, whoever was asked.
    pub async fn perform(&self, order: Order) -> Performed {
        if !self.store.knows(&order) {
            return Performed::Refused("the database knows no such order".into());
        }
        let deadline = Instant::now() + PATIENCE;
        let mut refusal = String::new();
        let mut doubt = None;
        while Instant::now() < deadline {
            match timeout_at(deadline, self.attempt(&order)).await {
                Ok(done @ Performed::Done { .. }) => return done,
                Ok(Performed::Refused(why)) => refusal = why,
                Ok(Performed::Unknown(why)) => doubt = Some(why),
                Err(_) => doubt = Some("no leader answered in time".into()),
            }
            sleep_until(deadline.min(Instant::now() + PAUSE)).await;
        }
        match (doubt, order) {
            (Some(why), Order::Change(_)) => Performed::Unknown(why),
            // A question that was not answered has changed nothing.
            (Some(why), Order::Ask(_)) => Performed::Refused(why),
            (None, _) => Performed::Refused(refusal),
        }
    }

    async fn attempt(&self, order: &Order) -> Performed {
        // THE BUG `ReadsLocally`: what the leader has by now is not asked.
        if self.flaw == Some(Flaw::ReadsLocally)
            && let Order::Ask(question) = order
        {
            return self.done(self.store.look(question));
        }
        match self.leader() {
            None => Performed::Refused("no leader is known".into()),
            Some(leader) if leader == self.own => self.lead(order.clone()).await,
            Some(leader) => {
                let asked = self.links[&leader].ask(PeerRequest::Perform(order.clone())).await;
                match asked {
                    Ok(PeerAnswer::Performed(performed)) => performed,
                    Ok(other) => Performed::Unknown(format!("unexpected answer: {other:?}")),
                    Err(error @ LinkError::Unreached { .. }) => {
                        Performed::Refused(error.to_string())
                    }
                    Err(error) => Performed::Unknown(error.to_string()),
                }
            }
        }
    }

    /// Performs an order as leader, once.
    pub async fn lead(&self, order: Order) -> Performed {
        if self.leader() != Some(self.own) {
            return Performed::Refused("the node is not the leader".into());
        }
        match order {
            Order::Change(command) if self.flaw == Some(Flaw::AppliesUncommitted) => {
                self.change_ahead(command).await
            }
            Order::Change(command) => self.change(command).await,
            Order::Ask(question) => self.ask(&question).await,
        }
    }

    /// The member that this node holds leader.
    pub fn leader(&self) -> Option<NodeId> {
        self.raft.metrics().borrow().current_leader
    }

    async fn change(&self, command: Command) -> Performed {
        match self.raft.client_write(command).await {
            Ok(ClientWriteResponse { data, .. }) => self.done(data),
            // Also of an entry that was appended, and cut off again when leadership was lost,
            // openraft says that it is to be forwarded; another node that has it may still become
            // leader and commit it.
            Err(error) => Performed::Unknown(error.to_string()),
        }
    }

    async fn ask(&self, question: &Value) -> Performed {
        // THE BUG `ReadsWithoutAsking`: whether another one leads by now is not asked.
        if self.flaw != Some(Flaw::ReadsWithoutAsking)
            && let Err(error) = self.raft.ensure_linearizable().await
        {
            return Performed::Refused(error.to_string());
        }
        let ahead = self.ahead.lock().await;
        self.done(match &*ahead {
            Some((term, machine)) if *term == self.term() => machine.look(question),
            _ => self.store.look(question),
        })
    }

    /// THE BUG `AppliesUncommitted`: the change is applied to a machine that runs ahead of the
    /// log, and answered; whether others get the entry is seen to later.
    async fn change_ahead(&self, command: Command) -> Performed {
        let (early, answer, coming) = {
            let mut ahead = self.ahead.lock().await;
            let term = self.term();
            if ahead.as_ref().is_none_or(|(known, _)| *known != term) {
                *ahead = Some((term, self.store.copy()));
            }
            let (_, machine) = ahead.as_mut().expect("it was made just now");
            let (early, answer) = (machine.answers_early(&command), machine.apply(&command));
            (early, answer, self.raft.client_write_ff(command).await)
        };
        match coming {
            Ok(_) if early => self.done(answer),
            Ok(coming) => match coming.await {
                Ok(Ok(written)) => self.done(written.data),
                _ => Performed::Unknown("leadership was lost".into()),
            },
            Err(error) => Performed::Unknown(error.to_string()),
        }
    }

    fn done(&self, answer: Value) -> Performed {
        Performed::Done { answer, node: self.name.clone(), term: self.term() }
    }

    fn term(&self) -> u64 {
        self.raft.metrics().borrow().current_term
    }

    /// Answers a peer.
    pub async fn answer(&self, request: PeerRequest) -> PeerAnswer {
        match request {
            PeerRequest::Append(request) => {
                answered(self.raft.append_entries(request).await, PeerAnswer::Appended)
            }
            PeerRequest::Vote(request) => {
                answered(self.raft.vote(request).await, PeerAnswer::Voted)
            }
            PeerRequest::Install { vote, meta, data } => {
                let snapshot = Snapshot { meta, snapshot: Box::new(data) };
                let installed = self.raft.install_full_snapshot(vote, snapshot).await;
                answered(installed.map_err(RaftError::Fatal), PeerAnswer::Installed)
            }
            PeerRequest::Perform(order) => PeerAnswer::Performed(self.lead(order).await),
        }
    }
}

fn answered<T>(
    result: Result<T, RaftError<NodeId>>,
    answer: impl FnOnce(T) -> PeerAnswer,
) -> PeerAnswer {
    result.map_or_else(|error| PeerAnswer::Failed(error.to_string()), answer)
}
