//! `partition-given`: just the links that the user lists, as groups or one by one.

use serde_json::{Value, json};
use tribunal_generator::Rng;
use tribunal_history::Name;

use super::given::Given;
use super::partition::{Cuts, Drawn, Partition, about, apart, links};
use super::target::{directed, node, written};
use super::{FaultOption, Options, PlanError, list, ports};

const CUTS: FaultOption = FaultOption {
    name: "cuts",
    doc: "Groups that do not hear each other, [[\"n1\", \"n2\"], [\"n3\"]] (who is in none hears all), or links, [\"n1>n2\"]: what n1 sends, n2 does not get. It must be said.",
};

const WANTED: &str =
    "groups of nodes, as in [[\"n1\", \"n2\"], [\"n3\"]], or links, as in [\"n1>n2\", \"n2>n1\"]";

pub(super) static FAULT: Partition = Partition {
    about: about(
        "partition-given",
        "Cuts just the links between nodes that are listed.",
        &[CUTS, ports::OPTION],
    ),
    needs: 2,
    example,
    draw,
};

/// The first node does not hear the others.
fn example(nodes: &[Name]) -> Options {
    let mut links = nodes.iter().skip(1).map(|node| format!("{node}>{}", nodes[0]));
    let links: Vec<String> = if nodes.is_empty() { Vec::new() } else { links.by_ref().collect() };
    Options::from_iter([(CUTS.name.to_owned(), json!(links))])
}

fn draw(nodes: &[Name], given: &Given, _: &mut Rng) -> Result<Drawn, PlanError> {
    let (option, wanted) = (CUTS.name, WANTED);
    let Some(value) = given.value(option) else {
        return Err(PlanError::MissingOption { fault: FAULT.about.name, option, wanted });
    };
    let entries = value.as_array().filter(|entries| !entries.is_empty());
    let entries = entries.ok_or_else(|| given.refusal(option, wanted))?;
    let drawn = if entries.iter().all(Value::is_array) {
        in_groups(nodes, entries)
    } else if entries.iter().all(Value::is_string) {
        by_links(nodes, entries)
    } else {
        return Err(given.refusal(option, wanted));
    };
    let (cuts, summary) = drawn.map_err(|why| given.nonsense(option, why))?;
    Ok(Drawn::of(cuts, summary))
}

fn in_groups(nodes: &[Name], entries: &[Value]) -> Result<(Cuts, String), String> {
    let mut groups: Vec<Vec<Name>> = Vec::new();
    for entry in entries {
        let mut group = Vec::new();
        for name in entry.as_array().into_iter().flatten() {
            let node = node(nodes, name.as_str().unwrap_or(&name.to_string()))?;
            if groups.iter().chain([&group]).any(|group| group.contains(&node)) {
                return Err(format!("{node} is in it twice"));
            }
            group.push(node);
        }
        if group.is_empty() {
            return Err("a group has no node".to_owned());
        }
        groups.push(group);
    }
    if groups.len() < 2 {
        return Err("one group alone is cut off from nobody".to_owned());
    }
    let told: Vec<String> = groups.iter().map(|group| list(group)).collect();
    let groups: Vec<&[Name]> = groups.iter().map(Vec::as_slice).collect();
    Ok((apart(&groups), format!("{{{}}}", told.join(" | "))))
}

fn by_links(nodes: &[Name], entries: &[Value]) -> Result<(Cuts, String), String> {
    let texts: Vec<&str> = entries.iter().filter_map(Value::as_str).collect();
    let directed = directed(nodes, &texts)?;
    let cuts = links(directed.iter().map(|(from, to)| (from, to)));
    Ok((cuts, format!("cut {}", written(&directed))))
}

#[cfg(test)]
mod tests {
    use tribunal_generator::Seed;

    use super::super::tests::nodes;
    use super::super::{Plan, plan};
    use super::*;

    fn planned(cuts: Value) -> Result<Plan, PlanError> {
        let options = Options::from_iter([("cuts".to_owned(), cuts)]);
        plan(&FAULT, &nodes(4), &options, &mut Seed(1).stream("t"))
    }

    #[test]
    fn groups_do_not_hear_each_other_and_who_is_in_none_hears_all() {
        let plan = planned(json!([["n1", "n3"], ["n2"]])).unwrap();
        assert_eq!(plan.data["cuts"], json!({"n1": ["n2"], "n2": ["n1", "n3"], "n3": ["n2"]}));
        assert_eq!(plan.summary, "{n1 n3 | n2}");
    }

    #[test]
    fn a_link_is_cut_in_one_direction() {
        let plan = planned(json!(["n1>n2", "n3>n2", "n2 > n4"])).unwrap();
        assert_eq!(plan.data["cuts"], json!({"n2": ["n1", "n3"], "n4": ["n2"]}));
        assert_eq!(plan.summary, "cut n1>n2 n3>n2 n2>n4");
        assert_eq!(plan.nodes, ["n2".into(), "n4".into()] as [Name; 2]);
    }

    #[test]
    fn what_cannot_be_is_told_in_a_sentence() {
        let none = plan(&FAULT, &nodes(4), &Options::new(), &mut Seed(1).stream("t"));
        let said = none.unwrap_err().to_string();
        assert!(
            said.starts_with("the fault `partition-given` needs the option `cuts`: "),
            "{said}"
        );
        for bad in [json!([]), json!("n1>n2"), json!([["n1"], "n2>n3"]), json!([1, 2])] {
            let said = planned(bad).unwrap_err().to_string();
            assert!(said.contains(": it must be groups of nodes, as in [[\"n1\""), "{said}");
        }
        let cases = [
            (json!([["n1"], ["n9"]]), "there is no node `n9` among n1 n2 n3 n4"),
            (json!([["n1"], [7]]), "there is no node `7` among n1 n2 n3 n4"),
            (json!([["n1", "n2"], ["n2"]]), "n2 is in it twice"),
            (json!([["n1", "n1"], ["n2"]]), "n1 is in it twice"),
            (json!([["n1"], []]), "a group has no node"),
            (json!([["n1", "n2"]]), "one group alone is cut off from nobody"),
            (json!(["n1>n9"]), "there is no node `n9` among n1 n2 n3 n4"),
            (json!(["n1>n1"]), "there is no link from n1 to itself"),
            (json!(["n1>n2", "n1>n2"]), "n1>n2 is in it twice"),
            (json!(["n1-n2"]), "`n1-n2` is no link; say `n1>n2` for what n1 sends to n2"),
        ];
        for (cuts, why) in cases {
            let said = planned(cuts.clone()).unwrap_err().to_string();
            assert_eq!(
                said,
                format!("the fault `partition-given` cannot have cuts = {cuts}: {why}")
            );
        }
    }
}
