//! A context with some of its workers only, for what is inside.
//!
//! Whoever narrows a context keeps the promise of [`Context::all`]: who stays does so by what a
//! retired process hands on (its place, its node, that it is a client), and so has a place of its
//! own inside, too, for as long as the run lasts.

use crate::{Context, Worker};

/// The narrowed context of the last ask: most of it is that of the next.
#[derive(Default)]
pub(crate) struct Narrow {
    free: Vec<Worker>,
    all: Vec<Worker>,
}

impl Narrow {
    /// Those workers that are `ours` by themselves.
    pub fn by(&mut self, context: &Context, ours: impl Fn(&Worker) -> bool) -> Context<'_> {
        refresh(&mut self.free, context.free.iter().filter(|worker| ours(worker)));
        refresh(&mut self.all, context.all.iter().filter(|worker| ours(worker)));
        Context { time: context.time, free: &self.free, all: &self.all }
    }

    /// Those workers that are `ours` by their place, too; it is asked of all, in their order.
    pub fn by_place(
        &mut self,
        context: &Context,
        mut ours: impl FnMut(usize, &Worker) -> bool,
    ) -> Context<'_> {
        let kept = context.all.iter().enumerate().filter(|(place, worker)| ours(*place, worker));
        refresh(&mut self.all, kept.map(|(_, worker)| worker));
        let all = &self.all;
        let is_kept = |free: &&Worker| all.iter().any(|worker| worker.process == free.process);
        refresh(&mut self.free, context.free.iter().filter(is_kept));
        Context { time: context.time, free: &self.free, all: &self.all }
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
