//! Several generators by turns, each for so long: an hour of load and a quiet minute, or faults of
//! one kind and then of another.
//!
//! A part is kept from turn to turn, and what it counts of time is the time of its own turns. It is
//! not told to end its calls: one that is open when its turn is over is answered in another's.

use std::time::Duration;

use tribunal_history::{Event, Nanos};

use crate::{Boxed, Context, Generator, Next, nanos};

/// Several by turns. See [`cycle_times`].
pub struct CycleTimes {
    parts: Vec<Part>,
    /// From the beginning of a part's turn to that of its next one.
    period: Nanos,
    /// When it was first asked.
    began: Option<Nanos>,
}

struct Part {
    /// Where in the period its turn begins, and for how long it lasts.
    start: Nanos,
    length: Nanos,
    generator: Boxed,
    /// Whether it waits for an event, and for nothing else.
    is_idle: bool,
}

/// For so long the calls of the first of `parts`, then for so long those of the second, and so on,
/// and round again; done when one is done whose turn it is. A length of 0 is no turn. Turns begin
/// at the first ask, and whether anybody makes a call or not they last as long as is said here.
///
/// While it is the turn of another, a part's time ([`Context::time`]) stands still. So a
/// [`crate::Chain::stagger`] makes up for what it missed within its turns, and not for all the time
/// between them, and a sleep goes on where it was. Events are told to all parts, as they happen.
pub fn cycle_times(parts: impl IntoIterator<Item = (Duration, Boxed)>) -> CycleTimes {
    let mut period: Nanos = 0;
    let part = |(length, generator)| {
        let (start, length) = (period, nanos(length));
        period = period.saturating_add(length);
        Part { start, length, generator, is_idle: false }
    };
    let parts = parts.into_iter().filter(|(length, _)| !length.is_zero()).map(part).collect();
    CycleTimes { parts, period, began: None }
}

impl Part {
    /// The part's own time: how much of its turns has passed, on top of when they began.
    fn time(&self, period: Nanos, began: Nanos, now: Nanos) -> Nanos {
        let elapsed = now.saturating_sub(began);
        let turns = elapsed / period;
        let into = (elapsed % period).saturating_sub(self.start).min(self.length);
        began.saturating_add(turns.saturating_mul(self.length)).saturating_add(into)
    }
}

impl Generator for CycleTimes {
    fn next(&mut self, context: &Context) -> Next {
        let began = *self.began.get_or_insert(context.time);
        let into = match self.period {
            0 => return Next::Done,
            period => context.time.saturating_sub(began) % period,
        };
        let last = self.parts.partition_point(|part| part.start <= into) - 1;
        let part = &mut self.parts[last];
        let time = part.time(self.period, began, context.time);
        let left = part.start.saturating_add(part.length).saturating_sub(into);
        let until = match part.generator.next(&Context { time, ..*context }) {
            Next::Wait(until) => until,
            other => return other,
        };
        part.is_idle = until == Nanos::MAX;
        // Where all wait for an event, to wake up for the next turn would be to wait for ever.
        match self.parts.iter().all(|part| part.is_idle) {
            true => Next::Wait(Nanos::MAX),
            false => Next::Wait(context.time.saturating_add(until.saturating_sub(time).min(left))),
        }
    }

    fn update(&mut self, context: &Context, event: &Event) {
        for part in &mut self.parts {
            part.is_idle = false;
            let began = self.began.unwrap_or(context.time);
            let time = part.time(self.period, began, context.time);
            part.generator.update(&Context { time, ..*context }, event);
        }
    }
}
