//! Hinted handoff: what a node keeps for members that were out of reach, it gives to them when they
//! are back.

use std::sync::Arc;
use std::time::Duration;

use crate::coordinator::Voice;
use crate::message::PeerRequest;
use crate::replica::Replica;

/// How often it is tried.
const PERIOD: Duration = Duration::from_millis(500);

/// Gives away what `replica` keeps for any of `members`, for ever.
pub async fn hand_off(replica: Arc<Replica>, members: Arc<Vec<Voice>>) {
    loop {
        for ((member, key), version) in replica.hints() {
            let Some(voice) = members.iter().find(|voice| voice.id == member) else { continue };
            let store = PeerRequest::Store { key: key.clone(), version: version.clone() };
            if voice.ask(store).await.is_some() {
                replica.delivered((member, key), &version);
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}
