//! Claims: what the probes of one node say about one term of leadership.

use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};
use tribunal_history::{Datum, EventRef, Operation, ValueRef};

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
    /// A place among the nodes.
    node: u32,
    leads: Option<i64>,
}

/// What a probe's value says. Many probes say the same.
#[derive(Clone, Copy)]
struct Said<'h> {
    node: Option<&'h str>,
    leads: Option<i64>,
}

impl<'h> Said<'h> {
    fn of(value: ValueRef<'h>) -> Option<Self> {
        let node = value.get("node").and_then(ValueRef::as_str);
        let role = value.get("role")?.as_str()?;
        let term = value.get("term").and_then(ValueRef::as_i64);
        let leads = if role.eq_ignore_ascii_case("leader") { Some(term?) } else { None };
        Some(Self { node, leads })
    }
}

/// The answers of a group's probes, in the order of their starts.
#[derive(Default)]
struct Answers<'h> {
    all: Vec<Answer<'h>>,
    nodes: Vec<&'h str>,
    places: FxHashMap<&'h str, u32>,
    /// What each value says, `None` if it cannot be read, and its node's place.
    said: FxHashMap<Datum, Option<(Said<'h>, Option<u32>)>>,
}

impl<'h> Answers<'h> {
    fn of(probes: &[Operation<'h>]) -> Self {
        let mut answers = Self::default();
        answers.all.reserve(probes.len());
        for &op in probes {
            answers.add(op);
        }
        answers
    }

    fn add(&mut self, op: Operation<'h>) -> Option<()> {
        let end = op.completion()?;
        let value = end.value();
        let said = match self.said.get(&value.datum()) {
            Some(&said) => said,
            None => {
                let said = Said::of(value).map(|said| (said, said.node.map(|it| self.place(it))));
                self.said.insert(value.datum(), said);
                said
            }
        };
        let (said, named) = said?;
        let node = match named {
            Some(node) => node,
            None => self.place(op.node()?),
        };
        self.all.push(Answer { op, end, node, leads: said.leads });
        Some(())
    }

    fn place(&mut self, node: &'h str) -> u32 {
        *self.places.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        })
    }

    fn leading(&self) -> impl Iterator<Item = (&Answer<'h>, i64)> {
        self.all.iter().filter_map(|answer| Some((answer, answer.leads?)))
    }

    fn claim(&self, answer: &Answer<'h>, term: i64) -> Claim<'h> {
        Claim::of(answer, self.nodes[answer.node as usize], term)
    }
}

impl<'h> Claims<'h> {
    /// Reads probes, which come in the order of their starts.
    pub fn of(probes: &[Operation<'h>]) -> Self {
        let answers = Answers::of(probes);
        let mut all = claims(&answers);
        let resumed = resumed(&all, &answers);
        if !resumed.is_empty() {
            all.retain(|claim| !resumed.contains(&(claim.node, claim.term)));
            let node = |answer: &Answer| answers.nodes[answer.node as usize];
            let of_resumed =
                |(answer, term): &(&Answer<'h>, i64)| resumed.contains(&(node(answer), *term));
            let instants = answers.leading().filter(of_resumed);
            all.extend(instants.map(|(answer, term)| answers.claim(answer, term)));
            all.sort_by_key(|claim| claim.earliest.index());
        }
        Self { all, resumed: resumed.len(), unreadable: probes.len() - answers.all.len() }
    }
}

/// One claim for each node and term.
fn claims<'h>(answers: &Answers<'h>) -> Vec<Claim<'h>> {
    let mut claims: Vec<Claim> = Vec::new();
    let mut places: FxHashMap<(u32, i64), usize> = FxHashMap::default();
    for (answer, term) in answers.leading() {
        match places.entry((answer.node, term)) {
            Entry::Occupied(place) => claims[*place.get()].extend(answer),
            Entry::Vacant(place) => {
                place.insert(claims.len());
                claims.push(answers.claim(answer, term));
            }
        }
    }
    claims
}

/// The terms that cannot have been one stretch of time: the node answered
/// otherwise in between, or certainly led another term during it.
fn resumed<'h>(claims: &[Claim<'h>], answers: &Answers<'h>) -> FxHashSet<(&'h str, i64)> {
    let mut nodes: Vec<Vec<&Answer>> = answers.nodes.iter().map(|_| Vec::new()).collect();
    for answer in &answers.all {
        nodes[answer.node as usize].push(answer);
    }
    let nodes: Vec<Interruptions> = nodes.into_iter().map(Interruptions::of).collect();
    let of_node = |claim: &&Claim| nodes[answers.places[claim.node] as usize].within(claim);
    let interrupted = claims.iter().filter(of_node);
    let mut resumed: FxHashSet<_> = interrupted.map(|claim| (claim.node, claim.term)).collect();
    super::overlap::cores(claims, |one, other| {
        if one.node == other.node && one.overlaps(other) {
            resumed.extend([(one.node, one.term), (other.node, other.term)]);
        }
    });
    resumed
}

impl<'h> Claim<'h> {
    fn of(answer: &Answer<'h>, node: &'h str, term: i64) -> Self {
        Self {
            node,
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

/// A node's probes by start, in runs of equal answers.
struct Interruptions<'a, 'h> {
    answers: Vec<&'a Answer<'h>>,
    runs: Vec<Run>,
}

/// Probes that follow one another and answered the same.
struct Run {
    /// The place of its first probe.
    first: usize,
    leads: Option<i64>,
    /// The two earliest ends, in it and all later runs, whose answers differ.
    earliest: [Option<End>; 2],
}

impl<'a, 'h> Interruptions<'a, 'h> {
    /// Probes come in the order of their starts.
    fn of(answers: Vec<&'a Answer<'h>>) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        for (first, answer) in answers.iter().enumerate() {
            let end = (answer.end.index(), answer.leads);
            match runs.last_mut().filter(|run| run.leads == answer.leads) {
                Some(run) => run.earliest = with(run.earliest, end),
                None => {
                    let earliest = [Some(end), None];
                    runs.push(Run { first, leads: answer.leads, earliest });
                }
            }
        }
        let mut later: [Option<End>; 2] = [None, None];
        for run in runs.iter_mut().rev() {
            later = run.earliest.into_iter().flatten().fold(later, with);
            run.earliest = later;
        }
        Self { answers, runs }
    }

    /// Whether a probe that answered otherwise lies entirely within the hold.
    fn within(&self, claim: &Claim) -> bool {
        let began = claim.began.index();
        let from = self.answers.partition_point(|answer| answer.op.start() <= began);
        let next = self.runs.partition_point(|run| run.first <= from);
        let to = self.runs.get(next).map_or(self.answers.len(), |run| run.first);
        // What is left of the run in which the hold begins, unless it is of the same answer.
        let other = |run: &&Run| run.leads != Some(claim.term);
        let rest = self.runs[..next].last().filter(other).map_or(to..to, |_| from.min(to)..to);
        let rest = self.answers[rest].iter().map(|answer| answer.end.index()).min();
        let later = self.runs.get(next).map_or([None, None], |run| run.earliest);
        let later = later.iter().flatten().find(|(_, leads)| *leads != Some(claim.term));
        rest.into_iter().chain(later.map(|&(end, _)| end)).any(|end| end < claim.lasted.index())
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
