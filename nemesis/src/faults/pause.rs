//! `pause`: SIGSTOP to the database's processes; SIGCONT when it is healed.

use async_trait::async_trait;
use tribunal_generator::Rng;
use tribunal_history::Name;

use super::about::{About, LATE};
use super::target;
use super::{Aim, Fault, Needs, Options, Plan, PlanError};
use crate::agent::protocol::Harm;
use crate::field::Field;

/// A process that stands still, and goes on later as if nothing had happened.
pub(super) struct Pause;

const ABOUT: About = About {
    name: "pause",
    doc: "Stops the database's processes with SIGSTOP, as a long garbage collection would.",
    options: &[target::OPTION],
    needs: Needs::Daemon,
    assumes: LATE,
    seen: "every thread is stopped, as `/proc` shows it",
    cost: "1-2 ms to stop all threads, 15 ms on busy cores; nothing after it is healed",
};

#[async_trait]
impl Fault for Pause {
    fn about(&self) -> &About {
        &ABOUT
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        target::draw(ABOUT.name, nodes, options, rng)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        target::aim(field, plan, |pid| Harm::Pause { pid }).await
    }
}
