//! What a fault takes from a cluster while it acts: so that faults together never take more nodes
//! than a test allows.

use tribunal_history::Name;

use super::Plan;

/// What a fault takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toll {
    /// Nodes that do not serve.
    pub out: Vec<Name>,
    /// So many more, and nobody knows which.
    pub somebody: usize,
    /// Links over which nothing comes, each from whom to whom.
    pub cut: Vec<(Name, Name)>,
}

impl Toll {
    /// Of a fault under which no node of its plan serves. Where the plan names nobody, it is one node,
    /// that nobody knows: the injector takes no more than that.
    pub fn nodes(plan: &Plan) -> Self {
        let somebody = usize::from(plan.nodes.is_empty());
        Self { out: plan.nodes.clone(), somebody, cut: Vec::new() }
    }
}
