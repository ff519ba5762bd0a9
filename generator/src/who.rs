//! Who makes the calls: the clients, the nemesis, those of one node, each one.

use tribunal_history::{Event, Name, Nanos, Process};

use crate::{Boxed, Context, Generator, Next, Worker};

/// Which workers a generator may use.
enum Which {
    Clients,
    Nemesis,
    Node(Name),
}

impl Which {
    fn has(&self, worker: &Worker) -> bool {
        match self {
            Which::Clients => worker.process.is_client(),
            Which::Nemesis => worker.process == Process::Nemesis,
            Which::Node(node) => worker.node.as_ref() == Some(node),
        }
    }
}

/// Only some of the workers. See [`clients`], [`nemesis`] and [`on_node`].
pub struct Only<G> {
    which: Which,
    inner: G,
    /// The narrowed context of the last ask: most of it is that of the next.
    free: Vec<Worker>,
    all: Vec<Worker>,
}

/// Calls of clients only.
pub fn clients<G: Generator>(inner: G) -> Only<G> {
    Only::new(Which::Clients, inner)
}

/// Calls of the nemesis only.
pub fn nemesis<G: Generator>(inner: G) -> Only<G> {
    Only::new(Which::Nemesis, inner)
}

/// Calls of the workers that are bound to `node` only.
pub fn on_node<G: Generator>(node: impl Into<Name>, inner: G) -> Only<G> {
    Only::new(Which::Node(node.into()), inner)
}

impl<G> Only<G> {
    fn new(which: Which, inner: G) -> Self {
        Self { which, inner, free: Vec::new(), all: Vec::new() }
    }

    /// Runs `ask` on the inner generator with the context narrowed.
    fn narrowed<T>(&mut self, context: &Context, ask: impl FnOnce(&mut G, &Context) -> T) -> T {
        if context.all.iter().all(|worker| self.which.has(worker)) {
            return ask(&mut self.inner, context);
        }
        let ours = |worker: &&Worker| self.which.has(worker);
        refresh(&mut self.free, context.free.iter().filter(ours));
        refresh(&mut self.all, context.all.iter().filter(ours));
        let narrow = Context { time: context.time, free: &self.free, all: &self.all };
        ask(&mut self.inner, &narrow)
    }
}

/// Makes `kept` equal to `now`. Between two asks one worker goes or comes, and to
/// clone all the others would cost more than all the rest of an ask. A process
/// tells workers apart, for it keeps its node.
fn refresh<'w>(kept: &mut Vec<Worker>, now: impl Iterator<Item = &'w Worker>) {
    let mut length = 0;
    for worker in now {
        let at = |place: usize| kept.get(place).map(|kept| kept.process);
        if at(length) != Some(worker.process) && at(length + 1) == Some(worker.process) {
            kept.remove(length);
        }
        match kept.get_mut(length) {
            Some(same) if same.process == worker.process => {}
            Some(other) => other.clone_from(worker),
            None => kept.push(worker.clone()),
        }
        length += 1;
    }
    kept.truncate(length);
}

impl<G: Generator> Generator for Only<G> {
    fn next(&mut self, context: &Context) -> Next {
        self.narrowed(context, |inner, context| inner.next(context))
    }

    fn update(&mut self, context: &Context, event: &Event) {
        self.narrowed(context, |inner, context| inner.update(context, event));
    }
}

/// The context of one worker.
fn alone<'a>(context: &Context<'a>, worker: &'a Worker) -> Context<'a> {
    let free = context.free.iter().find(|free| free.process == worker.process);
    Context {
        time: context.time,
        free: free.map_or(&[], std::slice::from_ref),
        all: std::slice::from_ref(worker),
    }
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
/// while a call is open that may crash; bound it where calls may crash for ever.
pub fn each_process<F: FnMut(&Worker) -> Boxed + Send>(make: F) -> EachProcess<F> {
    EachProcess { make, parts: Vec::new() }
}

impl<F: FnMut(&Worker) -> Boxed + Send> Generator for EachProcess<F> {
    fn next(&mut self, context: &Context) -> Next {
        self.parts.retain(|(process, _)| context.all.iter().any(|at| at.process == *process));
        let mut answer = Next::Wait(Nanos::MAX);
        for worker in context.all {
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
