//! Fenced locks: every grant answers with a token, and tokens grow. Exact in
//! n log n, linear where tokens come in order.
//!
//! Tokens put the sessions in order, so all that is left to see is that no call
//! ended before one of an earlier session began: one pass with the latest start so far.
//!
//! A lock that expires by itself may be granted anew before it was given back: then its
//! tokens alone are judged, and it is not [exclusive](FencedLock::exclusive).

use tribunal_history::{History, Operation};

use super::super::model::{Conflict, Decision, Model, Object, Op, Point};
use super::sessions::{Misuse, Session, explain_refusals, sessions};
use super::{Call, numbers, wording};

/// A lock that answers each acquire with a token higher than all before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FencedLock {
    /// Whether the lock is held until it is released. If not it may expire at any time, and
    /// only the tokens are judged.
    pub exclusive: bool,
}

/// What a fenced lock knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// Who holds it.
    holder: Option<u64>,
    /// The highest token given.
    token: Option<i64>,
}

impl Model for FencedLock {
    type Call = Call;
    type State = State;

    fn init(&self) -> State {
        State::default()
    }

    fn shown(&self, state: &State, _history: &History) -> String {
        let holder = state.holder.map_or("nobody".to_owned(), |holder| format!("p{holder}"));
        match state.token {
            None => holder,
            Some(token) => format!("{holder}, the last token being {token}"),
        }
    }

    fn step(&self, state: &State, call: &Call) -> impl IntoIterator<Item = State> {
        let free = !self.exclusive || state.holder.is_none();
        let after = |holder, token| State { holder, token };
        match *call {
            // The token of a call of unknown outcome is unknown too.
            Call::Acquire { process, token } => (free
                && token.is_none_or(|new| state.token < Some(new)))
            .then(|| after(Some(process), token.or(state.token))),
            Call::Refused { .. } => (!self.exclusive || state.holder.is_some()).then_some(*state),
            Call::Release { process } => {
                (!self.exclusive || state.holder == Some(process)).then(|| after(None, state.token))
            }
        }
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        match Call::read(operation)? {
            Some(Call::Acquire { token: None, .. }) if operation.is_ok() => {
                Err("an acquire of a fenced lock must answer {\"token\": number}".to_owned())
            }
            call => Ok(call),
        }
    }

    fn looks(&self, call: &Call) -> bool {
        matches!(call, Call::Refused { .. })
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        let conflict = check(&object.ops, self.exclusive)?.err().map(|breach| Conflict {
            kind: breach.kind(),
            message: breach.sentence(object),
            calls: numbers(object, &breach.calls(&object.ops)),
        });
        Some(Decision { judge: "tokens", conflict })
    }
}

/// Why the calls on a fenced lock have no order. Calls are positions among the ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// A process did what no lock allows.
    Misuse(Misuse),
    /// Two grants under one token.
    SameToken {
        /// The acquire that began first.
        first: u32,
        /// The other.
        second: u32,
    },
    /// A grant under a lower token than one that had been acknowledged before it began.
    TokenOrder {
        /// The acquire that ended first, under the higher token.
        early: u32,
        /// The one that began afterwards.
        late: u32,
    },
    /// A grant while the holder of a lower token had not begun to give it back.
    TwoHolders {
        /// The acquire and the release of the one that held the lock.
        holder: (u32, Option<u32>),
        /// The acquire that was granted meanwhile.
        other: u32,
    },
}

impl Breach {
    fn sentence(&self, object: &Object<Call>) -> String {
        match *self {
            Breach::Misuse(misuse) => wording::misused(object, misuse),
            Breach::SameToken { first, second } => wording::same_token(object, first, second),
            Breach::TokenOrder { early, late } => wording::token_order(object, early, late),
            Breach::TwoHolders { holder, other } => wording::two_holders(object, holder, other),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Breach::Misuse(misuse) => misuse.kind(),
            Breach::SameToken { .. } => "same-token",
            Breach::TokenOrder { .. } => "token-order",
            Breach::TwoHolders { .. } => "two-holders",
        }
    }

    /// The calls that show it.
    pub fn calls(&self, ops: &[Op<Call>]) -> Vec<u32> {
        let mut calls = match *self {
            Breach::Misuse(misuse) => misuse.calls(ops),
            Breach::SameToken { first, second } => vec![first, second],
            Breach::TokenOrder { early, late } => vec![early, late],
            Breach::TwoHolders { holder: (acquire, release), other } => {
                [Some(acquire), release, Some(other)].into_iter().flatten().collect()
            }
        };
        calls.sort_unstable();
        calls
    }
}

/// Judges the calls on a fenced lock, in the order of their starts.
///
/// `None` where the lock is exclusive and a process goes on after a call of unknown
/// outcome, or some found the lock held and no certain hold tells why.
pub fn check(ops: &[Op<Call>], exclusive: bool) -> Option<Result<(), Breach>> {
    if !exclusive {
        return Some(in_order(ops, &grants(ops)));
    }
    let sessions = match sessions(ops, 1)? {
        Ok(sessions) => sessions,
        Err(misuse) => return Some(Err(Breach::Misuse(misuse))),
    };
    match in_order(ops, &sessions) {
        Ok(()) => explain_refusals(ops, &sessions, 1).then_some(Ok(())),
        breach => Some(breach),
    }
}

/// The acquires alone, as sessions that may be over as soon as they begin.
fn grants(ops: &[Op<Call>]) -> Vec<Session> {
    let granted = (0..).zip(ops).filter(|(_, op)| !op.crashed());
    let session = |(at, op): (u32, &Op<Call>)| match op.call {
        Call::Acquire { process, .. } => {
            let (granted, given_back) = (op.end, 0);
            Some(Session { process, acquire: at, release: None, granted, given_back })
        }
        _ => None,
    };
    granted.filter_map(session).collect()
}

/// What no later session's grant may end before.
#[derive(Clone, Copy)]
struct Latest<'a> {
    start: Point,
    session: &'a Session,
}

fn in_order(ops: &[Op<Call>], sessions: &[Session]) -> Result<(), Breach> {
    let token = |session: &Session| match ops[session.acquire as usize].call {
        Call::Acquire { token, .. } => token.unwrap_or(i64::MIN),
        _ => i64::MIN,
    };
    let mut order: Vec<(i64, u32)> =
        (0..).zip(sessions).map(|(at, session)| (token(session), at)).collect();
    if !order.is_sorted() {
        order.sort_unstable();
    }
    let mut latest: Option<Latest> = None;
    let mut before: Option<(i64, &Session)> = None;
    for (token, at) in order {
        let session = &sessions[at as usize];
        if let Some((_, other)) = before.filter(|(same, _)| *same == token) {
            return Err(Breach::SameToken { first: other.acquire, second: session.acquire });
        }
        if let Some(earlier) = latest.filter(|latest| session.granted < latest.start) {
            return Err(earlier.breach(ops, session));
        }
        let began = ops[session.acquire as usize].start;
        let start = began.max(session.given_back);
        if latest.is_none_or(|latest| latest.start < start) {
            latest = Some(Latest { start, session });
        }
        before = Some((token, session));
    }
    Ok(())
}

impl Latest<'_> {
    /// This one has the lower token, yet the other was granted before all of it had begun.
    fn breach(&self, ops: &[Op<Call>], other: &Session) -> Breach {
        let Session { acquire, release, .. } = *self.session;
        match other.granted < ops[acquire as usize].start {
            true => Breach::TokenOrder { early: other.acquire, late: acquire },
            false => Breach::TwoHolders { holder: (acquire, release), other: other.acquire },
        }
    }
}
