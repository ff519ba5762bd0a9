//! Whether the witness of a refusal is one: cycles that close, of which every order of the pairs that
//! they name has one.

use serde_json::Value;
use tribunal_checkers::Verdict;

/// A pair of writes by key and the less of the two first, and whether that one is taken to be first.
type Choice = ((String, u64, u64), bool);

/// Checks the witnesses of all refusals.
pub fn hold(verdict: &Verdict) -> Result<(), String> {
    for anomaly in &verdict.anomalies {
        if let Some(ways) = anomaly.details.get("ways") {
            cover(ways.as_array().ok_or("ways are a list")?)?;
        }
    }
    Ok(())
}

fn cover(ways: &[Value]) -> Result<(), String> {
    let ways = ways.iter().map(choices).collect::<Result<Vec<Vec<Choice>>, String>>()?;
    let mut pairs: Vec<&(String, u64, u64)> = ways.iter().flatten().map(|(pair, _)| pair).collect();
    pairs.sort();
    pairs.dedup();
    for order in 0..1_u64 << pairs.len() {
        let is = |(pair, first): &Choice| {
            let at = pairs.iter().position(|it| *it == pair).expect("one of them");
            (order >> at & 1 == 1) == *first
        };
        if !ways.iter().any(|way| way.iter().all(is)) {
            return Err(format!("no cycle in the order {order:b} of {pairs:?}"));
        }
    }
    Ok(())
}

/// What a way takes for granted, if its steps are a cycle.
fn choices(way: &Value) -> Result<Vec<Choice>, String> {
    let steps = way["cycle"].as_array().ok_or("a cycle is a list")?;
    let next = steps.iter().cycle().skip(1);
    if steps.is_empty() || steps.iter().zip(next).any(|(step, next)| step["to"] != next["from"]) {
        return Err(format!("no cycle: {way}"));
    }
    let taken = steps.iter().filter_map(|step| step.get("if"));
    let choice = |it: &Value| {
        let [first, then] = ["first", "then"].map(|name| it[name].as_u64());
        let (first, then) = first.zip(then).ok_or("two transactions")?;
        Ok(((it["key"].to_string(), first.min(then), first.max(then)), first < then))
    };
    taken.map(choice).collect()
}
