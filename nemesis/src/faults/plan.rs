//! What a fault is to do, drawn up front from nodes and chance, and why it cannot be: pure, and
//! recorded. What becomes of a plan on the nodes as they are is an [`Aim`](super::Aim).

use tribunal_generator::Rng;
use tribunal_history::{Map, Name, Value};

use super::{Fault, Options};
use crate::model::SystemModel;

/// What is to be done, drawn up front.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The nodes that are harmed; empty where only the injection will tell.
    pub nodes: Vec<Name>,
    /// In words.
    pub summary: String,
    /// As data: with it alone the fault can be injected again.
    pub data: Map<String, Value>,
}

/// What a plan's data says of victims that are not to come back.
pub(super) const STAYS_DEAD: &str = "stays_dead";

impl Plan {
    /// Whether its victims are not to come back.
    pub fn stays_dead(&self) -> bool {
        self.data.get(STAYS_DEAD) == Some(&Value::Bool(true))
    }

    /// The same for another node, wherever this one is named.
    pub fn with_instead(self, gone: &Name, other: &Name) -> Self {
        let named = self.nodes.contains(gone);
        let data = renamed(Value::Object(self.data), gone, other);
        let Value::Object(data) = data else { unreachable!("an object is renamed to one") };
        let summary = match named {
            true => format!("{} ({other} instead of {gone}, which is dead)", self.summary),
            false => self.summary,
        };
        let nodes = self.nodes.into_iter().map(|it| if it == *gone { other.clone() } else { it });
        Self { nodes: nodes.collect(), summary, data }
    }
}

/// A value with another name wherever this one is a word or a key in it.
fn renamed(value: Value, gone: &Name, other: &Name) -> Value {
    match value {
        Value::String(text) if *text == **gone => Value::from(&**other),
        Value::Array(values) => {
            values.into_iter().map(|value| renamed(value, gone, other)).collect()
        }
        Value::Object(map) => {
            let key = |key: String| if *key == **gone { other.to_string() } else { key };
            map.into_iter().map(|(name, value)| (key(name), renamed(value, gone, other))).collect()
        }
        value => value,
    }
}

/// Draws one fault of a kind, after a look at the options.
pub fn plan(
    fault: &dyn Fault,
    nodes: &[Name],
    options: &Options,
    rng: &mut Rng,
) -> Result<Plan, PlanError> {
    let known = fault.about().options;
    if let Some(unknown) = options.keys().find(|key| known.iter().all(|option| option.name != *key))
    {
        let listed = known.iter().map(|option| option.name).collect::<Vec<_>>().join(", ");
        return Err(PlanError::UnknownOption {
            fault: fault.name(),
            option: unknown.clone(),
            known: if listed.is_empty() {
                "it has none".into()
            } else {
                format!("it has {listed}")
            },
        });
    }
    fault.draw(nodes, options, rng)
}

/// Names in a row: "n1 n2".
pub(super) fn list(names: &[Name]) -> String {
    names.join(" ")
}

/// Why a fault cannot be planned.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// No fault of that name.
    #[error("there is no fault `{fault}`; there are {known}")]
    Unknown {
        /// What was asked for.
        fault: String,
        /// What there is.
        known: String,
    },
    /// No option of that name.
    #[error("the fault `{fault}` has no option `{option}`; {known}")]
    UnknownOption {
        /// Which fault.
        fault: &'static str,
        /// What was given.
        option: String,
        /// What there is.
        known: String,
    },
    /// A value that makes no sense.
    #[error("the fault `{fault}` cannot have {option} = {value}: it must be {wanted}")]
    BadOption {
        /// Which fault.
        fault: &'static str,
        /// Which option.
        option: &'static str,
        /// What was given.
        value: Value,
        /// What can be given.
        wanted: &'static str,
    },
    /// A system model in which it cannot happen.
    #[error(
        "the fault `{fault}` cannot happen in the system model {model}: it takes at least {takes}"
    )]
    NotAllowed {
        /// Which fault.
        fault: &'static str,
        /// The run's model.
        model: SystemModel,
        /// The mildest model that has it.
        takes: SystemModel,
    },
    /// A value that makes no sense for these nodes, or in itself.
    #[error("the fault `{fault}` cannot have {option} = {value}: {why}")]
    Nonsense {
        /// Which fault.
        fault: &'static str,
        /// Which option.
        option: &'static str,
        /// What was given.
        value: Value,
        /// What is wrong with it.
        why: String,
    },
    /// An option that has no default.
    #[error("the fault `{fault}` needs the option `{option}`: {wanted}")]
    MissingOption {
        /// Which fault.
        fault: &'static str,
        /// Which option.
        option: &'static str,
        /// What can be given.
        wanted: &'static str,
    },
    /// A cluster too small for it.
    #[error("the fault `{fault}` needs at least {needs} nodes; there are {has}")]
    TooFewNodes {
        /// Which fault.
        fault: &'static str,
        /// How many it takes.
        needs: usize,
        /// How many there are.
        has: usize,
    },
}
