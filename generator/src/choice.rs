//! Which of several: at random, or whoever can go now.

use std::collections::VecDeque;

use tribunal_history::{Event, Nanos};

use crate::{Boxed, Context, Generator, Next, Rng};

/// One of several at random, call by call. See [`mix`] and [`weighted`].
pub struct Mix {
    rng: Rng,
    parts: Vec<(u64, Boxed)>,
    /// Whose turn it is. Kept until that one has made its call: to draw again
    /// because it cannot go now would favour whoever often can.
    turn: Option<usize>,
}

/// Each call from one of `parts`, each as likely; from the rest when one is
/// done. While the chosen one waits, all do.
pub fn mix(rng: Rng, parts: impl IntoIterator<Item = Boxed>) -> Mix {
    weighted(rng, parts.into_iter().map(|part| (1, part)))
}

/// Each call from one of `parts`, by their weights. A weight of 0 is never chosen.
pub fn weighted(rng: Rng, parts: impl IntoIterator<Item = (u64, Boxed)>) -> Mix {
    let parts = parts.into_iter().filter(|(weight, _)| *weight > 0).collect();
    Mix { rng, parts, turn: None }
}

impl Mix {
    fn draw(&mut self) -> usize {
        let total = self.parts.iter().map(|(weight, _)| weight).sum();
        let mut ticket = self.rng.below(total);
        let wins = |(weight, _): &(u64, Boxed)| {
            let won = ticket < *weight;
            ticket = ticket.saturating_sub(*weight);
            won
        };
        self.parts.iter().position(wins).expect("the ticket is below the sum of the weights")
    }
}

impl Generator for Mix {
    fn next(&mut self, context: &Context) -> Next {
        while !self.parts.is_empty() {
            let turn = self.turn.take().unwrap_or_else(|| self.draw());
            match self.parts[turn].1.next(context) {
                Next::Done => {
                    self.parts.remove(turn);
                }
                Next::Wait(until) => {
                    self.turn = Some(turn);
                    return Next::Wait(until);
                }
                call => return call,
            }
        }
        Next::Done
    }

    fn update(&mut self, context: &Context, event: &Event) {
        for (_, part) in &mut self.parts {
            part.update(context, event);
        }
    }
}

/// Whoever can go now. See [`any`].
pub struct Any {
    /// Whoever went last is last.
    parts: VecDeque<Boxed>,
}

/// A call of whichever of `parts` has one now; in turns, where several have.
pub fn any(parts: impl IntoIterator<Item = Boxed>) -> Any {
    Any { parts: parts.into_iter().collect() }
}

impl Generator for Any {
    fn next(&mut self, context: &Context) -> Next {
        let mut soonest = Nanos::MAX;
        let mut at = 0;
        while at < self.parts.len() {
            match self.parts[at].next(context) {
                Next::Call(process, call) => {
                    self.parts.rotate_left(at + 1);
                    return Next::Call(process, call);
                }
                Next::Wait(until) => {
                    soonest = soonest.min(until);
                    at += 1;
                }
                Next::Done => {
                    self.parts.remove(at);
                }
            }
        }
        if self.parts.is_empty() { Next::Done } else { Next::Wait(soonest) }
    }

    fn update(&mut self, context: &Context, event: &Event) {
        for part in &mut self.parts {
            part.update(context, event);
        }
    }
}

/// Whoever can go now, as long as all are there. See [`shortest_any`].
pub struct ShortestAny {
    any: Any,
    over: bool,
}

/// As [`any`], but done as soon as one of `parts` is: a load for as long as a nemesis has faults to
/// inject. What the others have not called by then, they never do.
pub fn shortest_any(parts: impl IntoIterator<Item = Boxed>) -> ShortestAny {
    ShortestAny { any: any(parts), over: false }
}

impl Generator for ShortestAny {
    fn next(&mut self, context: &Context) -> Next {
        // Where nobody is free nobody can make a call, so all can be asked whether they are done.
        let nobody = Context { free: &[], ..*context };
        let count = self.any.parts.len();
        self.over |= self.any.parts.iter_mut().any(|part| part.next(&nobody) == Next::Done);
        if self.over {
            return Next::Done;
        }
        let next = self.any.next(context);
        self.over = self.any.parts.len() < count;
        if self.over && !matches!(next, Next::Call(..)) { Next::Done } else { next }
    }

    fn update(&mut self, context: &Context, event: &Event) {
        self.any.update(context, event);
    }
}

/// One of each by turns. See [`flip_flop`].
pub struct FlipFlop {
    parts: Vec<Boxed>,
    turn: usize,
}

/// A call of the first of `parts`, then one of the second, and so on, and round again; done when
/// one is done whose turn it is.
pub fn flip_flop(parts: impl IntoIterator<Item = Boxed>) -> FlipFlop {
    FlipFlop { parts: parts.into_iter().collect(), turn: 0 }
}

impl Generator for FlipFlop {
    fn next(&mut self, context: &Context) -> Next {
        let Some(part) = self.parts.get_mut(self.turn) else { return Next::Done };
        let next = part.next(context);
        if matches!(next, Next::Call(..)) {
            self.turn = (self.turn + 1) % self.parts.len();
        }
        next
    }

    fn update(&mut self, context: &Context, event: &Event) {
        for part in &mut self.parts {
            part.update(context, event);
        }
    }
}
