//! What goes on while a clock is off: it is put back and forth if it is to strobe, and
//! processes that are new to the session get the clock of the others.
//!
//! A program that is started by one with a patched vDSO has an unpatched one; it is found here
//! within a few milliseconds, and until then it reads the machine's clock.

use std::time::{Duration, Instant};

use super::super::keeper::Keeper;
use super::super::processes::Session;
use super::{Setting, adopt, set_process};

/// Between two looks for newcomers.
const LOOK: Duration = Duration::from_millis(20);

/// Begins. `strobe`: how long the clock stays before it goes back, and the other way round.
pub fn begin(session: &Session, to: Setting, strobe: Option<Duration>) -> Keeper {
    let session = session.clone();
    let (mut now, mut flips) = (to, 0);
    let mut next = Instant::now() + strobe.unwrap_or_default();
    Keeper::begin(strobe.unwrap_or(LOOK).min(LOOK), move || {
        let turns = strobe.is_some_and(|_| Instant::now() >= next);
        if turns {
            now = if now == to { Setting::default() } else { to };
            next += strobe.unwrap_or_default();
            flips += 1;
        }
        // One that ends meanwhile needs no clock.
        for process in session.processes().unwrap_or_default() {
            let _ = match turns {
                true => set_process(process.pid, now),
                false => adopt(process.pid, now),
            };
        }
        flips
    })
}
