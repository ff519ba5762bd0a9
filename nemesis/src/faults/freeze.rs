//! `freeze`: the database's processes in the freezer of a control group; thawed when it is healed.

use async_trait::async_trait;
use tribunal_generator::Rng;
use tribunal_harness::cluster::cgroup::Controller;
use tribunal_history::Name;

use super::about::{About, LATE};
use super::target;
use super::{Aim, Fault, Needs, Options, Plan, PlanError};
use crate::agent::protocol::Harm;
use crate::field::Field;

/// Processes that stand still, as on a machine that is being moved: nobody is sent a signal, and
/// no parent hears of a stop.
pub(super) struct Freeze;

const ABOUT: About = About {
    name: "freeze",
    doc: "Freezes the database's processes in a control group, as a hypervisor would: no signal tells them.",
    options: &[target::OPTION],
    needs: Needs::Cgroup(Controller::Freezer),
    assumes: LATE,
    seen: "the freezer says so, and no thread runs for 20 ms, as the scheduler counts it",
    cost: "50-90 ms to inject and see, 20 of them the look, and 20-40 ms to heal (load 30); nothing after it is healed",
};

#[async_trait]
impl Fault for Freeze {
    fn about(&self) -> &About {
        &ABOUT
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        target::draw(ABOUT.name, nodes, options, rng)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        target::aim(field, plan, |pid| Harm::Freezer { pid }).await
    }
}
