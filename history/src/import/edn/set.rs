//! The order of a set's elements, so that equal sets are equal arrays.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// The elements of a set, each once, in an order of their own.
pub(super) fn sorted(mut elements: Vec<Value>) -> Vec<Value> {
    elements.sort_by(by_kind_and_size);
    elements.dedup();
    elements
}

fn by_kind_and_size(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (integer(one), integer(other)) {
            (None, None) => {
                one.as_f64().unwrap_or_default().total_cmp(&other.as_f64().unwrap_or_default())
            }
            (one, other) => one.cmp(&other),
        },
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => rank(one).cmp(&rank(other)).then_with(|| one.to_string().cmp(&other.to_string())),
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}
