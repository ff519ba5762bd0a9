//! A cluster of server processes on this machine's loopback network, for the
//! databases' own tests. Each node has a loopback address of its own, so the
//! ports are the same on all, and clusters side by side do not meet.

mod caller;
mod cluster;
mod processes;

use std::time::{Duration, Instant};

pub use caller::Caller;
pub use cluster::Cluster;
pub use processes::Processes;

/// Asks `condition` again and again until it answers something; panics, naming
/// `what`, after half a minute.
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = condition() {
            return answer;
        }
        assert!(Instant::now() < limit, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
