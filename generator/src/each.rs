//! A generator of its own for each node, for each process, for each worker.
//!
//! They differ in what a crash does: a process that takes the place of a retired one has nothing
//! of it, a worker goes on where it was, and a node keeps the worker that stands for it.

use tribunal_history::{Event, Name, Nanos, Process};

use crate::{Boxed, Context, Generator, Next, Worker};

/// The context of one worker.
fn alone<'a>(context: &Context<'a>, worker: &'a Worker) -> Context<'a> {
    let free = context.free.iter().find(|free| free.process == worker.process);
    Context {
        time: context.time,
        free: free.map_or(&[], std::slice::from_ref),
        all: std::slice::from_ref(worker),
    }
}

/// A worker's place among those that are free, the longest idle first; behind all where it is not.
fn idle(context: &Context, worker: Option<&Worker>) -> usize {
    let process = worker.map(|worker| worker.process);
    let place = context.free.iter().position(|free| Some(free.process) == process);
    place.unwrap_or(usize::MAX)
}

/// The places of all workers: of those that are free, the longest idle first, then of the others.
fn longest_idle_first(context: &Context) -> Vec<usize> {
    let mut places: Vec<usize> = (0..context.all.len()).collect();
    places.sort_by_cached_key(|&place| idle(context, context.all.get(place)));
    places
}

/// A generator for every node. See [`each_node`].
pub struct EachNode<F> {
    make: F,
    /// Made at the first ask: before, the nodes are not known.
    parts: Option<Vec<(Name, Boxed)>>,
}

/// A generator once for every node, each with one worker that is bound to it,
/// all at the same time. It ends although processes are retired: a worker keeps
/// its node.
pub fn each_node<F: FnMut(&Name) -> Boxed + Send>(make: F) -> EachNode<F> {
    EachNode { make, parts: None }
}

/// The worker that stands for a node: the first that is bound to it.
fn worker_of<'a>(context: &Context<'a>, node: &Name) -> Option<&'a Worker> {
    context.all.iter().find(|worker| worker.node.as_ref() == Some(node))
}

impl<F: FnMut(&Name) -> Boxed + Send> EachNode<F> {
    fn make_parts(&mut self, context: &Context) -> Vec<(Name, Boxed)> {
        let mut parts: Vec<(Name, Boxed)> = Vec::new();
        for node in context.all.iter().filter_map(|worker| worker.node.as_ref()) {
            if !parts.iter().any(|(known, _)| known == node) {
                parts.push((node.clone(), (self.make)(node)));
            }
        }
        parts
    }
}

impl<F: FnMut(&Name) -> Boxed + Send> Generator for EachNode<F> {
    fn next(&mut self, context: &Context) -> Next {
        let mut parts = match self.parts.take() {
            Some(parts) => parts,
            None => self.make_parts(context),
        };
        let mut answer = Next::Wait(Nanos::MAX);
        // Who has waited for the longest is asked first.
        let idle = |(node, _): &(Name, Boxed)| idle(context, worker_of(context, node));
        parts.sort_by_cached_key(idle);
        parts.retain_mut(|(node, part)| ask(&mut answer, part, context, worker_of(context, node)));
        let done = parts.is_empty() && !matches!(answer, Next::Call(..));
        self.parts = Some(parts);
        if done { Next::Done } else { answer }
    }

    fn update(&mut self, context: &Context, event: &Event) {
        for (node, part) in self.parts.iter_mut().flatten() {
            if let Some(worker) = worker_of(context, node) {
                part.update(&alone(context, worker), event);
            }
        }
    }
}

/// Asks one of several parts for `worker`, unless one before it has answered
/// with a call. Says whether to keep it.
fn ask(answer: &mut Next, part: &mut Boxed, context: &Context, worker: Option<&Worker>) -> bool {
    let (Next::Wait(soonest), Some(worker)) = (&*answer, worker) else { return true };
    match part.next(&alone(context, worker)) {
        Next::Wait(until) => *answer = Next::Wait(until.min(*soonest)),
        Next::Done => return false,
        call => *answer = call,
    }
    true
}

/// A generator for every process. See [`each_process`].
pub struct EachProcess<F> {
    make: F,
    /// `None` where the generator of a process is done.
    parts: Vec<(Process, Option<Boxed>)>,
}

/// A generator once for every process, which alone makes its calls. A process
/// that takes the place of a retired one begins a new one, so it is not done
/// while a call is open that may crash; bound it where calls may crash for ever. Who has been idle for
/// the longest is asked first, so that all have their share of a rate that is lower than what they would
/// call.
pub fn each_process<F: FnMut(&Worker) -> Boxed + Send>(make: F) -> EachProcess<F> {
    EachProcess { make, parts: Vec::new() }
}

impl<F: FnMut(&Worker) -> Boxed + Send> Generator for EachProcess<F> {
    fn next(&mut self, context: &Context) -> Next {
        self.parts.retain(|(process, _)| context.all.iter().any(|at| at.process == *process));
        let mut answer = Next::Wait(Nanos::MAX);
        for worker in longest_idle_first(context).into_iter().map(|place| &context.all[place]) {
            let known = self.parts.iter().position(|(process, _)| *process == worker.process);
            let at = known.unwrap_or_else(|| {
                self.parts.push((worker.process, Some((self.make)(worker))));
                self.parts.len() - 1
            });
            let part = &mut self.parts[at].1;
            if part.as_mut().is_some_and(|part| !ask(&mut answer, part, context, Some(worker))) {
                *part = None;
            }
        }
        let done = self.parts.iter().all(|(_, part)| part.is_none()) && context.all_are_free();
        if done && !matches!(answer, Next::Call(..)) { Next::Done } else { answer }
    }

    fn update(&mut self, context: &Context, event: &Event) {
        for worker in context.all {
            let ours = self.parts.iter_mut().find(|(process, _)| *process == worker.process);
            if let Some((_, Some(part))) = ours {
                part.update(&alone(context, worker), event);
            }
        }
    }
}

/// A generator for every worker. See [`each_worker`].
pub struct EachWorker<F> {
    make: F,
    /// By the workers' places, `None` where one is done. Made at the first ask:
    /// before, the workers are not known.
    parts: Option<Vec<Option<Boxed>>>,
}

/// A generator once for every worker, which alone makes its calls. A worker whose process is
/// retired goes on with the same one under another number, so it ends whatever crashes; and so a
/// generator should not keep the process that `make` was shown. Inside [`crate::clients`] it is one
/// for each client. Who has been idle for the longest is asked first.
pub fn each_worker<F: FnMut(&Worker) -> Boxed + Send>(make: F) -> EachWorker<F> {
    EachWorker { make, parts: None }
}

impl<F: FnMut(&Worker) -> Boxed + Send> Generator for EachWorker<F> {
    fn next(&mut self, context: &Context) -> Next {
        let make = &mut self.make;
        let all = || context.all.iter().map(|worker| Some(make(worker))).collect();
        let parts = self.parts.get_or_insert_with(all);
        let mut answer = Next::Wait(Nanos::MAX);
        for place in longest_idle_first(context) {
            let worker = context.all.get(place);
            let Some(Some(part)) = parts.get_mut(place) else { continue };
            if !ask(&mut answer, part, context, worker) {
                parts[place] = None;
            }
        }
        let done = parts.iter().all(Option::is_none) && !matches!(answer, Next::Call(..));
        if done { Next::Done } else { answer }
    }

    fn update(&mut self, context: &Context, event: &Event) {
        for (worker, part) in context.all.iter().zip(self.parts.iter_mut().flatten()) {
            if let Some(part) = part {
                part.update(&alone(context, worker), event);
            }
        }
    }
}
