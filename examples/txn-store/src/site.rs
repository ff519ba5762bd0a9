//! A node as its peers see it: participant in their transactions, coordinator of its own.

use std::sync::Arc;

use crate::clock::Clock;
use crate::decisions::Decisions;
use crate::horizons::Horizons;
use crate::message::{PeerAnswer, PeerRequest};
use crate::participant::Participant;

/// What one node holds.
pub struct Site {
    /// Its keys.
    pub participant: Participant,
    /// What became of the transactions that it coordinated.
    pub decisions: Decisions,
    /// How far it has heard of others' commits.
    pub horizons: Horizons,
    /// Its clock.
    pub clock: Arc<Clock>,
}

impl Site {
    /// Answers a peer, or the node itself.
    pub async fn answer(&self, request: PeerRequest) -> PeerAnswer {
        match request {
            PeerRequest::Perform { txn, age, first, operation } => {
                self.participant.perform(&txn, &age, first, &operation).await
            }
            PeerRequest::Prepare { txn } => PeerAnswer::Vote(self.participant.prepare(&txn).await),
            PeerRequest::Finish { txn, outcome } => {
                self.participant.finish(&txn, outcome).await;
                PeerAnswer::Finished
            }
            PeerRequest::Inquire { txn } => PeerAnswer::Outcome(self.decisions.outcome(&txn)),
            PeerRequest::Horizons => PeerAnswer::Horizons(self.horizons.known(self.clock.tick())),
        }
    }
}
