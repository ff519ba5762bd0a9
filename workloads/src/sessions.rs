//! `sessions`: does each client see what it did and saw itself?
//!
//! Clients read and write single registers, as in [`crate::register`]; each
//! process is a session. For stores that are not linearizable and promise the
//! four session guarantees (Terry et al., PDIS 1994): read your writes,
//! monotonic reads, monotonic writes, writes follow reads. [`crate::causal`]
//! asks for all of them over several registers at once.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `read` | null | the value, or null where nothing was written |
//! | `write` | v | it is written |
//!
//! Values are 1, 2, 3, … of each key. Real time between clients is not asked for.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 5 | keys at a time |
//! | `calls_per_key` | 100 | calls on a key before a fresh one takes its place |
//! | `skew` | 0 | how much hotter some keys are than others: hundredths of Zipf's exponent |
//! | `read`, `write` | 2, 1 | how often each is called, relative to each other |
//! | `initial` | null | what every key holds before the first call |
//! | `final_seconds` | 10 | the time for the last reads of a node |

use tribunal_checkers::{Compose, SessionGuarantees, Statistics};
use tribunal_generator::Rng;
use tribunal_history::{Call, Map, Value};

use crate::keyed::{Keyed, Patience};
use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "clients that do not see what they did themselves",
    source: include_str!("sessions.rs"),
    build,
    checker,
};

const NAME: &str = "sessions";

struct Choice {
    keyed: Keyed,
    /// Of read and write.
    weights: [u64; 2],
    initial: Value,
    patience: Patience,
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let keyed = Keyed::choose(&mut options, 5, 100)?;
    let weights = options.weights([("read", 2), ("write", 1)])?;
    let initial = options.value("initial", Value::Null);
    let patience = Patience::choose(&mut options, 10)?;
    options.done()?;
    Ok(Choice { keyed, weights, initial, patience })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let Choice { keyed, weights, patience, .. } = choose(&setting.options)?;
    let (generator, begun) = keyed.load(setting.seed, "session", move |_, rng| draw(rng, weights));
    let read = |key: u64| Call::new("read").key(key.to_string());
    let last = Some(patience.reads(move || begun.newest(), read));
    let required = vec![("read".into(), 10), ("write".into(), 10)];
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

/// The calls on one register.
fn draw(mut rng: Rng, [read, write]: [u64; 2]) -> impl FnMut() -> Call + Send + 'static {
    let mut written = 0;
    move || {
        if rng.below(read + write) < read {
            return Call::new("read");
        }
        written += 1;
        Call::new("write").value(written)
    }
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    let guarantees = SessionGuarantees { initial: choose(given)?.initial };
    Ok(Compose::new().with("guarantees", guarantees).with("statistics", Statistics))
}
