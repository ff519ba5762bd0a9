//! What an event makes of a generator.

use tribunal_history::Event;

use crate::{Context, Generator, Next};

/// A generator, and what events make of it. See [`crate::Chain::on_update`].
pub struct OnUpdate<G, F> {
    pub(crate) inner: G,
    pub(crate) react: F,
}

impl<G, F> Generator for OnUpdate<G, F>
where
    G: Generator,
    F: FnMut(&mut G, &Context, &Event) + Send,
{
    fn next(&mut self, context: &Context) -> Next {
        self.inner.next(context)
    }

    fn update(&mut self, context: &Context, event: &Event) {
        self.inner.update(context, event);
        (self.react)(&mut self.inner, context, event);
    }
}
