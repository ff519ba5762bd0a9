//! `ports`: a partition of some conversations only, as of the peers' and not of the clients'.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::given::Given;
use super::{FaultOption, Options, PlanError};

/// The option, for a fault's table.
pub const OPTION: FaultOption = FaultOption {
    name: "ports",
    doc: "Only conversations with these TCP and UDP ports at either end: numbers, or names of the test file's `[db]` ports; by default all packets.",
};

const WANTED: &str = "a port from 1 to 65535, or a list of them, as in [2380]; \
                      names of ports are known in the run of a test file that has [db] ports";

/// The ports that were given; none: all.
pub fn of(given: &Given) -> Result<Vec<u16>, PlanError> {
    let Some(value) = given.value(OPTION.name) else { return Ok(Vec::new()) };
    let port = |value: &Value| {
        value.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|&port| port > 0)
    };
    let mut ports: Vec<u16> = listed(value).iter().filter_map(port).collect();
    if ports.is_empty() || ports.len() < listed(value).len() {
        return Err(given.refusal(OPTION.name, WANTED));
    }
    ports.sort_unstable();
    ports.dedup();
    Ok(ports)
}

/// What a summary says of them: " on ports 2379 2380".
pub fn words(ports: &[u16]) -> String {
    let listed = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
    match ports.len() {
        0 => String::new(),
        1 => format!(" on port {listed}"),
        _ => format!(" on ports {listed}"),
    }
}

/// A fault's options with the names among its ports replaced by the numbers that a test file gives
/// them. What is no name is left for the fault to judge.
pub fn numbered(
    fault: &str,
    options: &Options,
    named: &BTreeMap<String, u16>,
) -> Result<Options, PlanError> {
    let mut numbered = options.clone();
    let (Some(value), Ok(fault)) = (options.get(OPTION.name), super::find(fault)) else {
        return Ok(numbered);
    };
    if fault.about().options.iter().all(|option| option.name != OPTION.name) {
        return Ok(numbered);
    }
    let number = |value: &Value| match value.as_str() {
        None => Ok(value.clone()),
        Some(name) => named.get(name).map(|&port| json!(port)).ok_or_else(|| {
            let known: Vec<&str> = named.keys().map(String::as_str).collect();
            let known = match &known[..] {
                [] => "the test file's [db] has no ports".to_owned(),
                known => format!("the ports of the test file's [db] are {}", known.join(", ")),
            };
            let why = format!("there is no port `{name}`; {known}");
            Given::new(fault.name(), options).nonsense(OPTION.name, why)
        }),
    };
    let numbers = listed(value).iter().map(number).collect::<Result<Vec<_>, _>>()?;
    numbered.insert(OPTION.name.to_owned(), Value::Array(numbers));
    Ok(numbered)
}

/// One alone is a list of one.
fn listed(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use tribunal_generator::Seed;

    use super::super::{find, plan, tests::nodes};
    use super::*;

    fn options(ports: Value) -> Options {
        Options::from_iter([("ports".to_owned(), ports)])
    }

    /// Names first, as a run does it; then the plan.
    fn planned(ports: Value) -> Result<super::super::Plan, PlanError> {
        let named = BTreeMap::from([("client".to_owned(), 2379), ("peer".to_owned(), 2380)]);
        let options = numbered("partition-halves", &options(ports), &named)?;
        plan(find("partition-halves").unwrap(), &nodes(3), &options, &mut Seed(1).stream("t"))
    }

    #[test]
    fn ports_are_numbers_or_names_and_stand_in_the_plan() {
        let all = planned(json!(["peer", "client", 2380])).unwrap();
        assert_eq!(all.data["ports"], json!([2379, 2380]));
        assert!(all.summary.ends_with("} on ports 2379 2380"), "{}", all.summary);
        let one = planned(json!("peer")).unwrap();
        assert_eq!(one.data["ports"], json!([2380]));
        assert!(one.summary.ends_with("} on port 2380"), "{}", one.summary);
        // The same chance as without.
        let none = plan(
            find("partition-halves").unwrap(),
            &nodes(3),
            &Options::new(),
            &mut Seed(1).stream("t"),
        );
        assert_eq!(none.unwrap().data["cuts"], one.data["cuts"]);
    }

    #[test]
    fn what_is_no_port_is_refused() {
        let refused = |ports| planned(ports).unwrap_err().to_string();
        assert_eq!(
            refused(json!(["per"])),
            "the fault `partition-halves` cannot have ports = [\"per\"]: there is no port `per`; \
             the ports of the test file's [db] are client, peer"
        );
        for bad in [json!([]), json!(0), json!([2380, 70000]), json!([1.5]), json!({})] {
            let said = refused(bad);
            assert!(said.contains("it must be a port from 1 to 65535"), "{said}");
        }
        let none = numbered("partition-one", &options(json!("peer")), &BTreeMap::new());
        let said = none.unwrap_err().to_string();
        assert!(said.ends_with("; the test file's [db] has no ports"), "{said}");
        let other = options(json!("peer"));
        assert_eq!(numbered("pause", &other, &BTreeMap::new()).unwrap(), other);
    }
}
