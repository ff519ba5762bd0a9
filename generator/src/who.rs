//! Who makes the calls: the clients, the nemesis, those of one node, those that are chosen.

use tribunal_history::{Event, Name, Process};

use crate::narrow::Narrow;
use crate::{Context, Generator, Next, Worker};

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
    narrow: Narrow,
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
        Self { which, inner, narrow: Narrow::default() }
    }

    /// Runs `ask` on the inner generator with the context narrowed.
    fn narrowed<T>(&mut self, context: &Context, ask: impl FnOnce(&mut G, &Context) -> T) -> T {
        if context.all.iter().all(|worker| self.which.has(worker)) {
            return ask(&mut self.inner, context);
        }
        let narrow = self.narrow.by(context, |worker| self.which.has(worker));
        ask(&mut self.inner, &narrow)
    }
}

impl<G: Generator> Generator for Only<G> {
    fn next(&mut self, context: &Context) -> Next {
        self.narrowed(context, |inner, context| inner.next(context))
    }

    fn update(&mut self, context: &Context, event: &Event) {
        self.narrowed(context, |inner, context| inner.update(context, event));
    }
}

/// Only the workers that were chosen. See [`on_workers`].
pub struct OnWorkers<F, G> {
    which: F,
    inner: G,
    /// Whether each worker is chosen, by its place; not known before the workers are.
    chosen: Option<Vec<bool>>,
    narrow: Narrow,
}

/// Calls of those workers only that `which` chooses, by what a worker keeps: its place (from 0, in
/// the order of [`Context::all`]), its node, that it is a client. It is asked once of each, so what
/// it says of a worker holds for all processes that it goes under later.
pub fn on_workers<F, G>(which: F, inner: G) -> OnWorkers<F, G>
where
    F: FnMut(usize, &Worker) -> bool + Send,
    G: Generator,
{
    OnWorkers { which, inner, chosen: None, narrow: Narrow::default() }
}

impl<F: FnMut(usize, &Worker) -> bool, G> OnWorkers<F, G> {
    /// Runs `ask` on the inner generator with the context narrowed.
    fn narrowed<T>(&mut self, context: &Context, ask: impl FnOnce(&mut G, &Context) -> T) -> T {
        let which = &mut self.which;
        let chosen = self.chosen.get_or_insert_with(|| {
            context.all.iter().enumerate().map(|(place, worker)| which(place, worker)).collect()
        });
        let narrow = self.narrow.by_place(context, |place, _| chosen.get(place) == Some(&true));
        ask(&mut self.inner, &narrow)
    }
}

impl<F: FnMut(usize, &Worker) -> bool + Send, G: Generator> Generator for OnWorkers<F, G> {
    fn next(&mut self, context: &Context) -> Next {
        self.narrowed(context, |inner, context| inner.next(context))
    }

    fn update(&mut self, context: &Context, event: &Event) {
        self.narrowed(context, |inner, context| inner.update(context, event));
    }
}
