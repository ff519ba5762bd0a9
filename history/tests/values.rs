//! Values at rest: what goes in comes out, and equal values are one.

use proptest::prelude::*;
use serde_json::{Value, json};
use tribunal_history::{Datum, Values};

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-5_i64..5).prop_map(Value::from),
        (-(1_i64 << 31)..1 << 31).prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has no such number", |it| it.is_finite())
            .prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    let step = (
        prop::sample::select(&["r", "w", "append", "x"][..]),
        prop_oneof![0..9_i64, Just((1 << 29) - 1), Just(1 << 29), -2_i64..0],
        prop_oneof![
            Just(Value::Null),
            prop_oneof![0..9_i64, -2_i64..0].prop_map(Value::from),
            ((1_i64 << 30) - 3..(1 << 30) + 2).prop_map(Value::from)
        ],
    );
    let leaf =
        prop_oneof![4 => leaf, 1 => step.prop_map(|(word, key, value)| json!([word, key, value]))];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]{0,2}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(values in prop::collection::vec(any_value(), 1..8)) {
        let mut store = Values::default();
        let data: Vec<Datum> = values.iter().map(|value| store.intern(value)).collect();
        for (value, &datum) in values.iter().zip(&data) {
            prop_assert_eq!(&store.get(datum).to_value(), value);
            prop_assert_eq!(store.get(datum).to_string(), value.to_string());
            prop_assert_eq!(store.find(value), datum);
            prop_assert_eq!(store.get(datum).as_i64(), value.as_i64());
            prop_assert_eq!(store.get(datum).as_u64(), value.as_u64());
            prop_assert_eq!(store.get(datum).as_str(), value.as_str());
            let elements = store.get(datum).elements().map(|it| it.map(Value::from).collect());
            prop_assert_eq!(elements, value.as_array().cloned());
        }
        for (one, &first) in values.iter().zip(&data) {
            for (other, &second) in values.iter().zip(&data) {
                prop_assert_eq!(one == other, first == second, "{} and {}", one, other);
            }
        }
    }
}

#[test]
fn what_does_not_occur_is_nowhere() {
    let mut store = Values::default();
    let there = store.intern(&json!({"a": [1, "x"], "b": null}));
    assert_eq!(store.find(&json!({"b": null, "a": [1, "x"]})), there);
    for absent in [json!("y"), json!(["x"]), json!({"a": 1}), json!(0.5), json!({"c": 1})] {
        assert_eq!(store.find(&absent), Datum::NOWHERE, "{absent}");
    }
    assert_eq!(store.get(there).get("b").map(|it| it.is_null()), Some(true));
    assert!(store.get(there).get("c").is_none());
}

#[test]
fn numbers_and_pairs_stand_for_themselves() {
    let mut store = Values::default();
    for number in [0, -1, (1 << 60) - 1, -(1 << 60)] {
        assert_eq!(Datum::int(number).and_then(Datum::as_i64), Some(number));
    }
    assert_eq!(Datum::int(1 << 60), None);
    let edge = (1_i64 << 29) - 1;
    for pair in [json!([1, -2]), json!([edge, -edge - 1]), json!([edge + 1, 0])] {
        let datum = store.intern(&pair);
        assert_eq!(store.get(datum).pair().map(|it| it.map(Value::from).into()), Some(pair));
    }
}
