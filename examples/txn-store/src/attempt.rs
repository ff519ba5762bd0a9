//! One attempt at a transaction, as its coordinator makes it: operations one by one,
//! then two-phase commit.

use std::collections::BTreeSet;

use serde_json::Value;
use substrate::gather;

use crate::coordinator::Coordinator;
use crate::message::{
    Action, Age, Operation, Outcome, PeerAnswer, PeerRequest, Timestamp, TxnId, View,
};

/// An attempt under way.
pub struct Attempt<'c> {
    coordinator: &'c Coordinator,
    txn: TxnId,
    age: Age,
    view: View,
    /// The nodes that know of it.
    participants: BTreeSet<String>,
    writes: bool,
}

/// Why an attempt is given up.
#[derive(Debug, PartialEq)]
pub enum Stop {
    /// Another transaction was in the way: a new attempt may go through.
    Conflict,
    /// A new one would not, for this reason.
    Refused(String),
}

impl<'c> Attempt<'c> {
    /// Begins, under a name of its own: whatever is still on its way from an earlier attempt
    /// means that one.
    pub fn begin(coordinator: &'c Coordinator, txn: TxnId, age: Age, view: View) -> Self {
        coordinator.site.decisions.begin(txn.clone());
        Self { coordinator, txn, age, view, participants: BTreeSet::new(), writes: false }
    }

    /// The value of a key.
    pub async fn read(&mut self, key: String) -> Result<Value, Stop> {
        self.perform(key, Action::Read).await
    }

    /// A new value for a key.
    pub async fn write(&mut self, key: String, value: Value) -> Result<(), Stop> {
        self.writes = true;
        self.perform(key, Action::Write(value)).await.map(|_| ())
    }

    /// A new last element for a key's list.
    pub async fn append(&mut self, key: String, element: Value) -> Result<(), Stop> {
        self.writes = true;
        self.perform(key, Action::Append(element)).await.map(|_| ())
    }

    async fn perform(&mut self, key: String, action: Action) -> Result<Value, Stop> {
        let cluster = &self.coordinator.cluster;
        let owner = cluster.owner(&key);
        let first = self.participants.insert(owner.to_owned());
        let (txn, age) = (self.txn.clone(), self.age.clone());
        let operation = Operation { key, action, view: self.view.clone() };
        match cluster.ask(owner, PeerRequest::Perform { txn, age, first, operation }).await {
            Some(PeerAnswer::Performed(value)) => Ok(value),
            Some(_) => Err(Stop::Conflict),
            None => Err(Stop::Refused(format!("{owner} does not answer"))),
        }
    }

    /// Has every participant promise to end the transaction as it will be told: the time
    /// after which it may be committed. Every lock that it ever had is held at the moment
    /// when this begins, and that is its place among all transactions.
    pub async fn vote(&self) -> Result<Timestamp, Stop> {
        let asked = self.participants.iter().cloned().map(|node| {
            let (cluster, txn) = (self.coordinator.cluster.clone(), self.txn.clone());
            async move {
                match cluster.ask(&node, PeerRequest::Prepare { txn }).await? {
                    PeerAnswer::Vote(vote) => Some(vote),
                    _ => None,
                }
            }
        });
        let votes = gather(asked, self.participants.len()).await;
        if votes.len() < self.participants.len() {
            return Err(Stop::Refused("not all that take part have promised".to_owned()));
        }
        let promised: Option<Vec<Timestamp>> = votes.into_iter().collect();
        Ok(promised.ok_or(Stop::Conflict)?.into_iter().max().unwrap_or_default())
    }

    /// Commits it, later than `after`. It is committed as soon as that is on disk here;
    /// participants hear of it, or ask.
    pub async fn commit(self, after: Timestamp) {
        let site = &self.coordinator.site;
        site.clock.observe(after);
        let time = site.clock.tick();
        if self.writes {
            self.coordinator.journal.decided(&self.txn, time).await;
        }
        site.decisions.commit(self.txn.clone(), time);
        self.tell(Outcome::Committed(time));
    }

    /// Aborts it.
    pub fn abort(self) {
        self.coordinator.site.decisions.abort(&self.txn);
        self.tell(Outcome::Aborted);
    }

    fn tell(self, outcome: Outcome) {
        for node in self.participants {
            let (cluster, txn) = (self.coordinator.cluster.clone(), self.txn.clone());
            tokio::spawn(async move {
                cluster.ask(&node, PeerRequest::Finish { txn, outcome }).await;
            });
        }
    }
}
