//! When leases run out, by a node's monotonic clock, which no jump of its wall clock moves.
//!
//! A node counts from when it sees a lease, or a renewal of it, applied. That is after it was
//! asked for, so it never runs out early; after a change of leaders, perhaps late.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::state::{Change, Lease, State};

/// A lease as it was granted or renewed: key, token, and how often it was renewed.
type Grant = (String, u64, u64);

/// Since when each lease runs.
#[derive(Default)]
pub struct Watch {
    since: HashMap<Grant, Instant>,
}

impl Watch {
    /// The leases that have run out by now.
    pub fn due(&mut self, state: &State, now: Instant) -> Vec<Change> {
        let mut since = HashMap::new();
        let mut due = Vec::new();
        for Lease { key, token, ttl_ms, renewals } in state.leases() {
            let grant = (key.clone(), token, renewals);
            let seen = self.since.get(&grant).copied().unwrap_or(now);
            if now - seen >= Duration::from_millis(ttl_ms) {
                due.push(Change::Expire { key, token, renewals });
            }
            since.insert(grant, seen);
        }
        self.since = since;
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bug;

    #[test]
    fn a_lease_runs_out_once_it_was_seen_for_long_enough_and_a_renewal_begins_anew() {
        let mut state = State::default();
        let mut watch = Watch::default();
        let acquire = |key: &str, ttl_ms| Change::Acquire { key: key.into(), ttl_ms };
        state.apply(acquire("lease", Some(500)), Bug::None);
        state.apply(acquire("lock", None), Bug::None);
        let (start, ms) = (Instant::now(), Duration::from_millis);
        assert_eq!(watch.due(&state, start), []);
        assert_eq!(watch.due(&state, start + ms(499)), []);
        let expire = |renewals| Change::Expire { key: "lease".into(), token: 1, renewals };
        assert_eq!(watch.due(&state, start + ms(500)), [expire(0)]);
        state.apply(Change::Renew { key: "lease".into(), token: 1 }, Bug::None);
        assert_eq!(watch.due(&state, start + ms(501)), [], "it begins anew");
        state.apply(expire(0), Bug::None);
        assert_eq!(state.leases().count(), 1, "that was the one before the renewal");
        assert_eq!(watch.due(&state, start + ms(1001)), [expire(1)]);
        state.apply(expire(1), Bug::None);
        assert_eq!(state.leases().count(), 0);
    }
}
