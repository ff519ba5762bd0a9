//! Reads and writes by majorities of a key's replicas: the atomic register of Attiya, Bar-Noy and
//! Dolev ("Sharing Memory Robustly in Message-Passing Systems", JACM 1995), for many writers by
//! Lynch and Shvartsman (1997). It is linearizable because any two majorities have a replica in common.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use substrate::{Link, gather};

use crate::bug::Bug;
use crate::message::{ClientAnswer, ClientRequest, PeerAnswer, PeerRequest, Versioned};
use crate::placement::Placement;
use crate::quorum::Quorum;
use crate::replica::Replica;
use crate::stamp::Stamper;

/// A member, as a coordinator asks it.
#[derive(Clone)]
pub struct Voice {
    /// Its name.
    pub id: String,
    /// The way to it.
    pub way: Way,
}

/// To this node, or to another.
#[derive(Clone)]
pub enum Way {
    /// This node's own data.
    Own(Arc<Replica>),
    /// Another node.
    Other(Arc<Link<PeerRequest, PeerAnswer>>),
}

impl Voice {
    /// Its answer, if there is one in time.
    pub async fn ask(&self, request: PeerRequest) -> Option<PeerAnswer> {
        match &self.way {
            Way::Own(replica) => Some(replica.answer(request).await),
            Way::Other(link) => link.ask(request).await.ok(),
        }
    }
}

/// The part of a node that clients talk to.
pub struct Coordinator {
    /// How many answers it takes, and which of them are believed.
    pub quorum: Quorum,
    /// This node's own stamps.
    pub stamper: Stamper,
    /// All members, in the order that all know.
    pub members: Arc<Vec<Voice>>,
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

    /// Asks a majority, and sees to it that a majority has what is answered, so that no later read
    /// finds an older value.
    async fn read(&self, key: String) -> ClientAnswer {
        let Some(versions) = self.query(&key).await else {
            return ClientAnswer::Refused("no majority answers".into());
        };
        let Some(newest) = self.quorum.newest(&versions) else {
            return ClientAnswer::Refused("no version is vouched for by enough replicas".into());
        };
        if let Some(version) = &newest
            && self.quorum.bug != Bug::NoWriteBack
            && !versions.iter().all(|held| held.as_ref() == Some(version))
            && !self.store(&key, version).await
        {
            return ClientAnswer::Refused("no majority keeps the newest value".into());
        }
        ClientAnswer::Done(newest)
    }

    /// Stamps the value higher than all that a majority has, and has a majority store it.
    async fn write(&self, key: String, value: Value) -> ClientAnswer {
        let Some(versions) = self.query(&key).await else {
            return ClientAnswer::Refused("no majority answers; nothing was stored".into());
        };
        let version =
            Versioned { value, stamp: self.stamper.stamp(self.quorum.highest(&versions)) };
        match self.store(&key, &version).await {
            true => ClientAnswer::Done(Some(version)),
            false => ClientAnswer::Unknown("stored, but not on a majority".into()),
        }
    }

    /// What a majority has.
    async fn query(&self, key: &str) -> Option<Vec<Option<Versioned>>> {
        let query = PeerRequest::Query { key: key.to_owned() };
        let answers = self.ask(key, |_| query.clone(), query.clone()).await?;
        let versions = answers.into_iter().map(|answer| match answer {
            PeerAnswer::Has(version) => Some(version),
            PeerAnswer::Stored => None,
        });
        versions.collect()
    }

    /// Whether a majority has stored it.
    async fn store(&self, key: &str, version: &Versioned) -> bool {
        let hint = |member: &str| PeerRequest::Hint {
            member: member.to_owned(),
            key: key.to_owned(),
            version: version.clone(),
        };
        let store = PeerRequest::Store { key: key.to_owned(), version: version.clone() };
        self.ask(key, hint, store).await.is_some()
    }

    /// As many answers of a key's replicas as make a majority. Each replica that does not answer is
    /// stood in for by a spare, as long as there are any; that helps the replica to what it has
    /// missed, but nobody asks a spare for it, and so it does not count.
    async fn ask(
        &self,
        key: &str,
        stand_in: impl Fn(&str) -> PeerRequest,
        request: PeerRequest,
    ) -> Option<Vec<PeerAnswer>> {
        let Placement { replicas, spares } =
            Placement::of(key, self.quorum.replicas(), self.members.len());
        let enough = self.quorum.enough(replicas.len());
        let spares = spares.into_iter().map(|spare| self.members[spare].clone());
        let spares = Arc::new(Mutex::new(spares.collect::<VecDeque<Voice>>()));
        let counts = self.quorum.bug == Bug::SloppyQuorum;
        let asked = replicas.into_iter().map(|replica| {
            let (replica, spares) = (self.members[replica].clone(), spares.clone());
            let (request, stand_in) = (request.clone(), stand_in(&replica.id));
            async move {
                if let Some(answer) = replica.ask(request).await {
                    return Some(answer);
                }
                let spare = spares.lock().unwrap_or_else(PoisonError::into_inner).pop_front()?;
                let answer = spare.ask(stand_in).await?;
                counts.then_some(answer)
            }
        });
        let answers = gather(asked, enough).await;
        (answers.len() >= enough).then_some(answers)
    }
}
