//! `partition-majority`: some nodes are cut off from all others, which are a majority for certain.

use tribunal_generator::Rng;
use tribunal_history::Name;

use super::given::Given;
use super::partition::{Drawn, NONE, Partition, about, apart, shuffled, sorted};
use super::{FaultOption, PlanError, list, ports};

pub(super) static FAULT: Partition = Partition {
    about: about(
        "partition-majority",
        "Cuts a minority off from all others, which are a majority, of an even number of nodes too.",
        &[
            FaultOption::new("minority", "How many are cut off; by default drawn anew."),
            ports::OPTION,
        ],
    ),
    needs: 3,
    example: NONE,
    draw,
};

fn draw(nodes: &[Name], given: &Given, rng: &mut Rng) -> Result<Drawn, PlanError> {
    let most = (nodes.len() - 1) / 2;
    let drawn = rng.between(1, most as u64) as usize;
    let count = given.count("minority", "nodes", 1, most)?.unwrap_or(drawn);
    let order = shuffled(nodes, rng);
    let (minor, major) = order.split_at(count);
    let summary = format!("{{{} | {}}}", list(&sorted(minor)), list(&sorted(major)));
    Ok(Drawn { nodes: sorted(minor), ..Drawn::of(apart(&[minor, major]), summary) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tribunal_generator::Seed;

    use super::super::tests::{drawn, nodes};
    use super::super::{Options, plan};
    use super::*;

    #[test]
    fn those_who_are_left_are_a_majority() {
        let mut sizes = std::collections::BTreeSet::new();
        for (count, seed) in (3..9).flat_map(|count| (0..20).map(move |seed| (count, seed))) {
            let Drawn { cuts, nodes: minority, .. } = drawn(draw, &nodes(count), seed);
            assert!((1..=(count - 1) / 2).contains(&minority.len()), "{minority:?} of {count}");
            assert_eq!(cuts.len(), count);
            for (node, sources) in &cuts {
                let inside = minority.contains(node);
                assert!(sources.iter().all(|source| minority.contains(source) != inside));
                assert!(
                    sources.len() == if inside { count - minority.len() } else { minority.len() }
                );
            }
            sizes.insert((count, minority.len()));
        }
        assert!(sizes.contains(&(5, 1)) && sizes.contains(&(5, 2)), "{sizes:?}");
    }

    #[test]
    fn how_many_may_be_chosen() {
        let planned = |minority: usize| {
            let options = Options::from_iter([("minority".to_owned(), json!(minority))]);
            plan(&FAULT, &nodes(4), &options, &mut Seed(1).stream("t"))
        };
        assert_eq!(planned(1).unwrap().nodes.len(), 1);
        assert_eq!(
            planned(2).unwrap_err().to_string(),
            "the fault `partition-majority` cannot have minority = 2: \
             it must be a whole number of nodes from 1 to 1"
        );
    }
}
