//! When the faults of a run moved one node's clock. What they moved it by is in
//! their plans, and is not asked here.

use tribunal_history::{Fault, Nanos};

use crate::blame::{self, Window};

/// The times at which a clock was moved, or may have been.
pub(super) struct Moves {
    /// By their starts.
    windows: Vec<Window>,
    /// The latest end of those up to each.
    ends: Vec<Nanos>,
}

impl Moves {
    /// Both ways, there and back. A clock that drifts or strobes, or of which nobody tells, may
    /// have been anywhere for as long as the fault lasted: that counts as two.
    pub fn of(faults: &[Fault], node: &str) -> Self {
        let mut windows = Vec::new();
        for fault in faults.iter().filter(|fault| blame::moves_clocks(fault)) {
            let whole = fault.from..=fault.until.unwrap_or(Nanos::MAX);
            match blame::steady_offset(fault, node) {
                Some(0) => {}
                Some(_) => {
                    windows.push(fault.from..=fault.injected.unwrap_or(*whole.end()));
                    windows.extend(fault.heal.map(|heal| heal..=*whole.end()));
                }
                None if blame::touches(fault, node) => windows.extend([whole.clone(), whole]),
                None => {}
            }
        }
        windows.sort_by_key(|window| *window.start());
        let latest = |latest: &mut Nanos, window: &Window| {
            *latest = (*latest).max(*window.end());
            Some(*latest)
        };
        let ends = windows.iter().scan(0, latest).collect();
        Self { windows, ends }
    }

    /// Whether there is one within that time.
    pub fn any(&self, time: &Window) -> bool {
        let begun = self.windows.partition_point(|window| window.start() <= time.end());
        begun > 0 && self.ends[begun - 1] >= *time.start()
    }

    /// How many there are.
    pub fn count(&self, time: &Window) -> usize {
        let touches = |it: &&Window| it.start() <= time.end() && it.end() >= time.start();
        self.windows.iter().filter(touches).count()
    }
}
