//! What a call does to a register, and when.

/// Where an event stands in the log: its index plus one. 0 is before the history.
///
/// The log's order decides, not the wall times: indexes never tie.
pub type Point = u32;

/// The end of a call that may still take effect at any later time.
pub const NEVER: Point = u32::MAX;

/// A register's value, by number: [`INITIAL`] is 0, the others follow.
pub type ValueId = u32;

/// The value every register holds before the first call.
pub const INITIAL: ValueId = 0;

/// What a call does to the register, or learned of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Found this value.
    Read(ValueId),
    /// Sets this value.
    Write(ValueId),
    /// Finds the first value and sets the second, another one.
    Cas(ValueId, ValueId),
    /// Found some value other than this: a compare-and-set that did not swap.
    Differs(ValueId),
}

impl Action {
    /// The value the register must hold for this to happen.
    pub fn observes(self) -> Option<ValueId> {
        match self {
            Action::Read(value) | Action::Cas(value, _) => Some(value),
            Action::Write(_) | Action::Differs(_) => None,
        }
    }

    /// The value the register holds afterwards, if this sets one.
    pub fn produces(self) -> Option<ValueId> {
        match self {
            Action::Write(value) | Action::Cas(_, value) => Some(value),
            Action::Read(_) | Action::Differs(_) => None,
        }
    }
}

/// One call on one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// What it did.
    pub action: Action,
    /// When it was invoked.
    pub start: Point,
    /// When it was acknowledged; [`NEVER`] where that is not known.
    pub end: Point,
    /// Which of the history's operations it is.
    pub call: u32,
}

impl Op {
    /// Whether nobody knows if it happened.
    pub fn crashed(&self) -> bool {
        self.end == NEVER
    }
}
