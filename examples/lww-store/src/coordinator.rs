//! Reads and writes by majorities: the multi-writer register of Attiya, Bar-Noy
//! and Dolev ("Sharing Memory Robustly in Message-Passing Systems", JACM 1995;
//! many writers by Lynch and Shvartsman, 1997). It is linearizable as long as a
//! write's stamp is higher than every stamp that a majority has shown it.

use std::sync::Arc;

use serde_json::Value;
use substrate::{Link, gather, majority};

use crate::bug::Bug;
use crate::interval::Interval;
use crate::message::{ClientAnswer, ClientRequest, PeerAnswer, PeerRequest, Versioned};
use crate::replica::Replica;
use crate::stamp::Stamper;

/// The part of a node that clients talk to.
pub struct Coordinator {
    /// What it is guilty of.
    pub bug: Bug,
    /// What its clock is worth.
    pub interval: Interval,
    /// This node's own stamps.
    pub stamper: Stamper,
    /// This node's own data.
    pub replica: Arc<Replica>,
    /// The other nodes.
    pub peers: Vec<Arc<Link<PeerRequest, PeerAnswer>>>,
}

impl Coordinator {
    /// Answers a client.
    pub async fn answer(&self, request: ClientRequest) -> ClientAnswer {
        match request {
            ClientRequest::Ping => ClientAnswer::Done(None),
            ClientRequest::Read { key } => self.read(key).await,
            ClientRequest::Write { key, value } => self.write(key, value).await,
        }
    }

    /// Asks a majority, and sees to it that a majority has what is answered, so
    /// that no later read finds an older value.
    async fn read(&self, key: String) -> ClientAnswer {
        let Some(versions) = self.query(&key).await else {
            return ClientAnswer::Refused("no majority answers".into());
        };
        let newest = versions.iter().flatten().max_by_key(|version| &version.stamp).cloned();
        if let Some(version) = &newest
            && self.bug != Bug::NoReadRepair
            && !versions.iter().all(|held| held.as_ref() == Some(version))
            && !self.store(&key, version).await
        {
            return ClientAnswer::Refused("no majority keeps the newest value".into());
        }
        match self.settled(newest.as_ref()).await {
            true => ClientAnswer::Done(newest),
            false => ClientAnswer::Refused("the newest value's time does not pass".into()),
        }
    }

    /// Stamps the value and has a majority store it. Replicas that keep a
    /// version with a higher stamp acknowledge as well: the last write has won.
    async fn write(&self, key: String, value: Value) -> ClientAnswer {
        let Some(versions) = self.query(&key).await else {
            return ClientAnswer::Refused("no majority answers; nothing was stored".into());
        };
        let newest = versions.iter().flatten().map(|version| &version.stamp).max();
        let stamp = self.stamper.stamp(self.interval.latest(), newest);
        let version = Versioned { value, stamp };
        if !self.store(&key, &version).await {
            return ClientAnswer::Unknown("stored, but not on a majority".into());
        }
        match self.settled(Some(&version)).await {
            true => ClientAnswer::Done(Some(version)),
            false => ClientAnswer::Unknown("stored, but its time does not pass".into()),
        }
    }

    /// Waits until nobody can stamp another write earlier than this, if clocks are as right as they should be.
    async fn settled(&self, version: Option<&Versioned>) -> bool {
        match version {
            Some(version) => self.interval.wait_out(version.stamp.ns).await,
            None => true,
        }
    }

    /// What a majority has, this node included.
    async fn query(&self, key: &str) -> Option<Vec<Option<Versioned>>> {
        let own = self.replica.answer(PeerRequest::Query { key: key.to_owned() }).await;
        let mut answers = vec![own];
        answers.extend(self.ask_others(&PeerRequest::Query { key: key.to_owned() }).await?);
        let versions = answers.into_iter().map(|answer| match answer {
            PeerAnswer::Has(version) => Some(version),
            PeerAnswer::Stored => None,
        });
        versions.collect()
    }

    /// Whether a majority has stored it. This node's own disk comes first, so
    /// that after a restart it knows every stamp that it has ever given out.
    async fn store(&self, key: &str, version: &Versioned) -> bool {
        let request = PeerRequest::Store { key: key.to_owned(), version: version.clone() };
        self.replica.answer(request.clone()).await;
        self.ask_others(&request).await.is_some()
    }

    /// As many answers as make a majority together with this node.
    async fn ask_others(&self, request: &PeerRequest) -> Option<Vec<PeerAnswer>> {
        let enough = majority(self.peers.len() + 1) - 1;
        let asked = self.peers.iter().map(|peer| {
            let (peer, request) = (peer.clone(), request.clone());
            async move { peer.ask(request).await.ok() }
        });
        let answers = gather(asked, enough).await;
        (answers.len() >= enough).then_some(answers)
    }
}
