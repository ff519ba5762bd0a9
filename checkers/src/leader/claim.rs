//! Claims: what the probes of one node say about one term of leadership.

use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};
use tribunal_history::{EventRef, Operation, ValueRef};

/// A node's leadership of a term, as far as probes saw it.
///
/// Leadership of a term is one stretch of time. It began by the end of the
/// first probe to end, and was not over at the start of the last one to start:
/// from `began` to `lasted` the node certainly led, if those are in that order;
/// if not, it led at some instant between them.
pub(super) struct Claim<'h> {
    pub node: &'h str,
    pub term: i64,
    /// The earliest end of its probes.
    pub began: EventRef<'h>,
    /// The latest start of its probes.
    pub lasted: EventRef<'h>,
    /// The earliest start: before, nothing was seen of it.
    pub earliest: EventRef<'h>,
    /// The latest end: after, nothing was seen of it.
    pub latest: EventRef<'h>,
    /// Index of the probe which ended first.
    pub first: u64,
    /// Index of the probe which started last.
    pub last: u64,
    pub probes: usize,
}

/// All claims of a group, in the order in which they were first made.
#[derive(Default)]
pub(super) struct Claims<'h> {
    pub all: Vec<Claim<'h>>,
    /// Terms that a node gave up and led again: their probes stand as claims of
    /// their own, each of an instant.
    pub resumed: usize,
    /// Probes whose answer could not be read.
    pub unreadable: usize,
}

/// A probe's answer: the node, and the term that it leads (`None`: it does not).
struct Answer<'h> {
    op: Operation<'h>,
    end: EventRef<'h>,
    node: &'h str,
    leads: Option<i64>,
}

impl<'h> Answer<'h> {
    fn of(op: Operation<'h>) -> Option<Self> {
        let end = op.completion()?;
        let named = end.value().get("node").and_then(ValueRef::as_str);
        let node = named.or(op.node())?;
        let role = end.value().get("role")?.as_str()?;
        let term = end.value().get("term").and_then(ValueRef::as_i64);
        let leads = if role.eq_ignore_ascii_case("leader") { Some(term?) } else { None };
        Some(Self { op, end, node, leads })
    }
}

impl<'h> Claims<'h> {
    /// Reads probes, which come in the order of their starts.
    pub fn of(probes: &[Operation<'h>]) -> Self {
        let answers: Vec<Answer> = probes.iter().filter_map(|&op| Answer::of(op)).collect();
        let mut all = claims(&answers);
        let resumed = resumed(&all, &answers);
        if !resumed.is_empty() {
            all.retain(|claim| !resumed.contains(&(claim.node, claim.term)));
            let of_resumed =
                |(answer, term): &(&Answer<'h>, i64)| resumed.contains(&(answer.node, *term));
            let instants = leading(&answers).filter(of_resumed);
            all.extend(instants.map(|(answer, term)| Claim::of(answer, term)));
            all.sort_by_key(|claim| claim.earliest.index());
        }
        Self { all, resumed: resumed.len(), unreadable: probes.len() - answers.len() }
    }
}

fn leading<'a, 'h>(answers: &'a [Answer<'h>]) -> impl Iterator<Item = (&'a Answer<'h>, i64)> {
    answers.iter().filter_map(|answer| Some((answer, answer.leads?)))
}

/// One claim for each node and term.
fn claims<'h>(answers: &[Answer<'h>]) -> Vec<Claim<'h>> {
    let mut claims: Vec<Claim> = Vec::new();
    let mut places: FxHashMap<(&str, i64), usize> = FxHashMap::default();
    for (answer, term) in leading(answers) {
        match places.entry((answer.node, term)) {
            Entry::Occupied(place) => claims[*place.get()].extend(answer),
            Entry::Vacant(place) => {
                place.insert(claims.len());
                claims.push(Claim::of(answer, term));
            }
        }
    }
    claims
}

/// The terms that cannot have been one stretch of time: the node answered
/// otherwise in between, or certainly led another term during it.
fn resumed<'h>(claims: &[Claim<'h>], answers: &[Answer<'h>]) -> FxHashSet<(&'h str, i64)> {
    let mut nodes: FxHashMap<&str, Vec<&Answer>> = FxHashMap::default();
    for answer in answers {
        nodes.entry(answer.node).or_default().push(answer);
    }
    let nodes: FxHashMap<&str, Interruptions> =
        nodes.into_iter().map(|(node, answers)| (node, Interruptions::of(&answers))).collect();
    let interrupted = claims.iter().filter(|claim| nodes[claim.node].within(claim));
    let mut resumed: FxHashSet<_> = interrupted.map(|claim| (claim.node, claim.term)).collect();
    super::overlap::cores(claims, |one, other| {
        if one.node == other.node && one.overlaps(other) {
            resumed.extend([(one.node, one.term), (other.node, other.term)]);
        }
    });
    resumed
}

impl<'h> Claim<'h> {
    fn of(answer: &Answer<'h>, term: i64) -> Self {
        Self {
            node: answer.node,
            term,
            began: answer.end,
            lasted: answer.op.invocation(),
            earliest: answer.op.invocation(),
            latest: answer.end,
            first: answer.op.start(),
            last: answer.op.start(),
            probes: 1,
        }
    }

    fn extend(&mut self, answer: &Answer<'h>) {
        self.probes += 1;
        if answer.end.index() < self.began.index() {
            (self.began, self.first) = (answer.end, answer.op.start());
        }
        if answer.op.start() > self.lasted.index() {
            (self.lasted, self.last) = (answer.op.invocation(), answer.op.start());
        }
        if answer.op.start() < self.earliest.index() {
            self.earliest = answer.op.invocation();
        }
        if answer.end.index() > self.latest.index() {
            self.latest = answer.end;
        }
    }

    /// Whether it is known of a stretch of time, and not of an instant only.
    pub fn is_hold(&self) -> bool {
        self.began.index() < self.lasted.index()
    }

    /// Whether this one certainly began before that one ended. Two claims that
    /// do so of each other overlap. Equal times prove nothing, whatever the
    /// order in which they were written down.
    pub fn precedes(&self, other: &Claim) -> bool {
        self.began.index() < other.lasted.index() && self.began.time() < other.lasted.time()
    }

    /// Whether the two cannot both be one stretch of time without overlapping.
    pub fn overlaps(&self, other: &Claim) -> bool {
        self.precedes(other) && other.precedes(self)
    }
}

/// Where a probe ended, and which term its node led.
type End = (u64, Option<i64>);

/// A node's probes by start; behind each, the two earliest ends from there on
/// whose answers differ.
struct Interruptions {
    starts: Vec<u64>,
    ends: Vec<[Option<End>; 2]>,
}

impl Interruptions {
    /// Probes come in the order of their starts.
    fn of(answers: &[&Answer]) -> Self {
        let mut ends = Vec::with_capacity(answers.len());
        let mut earliest: [Option<End>; 2] = [None, None];
        for answer in answers.iter().rev() {
            earliest = with(earliest, (answer.end.index(), answer.leads));
            ends.push(earliest);
        }
        ends.reverse();
        Self { starts: answers.iter().map(|answer| answer.op.start()).collect(), ends }
    }

    /// Whether a probe that answered otherwise lies entirely within the hold.
    fn within(&self, claim: &Claim) -> bool {
        let from = self.starts.partition_point(|&start| start <= claim.began.index());
        let Some(earliest) = self.ends.get(from) else { return false };
        let other = earliest.iter().flatten().find(|(_, leads)| *leads != Some(claim.term));
        other.is_some_and(|&(end, _)| end < claim.lasted.index())
    }
}

/// The two earliest ends whose answers differ, of these and one more.
fn with([first, second]: [Option<End>; 2], end: End) -> [Option<End>; 2] {
    match first {
        Some(earlier) if earlier < end && earlier.1 == end.1 => [first, second],
        Some(earlier) if earlier < end => {
            [first, second.filter(|known| *known < end).or(Some(end))]
        }
        Some(later) if later.1 == end.1 => [Some(end), second],
        later => [Some(end), later],
    }
}
