//! The clocks of the nodes, measured for as long as the run goes, and kept beside the history in
//! `clocks.jsonl`, a line a reading.
//!
//! A reading is a question and its answer: all that is certain is that the clock showed what it
//! showed at some moment between the two. So an offset is an interval, as wide as the round trip.
//! Who can ask a node for its clocks is the nemesis' agents' business; what an answer says of an
//! offset, and what all of them together say of a node, is told here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tribunal_history::{Name, Nanos};

/// How often each node is asked.
const EVERY: Duration = Duration::from_secs(1);

/// What a node's clocks showed at some moment between a question and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The node's, in nanoseconds since 1970.
    pub wall_ns: i64,
    /// The least and the most that the database's processes read beyond it; `None` where none runs.
    pub ahead_ns: Option<(i64, i64)>,
}

/// Somebody who can ask nodes for their clocks.
#[async_trait]
pub trait Clocks: Send + Sync {
    /// The nodes that can be asked.
    fn nodes(&self) -> Vec<Name>;
    /// Asks one.
    async fn ask(&self, node: &Name) -> Result<Shown, String>;
}

/// When a run began, by both clocks of the controller.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    began: Instant,
    wall_ns: i64,
}

impl Origin {
    /// The run begins now.
    pub fn now() -> Self {
        let (began, wall) = (Instant::now(), SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default());
        Self { began, wall_ns: i64::try_from(wall.as_nanos()).unwrap_or(i64::MAX) }
    }

    /// The monotonic clock's beginning.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// The wall clock's beginning, in nanoseconds since 1970.
    pub fn wall_ns(&self) -> i64 {
        self.wall_ns
    }

    fn elapsed(&self) -> Nanos {
        self.began.elapsed().as_nanos() as Nanos
    }

    /// What an answer that came in at `received`, to a question of `sent`, says.
    fn reading(&self, node: Name, sent: Nanos, received: Nanos, shown: Shown) -> ClockReading {
        let since = |time: Nanos| shown.wall_ns - self.wall_ns - time as i64;
        let host = (since(received), since(sent));
        let of_daemon = |(least, most): (i64, i64)| (host.0 + least, host.1 + most);
        let daemon = shown.ahead_ns.map(of_daemon);
        ClockReading { node, time: received, took: received - sent, host, daemon }
    }
}

/// One reading of one node's clocks, set against the controller's.
///
/// The controller's clock here is its wall clock when the run began, carried on by its monotonic
/// one: setting the controller's clock during a run moves no node's offset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReading {
    /// Whose.
    pub node: Name,
    /// When the answer was in, in nanoseconds since the run began.
    pub time: Nanos,
    /// How long question and answer took. The clock was read within that time.
    pub took: Nanos,
    /// How far the node's clock was ahead of the controller's, at least and at most, in nanoseconds.
    pub host: (i64, i64),
    /// The same of what the database's processes there read, which a fault may move alone. Absent
    /// where no database ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daemon: Option<(i64, i64)>,
}

impl ClockReading {
    /// What the database went by: its own clock, or the node's where nothing else is known.
    pub fn offset(&self) -> (i64, i64) {
        self.daemon.unwrap_or(self.host)
    }
}

/// What was measured of one node's clock in a whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockRange {
    /// How often it was read.
    pub readings: u64,
    /// It was certainly so far ahead of the controller's once; 0: never certainly ahead.
    pub ahead_ns: i64,
    /// It was certainly so far behind once, as a positive number.
    pub behind_ns: i64,
    /// It was never farther off than this when it was read.
    pub within_ns: i64,
}

impl ClockRange {
    fn add(&mut self, (least, most): (i64, i64)) {
        self.readings += 1;
        self.ahead_ns = self.ahead_ns.max(least);
        self.behind_ns = self.behind_ns.max(most.saturating_neg());
        self.within_ns = self.within_ns.max(least.saturating_neg()).max(most);
    }
}

/// The measuring, while it goes on.
pub struct Watch {
    asking: JoinSet<()>,
    kept: Arc<Mutex<Kept>>,
}

/// Where readings go.
struct Kept {
    file: File,
    ranges: BTreeMap<Name, ClockRange>,
}

impl Watch {
    /// Asks every node again and again, into a new file.
    pub fn begin(clocks: &Arc<dyn Clocks>, origin: Origin, path: &Path) -> io::Result<Self> {
        let file = File::create_new(path)?;
        let kept = Arc::new(Mutex::new(Kept { file, ranges: BTreeMap::new() }));
        let mut asking = JoinSet::new();
        for node in clocks.nodes() {
            asking.spawn(watch(clocks.clone(), node, origin, kept.clone()));
        }
        Ok(Self { asking, kept })
    }

    /// Ends it, and tells what was measured of each node.
    pub async fn end(mut self) -> BTreeMap<Name, ClockRange> {
        self.asking.shutdown().await;
        std::mem::take(&mut self.kept.lock().expect("nobody panics holding it").ranges)
    }
}

async fn watch(clocks: Arc<dyn Clocks>, node: Name, origin: Origin, kept: Arc<Mutex<Kept>>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let sent = origin.elapsed();
        let shown = match clocks.ask(&node).await {
            Ok(shown) => shown,
            Err(why) => {
                tracing::debug!(why, "a clock was not read");
                continue;
            }
        };
        let reading = origin.reading(node.clone(), sent, origin.elapsed(), shown);
        let mut kept = kept.lock().expect("nobody panics holding it");
        kept.ranges.entry(node.clone()).or_default().add(reading.offset());
        let mut line = serde_json::to_vec(&reading).expect("a reading is plain data");
        line.push(b'\n');
        // A run is worth as much without it.
        if let Err(error) = kept.file.write_all(&line) {
            tracing::warn!(%error, "a clock's reading is not kept");
        }
    }
}

/// The readings in a file, in the order in which they came in. A last line that was torn by a
/// crash counts for nothing.
pub fn read(path: &Path) -> io::Result<Vec<ClockReading>> {
    let text = std::fs::read_to_string(path)?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_as_wide_as_the_round_trip() {
        let origin = Origin { began: Instant::now(), wall_ns: 1_000_000 };
        // Asked at 100 and answered at 140: read when the controller showed 1,000,100 to 1,000,140.
        let shown = Shown { wall_ns: 1_000_120, ahead_ns: None };
        let reading = origin.reading("n1".into(), 100, 140, shown);
        assert_eq!((reading.host, reading.took, reading.time), ((-20, 20), 40, 140));
        assert_eq!(reading.offset(), (-20, 20));
        let shown = Shown { wall_ns: 1_005_120, ahead_ns: Some((-7000, 3000)) };
        let reading = origin.reading("n1".into(), 100, 140, shown);
        assert_eq!(reading.host, (4980, 5020));
        assert_eq!(reading.offset(), (-2020, 8020));
        let line = serde_json::to_string(&reading).unwrap();
        assert_eq!(
            line,
            r#"{"node":"n1","time":140,"took":40,"host":[4980,5020],"daemon":[-2020,8020]}"#
        );
    }

    #[test]
    fn a_range_claims_no_more_than_was_certain() {
        let mut range = ClockRange::default();
        range.add((-20, 30));
        assert_eq!(range, ClockRange { readings: 1, within_ns: 30, ..ClockRange::default() });
        range.add((4980, 5020));
        range.add((-90, -70));
        let all = ClockRange { readings: 3, ahead_ns: 4980, behind_ns: 70, within_ns: 5020 };
        assert_eq!(range, all);
    }
}
