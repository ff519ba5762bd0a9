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
    /// Both ways, there and back. A fault of clocks that does not tell its offsets may
    /// have done anything for as long as it lasted: that counts as two.
    pub fn of(faults: &[Fault], node: &str) -> Self {
        let mut windows = Vec::new();
        for fault in faults.iter().filter(|fault| blame::moves_clocks(fault)) {
            let whole = fault.from..=fault.until.unwrap_or(Nanos::MAX);
            if blame::clock_offset(fault, node) != 0 {
                windows.push(fault.from..=fault.injected.unwrap_or(*whole.end()));
                windows.extend(fault.heal.map(|heal| heal..=*whole.end()));
            } else if blame::touches(fault, node) && !fault.plan.contains_key("offsets_ns") {
                windows.extend([whole.clone(), whole]);
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
