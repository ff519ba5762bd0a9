//! Again from the beginning, when it is done.

use tribunal_history::Event;

use crate::{Boxed, Context, Generator, Next};

/// A generator again and again. See [`cycle`].
pub struct Cycle<F> {
    make: F,
    /// The number of the next round.
    number: u64,
    /// How many rounds there are.
    rounds: u64,
    round: Option<Boxed>,
    /// Whether this round has made a call.
    called: bool,
}

/// What `make` makes for round 0, when that is done what it makes for round 1, and so on. Nothing
/// but `make` goes from one round to the next: where it gives each the same stream of chance, their
/// calls are the same, and `seed.stream(&format!("round {number}"))` makes them differ. The last
/// calls of a round may still be open when the next begins; [`crate::synchronize`] it to wait.
///
/// A round that makes no call is the last one: those after it could keep it busy for ever.
pub fn cycle<F: FnMut(u64) -> Boxed + Send>(make: F) -> Cycle<F> {
    Cycle { make, number: 0, rounds: u64::MAX, round: None, called: false }
}

impl<F> Cycle<F> {
    /// At most so many rounds.
    pub fn times(mut self, rounds: u64) -> Self {
        self.rounds = rounds;
        self
    }
}

impl<F: FnMut(u64) -> Boxed + Send> Generator for Cycle<F> {
    fn next(&mut self, context: &Context) -> Next {
        loop {
            let round = match &mut self.round {
                Some(round) => round,
                None if self.number >= self.rounds => return Next::Done,
                none => none.insert((self.make)(self.number)),
            };
            match round.next(context) {
                Next::Done => {
                    self.round = None;
                    self.number += 1;
                    if !std::mem::take(&mut self.called) {
                        self.rounds = self.number;
                    }
                }
                Next::Wait(until) => return Next::Wait(until),
                call => {
                    self.called = true;
                    return call;
                }
            }
        }
    }

    fn update(&mut self, context: &Context, event: &Event) {
        if let Some(round) = &mut self.round {
            round.update(context, event);
        }
    }
}
