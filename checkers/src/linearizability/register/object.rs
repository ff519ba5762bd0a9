//! All calls on one register.

use serde_json::Value;
use tribunal_history::{Datum, Operation, ValueRef};

use super::op::{Action, INITIAL, Op, ValueId};
use super::parse::Source;

/// One register of a history.
pub struct Object<'h> {
    pub(super) source: &'h Source<'h>,
    /// Its key; `None` where the history has only one object.
    pub key: Option<ValueRef<'h>>,
    /// The calls that happened or may have, in the order of their invocations. A read without an
    /// answer says nothing.
    pub ops: Vec<Op>,
    /// How many values there are, the initial one included.
    pub values: usize,
}

impl<'h> Object<'h> {
    /// A call as it was recorded.
    pub(super) fn call(&self, number: u32) -> Operation<'h> {
        self.source.history.operation(number)
    }

    /// A value as JSON.
    pub(super) fn shown(&self, value: ValueId) -> Value {
        let values = self.source.history.values();
        let datum = (value != INITIAL).then(|| self.datum(value)).flatten();
        // No event need hold the initial value.
        datum.map_or_else(|| self.source.initial.clone(), |datum| values.get(datum).to_value())
    }

    /// A value as it is in the history, from any call that has it.
    fn datum(&self, value: ValueId) -> Option<Datum> {
        let found = |op: &Op| {
            let call = self.call(op.call);
            let recorded = match op.action {
                Action::Read(seen) if seen == value => match call.f() {
                    "read" => call.result(),
                    // Without what it found, it swapped a value for itself.
                    _ => call.ext("found").or(call.argument().pair().map(|[old, _]| old)),
                },
                Action::Write(set) if set == value => Some(call.argument()),
                Action::Cas(old, _) | Action::Differs(old) if old == value => {
                    call.argument().pair().map(|[old, _]| old)
                }
                Action::Cas(_, new) if new == value => call.argument().pair().map(|[_, new]| new),
                _ => None,
            };
            recorded.map(ValueRef::datum)
        };
        self.ops.iter().find_map(found)
    }

    /// The failed call that would have set a value, if there is one.
    pub(super) fn failed(&self, value: ValueId) -> Option<u32> {
        let datum = self.datum(value)?;
        let would_set = |number: &u32| {
            let call = self.call(*number);
            let set = match (call.f(), call.argument().pair()) {
                ("cas", Some([_, new])) => new,
                _ => call.argument(),
            };
            call.key() == self.key && set.datum() == datum
        };
        self.source.failed.iter().copied().find(would_set)
    }
}
