//! The table, and the options.

use serde_json::{Value, json};
use tribunal_checkers::{Checker, Validity};
use tribunal_history::History;
use tribunal_workloads::{WORKLOADS, find};

use crate::setting;

#[track_caller]
fn refused(workload: &str, options: Value, sentence: &str) {
    let definition = find(workload).expect("it is in the table");
    let built =
        (definition.build)(&setting(7, options.clone())).err().map(|error| error.to_string());
    assert_eq!(built.as_deref(), Some(sentence));
    let Value::Object(options) = options else { unreachable!("setting has checked it") };
    let checked = (definition.checker)(&options).err().map(|error| error.to_string());
    assert_eq!(checked.as_deref(), Some(sentence));
}

#[test]
fn every_workload_is_found_by_its_name_and_names_are_in_order() {
    for definition in WORKLOADS {
        assert_eq!(find(definition.name).map(|found| found.name), Ok(definition.name));
    }
    assert!(WORKLOADS.is_sorted_by_key(|definition| definition.name));
}

#[test]
fn an_unknown_workload_is_refused_with_the_known_ones() {
    let sentence = |name| find(name).err().map(|error| error.to_string()).unwrap_or_default();
    let names: Vec<&str> = WORKLOADS.iter().map(|definition| definition.name).collect();
    let (last, others) = names.split_last().expect("there are some");
    let known = format!("The workloads are {} and {last}", others.join(", "));
    assert_eq!(
        sentence("cas-regsiter"),
        format!("there is no workload `cas-regsiter`; did you mean `cas-register`? {known}")
    );
    assert_eq!(sentence("zebra"), format!("there is no workload `zebra`. {known}"));
    assert_eq!(sentence(""), format!("there is no workload ``. {known}"));
}

#[test]
fn an_unknown_option_is_refused_with_the_known_ones() {
    refused(
        "lww",
        json!({"kyes": 3}),
        "[workload.lww] has no option `kyes`; did you mean `keys`? Its options are \
         keys, calls_per_key, write, read, initial, final_tries and final_seconds",
    );
    refused(
        "register",
        json!({"cas": 1}),
        "[workload.register] has no option `cas`. Its options are \
         keys, calls_per_key, skew, read, write, reset, initial, budget and final_seconds",
    );
}

#[test]
fn nothing_cannot_be_written_to_reset_a_register() {
    refused(
        "register",
        json!({"reset": 1}),
        "[workload.register] `initial` is null, but must be a value that can be written, where \
         `reset` is above 0",
    );
}

#[test]
fn a_bad_value_is_refused_with_what_it_may_be() {
    refused(
        "cas-register",
        json!({"keys": "many"}),
        "[workload.cas-register] `keys` is \"many\", but must be a whole number from 1 to 10000",
    );
    refused(
        "cas-register",
        json!({"calls_per_key": 0}),
        "[workload.cas-register] `calls_per_key` is 0, but must be a whole number from 1 to 1000000",
    );
    refused(
        "leader",
        json!({"exclusive": "yes"}),
        "[workload.leader] `exclusive` is \"yes\", but must be true or false",
    );
    refused(
        "leader",
        json!({"probe": 0, "write": 0}),
        "[workload.leader] `probe` is 0, but must be above 0, or another call's weight must be: \
         nothing would be called",
    );
}

#[test]
fn every_workload_ends_with_calls_on_every_node_of_the_healed_cluster() {
    for definition in WORKLOADS {
        let workload = (definition.build)(&setting(7, json!({}))).expect("the defaults are right");
        assert!(workload.last.is_some(), "{} has no last calls", definition.name);
    }
}

#[test]
fn checkers_are_made_from_options_alone_and_judge_an_empty_history() {
    for definition in WORKLOADS {
        let checker = (definition.checker)(&Default::default()).expect("the defaults are right");
        let verdict = checker.check(&History::default());
        assert_ne!(verdict.validity, Validity::Invalid, "{}", definition.name);
    }
}
