//! What a model's own judge says of a history with one object.
#![allow(dead_code, reason = "every test binary uses a part of it")]

use tribunal_checkers::linearizability::model::{Conflict, Decision, Model, NEVER, Object, Op};
use tribunal_history::{History, Kind};

/// The model's own decision; `None` where it leaves the history to the search.
pub fn decision<M: Model>(model: &M, history: &History) -> Option<Decision> {
    let mut object = Object { history, key: None, ops: Vec::new(), failed: Vec::new() };
    for operation in history.operations() {
        if operation.kind() == Kind::Fail {
            object.failed.push(operation.number());
            continue;
        }
        if let Some(call) = model.call(&operation).expect("a call of this object") {
            let start = operation.start() as u32 + 1;
            let end = operation.end().map_or(NEVER, |end| end as u32 + 1);
            object.ops.push(Op { call, start, end, number: operation.number() });
        }
    }
    model.decide(&object)
}

/// The conflict that it finds.
pub fn conflict<M: Model>(model: &M, history: &History) -> Conflict {
    let decision = decision(model, history).expect("the judge decides");
    decision.conflict.expect("there is no order")
}

/// Whether it finds an order.
pub fn is_fine<M: Model>(model: &M, history: &History) -> bool {
    decision(model, history).is_some_and(|decision| decision.conflict.is_none())
}
