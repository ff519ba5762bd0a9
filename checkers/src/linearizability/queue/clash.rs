//! Why calls have no order that a queue, a stack or a priority queue allows.
//!
//! The cases, and the calls that show each. How they are told is in `sentences`.

use super::life::{At, Life};

/// A contradiction. Calls are positions among those that were judged.
#[derive(Clone, Debug)]
pub enum Clash {
    /// A value was taken that was never put.
    Unexpected {
        /// The call that took it.
        took: At,
    },
    /// A value was put once and taken twice.
    Twice {
        /// The call that put it.
        put: At,
        /// The call that took it, of those with the lower position.
        first: At,
        /// The other that took it.
        second: At,
    },
    /// A value was taken before it was put.
    Future {
        /// The call that put it.
        put: At,
        /// The call that took it.
        took: At,
    },
    /// First in, last out of two.
    Overtaken {
        /// The value put first.
        first: Life,
        /// The value taken first.
        second: Life,
    },
    /// Values that must be out before others, and too few calls that may have taken them.
    LeftBehind {
        /// Such a value, and one put after it and taken.
        late: Vec<(Life, Life)>,
        /// The calls without answer that began in time.
        takes: Vec<At>,
    },
    /// Nothing was found, though something must have been inside all along.
    NotEmpty {
        /// The call that found nothing.
        empty: At,
        /// Values whose stays cover it, in turn.
        cover: Vec<Life>,
    },
    /// Nothing was found, and too few calls may have taken what was inside.
    Crowded {
        /// The call that found nothing.
        empty: At,
        /// Values that were inside, and those that others had to be out before.
        lives: Vec<Life>,
        /// All calls without answer.
        takes: Vec<At>,
    },
    /// Stays of which one can neither lie within another nor apart from it.
    Crossed {
        /// No fewer of them cross.
        lives: Vec<Life>,
    },
    /// A value was taken while a higher one must have been inside all along.
    Passed {
        /// The value taken.
        took: Life,
        /// Values of higher priority, no fewer of which stand in its way.
        higher: Vec<Life>,
    },
}

impl Clash {
    /// What kind it is, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Clash::Unexpected { .. } => "unexpected",
            Clash::Twice { .. } => "duplicate",
            Clash::Future { .. } => "from-the-future",
            Clash::Overtaken { .. } => "overtaken",
            Clash::LeftBehind { .. } => "left-behind",
            Clash::NotEmpty { .. } | Clash::Crowded { .. } => "not-empty",
            Clash::Crossed { .. } => "crossed",
            Clash::Passed { .. } => "passed-over",
        }
    }

    /// The calls that show it: by themselves they have no order either.
    pub fn calls(&self) -> Vec<At> {
        let all = |lives: &[Life]| lives.iter().flat_map(Life::calls).collect::<Vec<At>>();
        let mut calls = match self {
            Clash::Unexpected { took } => vec![*took],
            Clash::Twice { put, first, second } => vec![*put, *first, *second],
            Clash::Future { put, took } => vec![*put, *took],
            Clash::Overtaken { first, second } => all(&[*first, *second]),
            Clash::LeftBehind { late, takes } => {
                let lives: Vec<Life> = late.iter().flat_map(|&(late, next)| [late, next]).collect();
                [all(&lives), takes.clone()].concat()
            }
            Clash::NotEmpty { empty, cover } => [all(cover), vec![*empty]].concat(),
            Clash::Crowded { empty, lives, takes } => {
                [all(lives), takes.clone(), vec![*empty]].concat()
            }
            Clash::Crossed { lives } => all(lives),
            Clash::Passed { took, higher } => [all(higher), all(&[*took])].concat(),
        };
        calls.sort_unstable();
        calls.dedup();
        calls
    }
}
