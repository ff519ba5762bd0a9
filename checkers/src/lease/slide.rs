//! Leases that fit nowhere between those of others.
//!
//! A lease begins at some instant of the call that grants it, and takes its time from
//! there: earlier or later, but all of it. Of each rival alone it may keep clear, and yet
//! of all of them it cannot, where no gap between them is long enough. A renewed lease is
//! not moved: it ends as its last renewal says, whenever it began.
//!
//! One lease is moved, and each rival for itself keeps clear of it as well as it can. What
//! several do to each other that must all be moved at once is scheduling with release
//! times and deadlines (NP-hard: Garey and Johnson 1979, SS1), and not asked.

use super::hold::Hold;

/// A lease, and those of others that leave it no room, as places among the holds.
pub(super) struct Squeezed<'a> {
    pub hold: &'a Hold,
    /// In the order of time, each reaching to where the next one is in the way.
    pub rivals: Vec<&'a Hold>,
}

/// A lease that outlasts so many others is not followed further.
const MOST_RIVALS: usize = 1_000;

/// The leases that overlap one of several others for certain, whichever.
pub(super) fn squeezed(holds: &[Hold]) -> Vec<Squeezed<'_>> {
    let rivals = Rivals::of(holds);
    let sliding = holds.iter().filter(|hold| hold.slides());
    sliding.filter_map(|hold| Some(Squeezed { hold, rivals: rivals.around(hold)? })).collect()
}

/// The leases that may be in the way.
struct Rivals<'a> {
    by_grant: Vec<&'a Hold>,
    /// For each of them, which of those up to it lasted longest, and which of those of another process.
    longest: Vec<[Option<&'a Hold>; 2]>,
}

impl<'a> Rivals<'a> {
    fn of(holds: &'a [Hold]) -> Self {
        let mut by_grant: Vec<&Hold> = holds.iter().filter(|hold| !hold.fleeting).collect();
        by_grant.sort_by_key(|hold| hold.granted);
        let mut longest = [None; 2];
        let longest = by_grant.iter().map(|&hold| {
            longest = with(longest, hold);
            longest
        });
        Self { longest: longest.collect(), by_grant }
    }

    /// The rivals that a lease cannot keep clear of all, wherever it is put.
    fn around(&self, hold: &Hold) -> Option<Vec<&'a Hold>> {
        let mut rivals = Vec::new();
        let mut begin = hold.earliest;
        // It begins at `begin` or later: who is held then, or is before it has run out?
        while begin <= hold.granted {
            let end = begin.saturating_add(hold.length).min(hold.cut);
            let met = self.by_grant.partition_point(|rival| rival.granted < end);
            let longest = self.longest[..met].last()?;
            let rival = longest.iter().flatten().find(|rival| rival.process != hold.process)?;
            if rival.until <= begin || rivals.len() == MOST_RIVALS {
                return None;
            }
            rivals.push(*rival);
            begin = rival.until;
        }
        Some(rivals)
    }
}

/// The two that last longest, of two processes.
fn with<'a>([first, second]: [Option<&'a Hold>; 2], hold: &'a Hold) -> [Option<&'a Hold>; 2] {
    let lasts = |other: Option<&Hold>| other.is_none_or(|other| hold.until > other.until);
    match first {
        Some(top) if top.process == hold.process => {
            [if lasts(first) { Some(hold) } else { first }, second]
        }
        _ if lasts(first) => [Some(hold), first],
        _ if lasts(second) => [first, Some(hold)],
        _ => [first, second],
    }
}
