//! Stretches of time in which a node, or a key, had no acknowledged call.

use std::collections::BTreeMap;

use tribunal_history::{History, Kind, Nanos, Operation, Process};

use super::periods::Period;
use super::{BY_CLIENT, ENOUGH};

/// What a call's end says of whether the database lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It was acknowledged.
    Ok,
    /// The database declined: that is an answer, too.
    Declined,
    /// Nobody answered within the call's time, or nobody was there.
    None,
    /// It was, or may have been, the client's own doing.
    Unclear,
}

/// A call that has ended.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub index: u64,
    pub process: Process,
    pub node: Option<String>,
    pub invoked: Nanos,
    pub ended: Nanos,
    pub answer: Answer,
    pub error: String,
}

/// What errors say where nobody answered: of the harness, of the operating system, of databases.
/// Whatever else an error says is not held against the database; nor is one of these where the run has marked the
/// call with [`BY_CLIENT`], for a program that crashes breaks a pipe, too.
const SILENCE: [&str; 14] = [
    "no answer within",
    "timeout",
    "timed out",
    "deadline",
    "refused",
    "reset by peer",
    "unreachable",
    "no route",
    "unavailable",
    "no leader",
    "no majority",
    "no quorum",
    "broken pipe",
    "connection closed",
];

impl Call {
    /// `None` where it has not ended.
    pub fn of(operation: &Operation) -> Option<Self> {
        let completion = operation.completion()?;
        let error = completion.error();
        let error = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
        Some(Self {
            index: operation.start(),
            process: operation.process(),
            node: operation.node().map(str::to_owned),
            invoked: operation.invoked_at(),
            ended: completion.time(),
            answer: answer(operation.kind(), &error, completion.ext(BY_CLIENT).is_some()),
            error,
        })
    }

    pub fn is_ok(&self) -> bool {
        self.answer == Answer::Ok
    }
}

fn answer(kind: Kind, error: &str, by_client: bool) -> Answer {
    let error = error.to_lowercase();
    let silence = SILENCE.iter().any(|word| error.contains(word));
    match kind {
        Kind::Ok => Answer::Ok,
        _ if by_client => Answer::Unclear,
        _ if silence => Answer::None,
        Kind::Fail => Answer::Declined,
        Kind::Info | Kind::Invoke => Answer::Unclear,
    }
}

/// The calls of each node that have ended, in the order of their ends.
pub(super) fn calls(history: &History) -> BTreeMap<String, Vec<Call>> {
    let mut nodes: BTreeMap<String, Vec<Call>> = BTreeMap::new();
    for call in history.operations().filter_map(|operation| Call::of(&operation)) {
        if let Some(node) = call.node.clone() {
            nodes.entry(node).or_default().push(call);
        }
    }
    nodes.values_mut().for_each(|calls| calls.sort_by_key(|call| call.ended));
    nodes
}

/// A time without an acknowledged call that was too long.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    pub from: Nanos,
    pub to: Nanos,
    /// Whether a call was acknowledged at its end, or it only ended with the history.
    pub over: bool,
    /// Whether it began with an acknowledged call, and not with the period.
    pub after_ok: bool,
    /// The calls that were made in vain once the bound had passed.
    pub calls: Vec<Call>,
}

/// The longest stretch of a period that breaks the promise; `Err` says why none could be seen, where
/// there was no acknowledged call after the bound either. `calls` are in the order of their ends.
pub(super) fn longest(
    calls: &[Call],
    period: &Period,
    bound: Nanos,
) -> Result<Option<Stretch>, String> {
    let end = period.end.unwrap_or(Nanos::MAX);
    let within: Vec<&Call> =
        calls.iter().filter(|call| (period.start..=end).contains(&call.ended)).collect();
    let mut oks = within.iter().filter(|call| call.is_ok()).map(|call| call.ended).peekable();
    let owed = period.start.saturating_add(bound);
    let served = within.iter().any(|call| call.is_ok() && call.invoked >= owed);
    let (mut from, mut after_ok, mut worst, mut why) = (period.start, false, None, None);
    loop {
        let ok = oks.next();
        // An open end is only as late as the last call that was tried.
        let to = ok.unwrap_or_else(|| within.last().map_or(from, |call| call.ended));
        match broken(&within, from, to, bound) {
            Ok(Some(calls)) => {
                let stretch = Stretch { from, to, over: ok.is_some(), after_ok, calls };
                let longer = |it: &Stretch| it.to - it.from < to - from;
                if worst.as_ref().is_none_or(longer) {
                    worst = Some(stretch);
                }
            }
            Ok(None) => {}
            Err(told) => why = Some(told),
        }
        match ok {
            Some(ok) => (from, after_ok) = (ok, true),
            None => break,
        }
    }
    match (worst, served) {
        (Some(stretch), _) => Ok(Some(stretch)),
        (None, true) => Ok(None),
        (None, false) => Err(why.unwrap_or_else(|| "too few calls were made".to_owned())),
    }
}

/// The calls that were made in vain after the bound, if there are enough and nothing excuses them.
fn broken(
    within: &[&Call],
    from: Nanos,
    to: Nanos,
    bound: Nanos,
) -> Result<Option<Vec<Call>>, String> {
    let late = from.saturating_add(bound);
    if to <= late {
        return Ok(None);
    }
    let made: Vec<&&Call> =
        within.iter().filter(|call| call.invoked >= late && call.ended <= to).collect();
    let made: Vec<&Call> = made.into_iter().filter(|call| !call.is_ok()).copied().collect();
    let declined = made.iter().any(|call| call.answer == Answer::Declined);
    let vain: Vec<Call> =
        made.iter().filter(|call| call.answer == Answer::None).map(|&call| call.clone()).collect();
    if declined {
        return Err("its calls failed for reasons of their own".to_owned());
    }
    if vain.len() >= ENOUGH && 2 * vain.len() > made.len() {
        return Ok(Some(vain));
    }
    match made.iter().find(|call| call.answer == Answer::Unclear) {
        Some(call) => {
            Err(format!("what became of its calls may be the client's doing: {}", call.error))
        }
        None => Err(format!("too few calls were made: {}", made.len())),
    }
}
