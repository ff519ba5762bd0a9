//! What a leader does by the clock, without being asked: a database says what is due.
//!
//! It is proposed like any client's change. Nothing rests on its coming in time, or once.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::message::Order;
use crate::node::Node;
use crate::types::Command;

/// How often a node looks at its clock.
const TICK: Duration = Duration::from_millis(20);

/// How long it waits for one change before it looks again what is due.
const PATIENCE: Duration = Duration::from_millis(300);

/// Sees to what is due, for ever.
pub async fn keep(node: Arc<Node>) {
    let client = format!("{} {:016x}", node.name, RandomState::new().hash_one(node.own));
    let mut sequence = 0;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Followers watch the clock as well: who becomes leader knows how long it has been.
        let due = node.store.due();
        for change in due.into_iter().filter(|_| node.leader() == Some(node.own)) {
            sequence += 1;
            let command = Command { client: client.clone(), sequence, change };
            let _ = timeout(PATIENCE, node.lead(Order::Change(command))).await;
        }
    }
}
