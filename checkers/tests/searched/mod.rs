//! A judge of its own against the general search, on random histories of fourteen calls, which are more
//! than brute force can try in any number. The two share the model alone. Puts of unknown outcome can be
//! in more orders than even the search can try: where it gives up there is nothing to compare.

use std::fmt::Debug;

use tribunal_checkers::linearizability::engine::{Budget, Outcome, search};
use tribunal_checkers::linearizability::model::{Model, Op};

use crate::oracle::{Draw, few_seeds};

/// How many calls are drawn for a history at the most.
pub const CALLS: u64 = 14;

/// A search that needs more than this for fourteen calls is given up.
const BUDGET: Budget = Budget { steps: 100_000, bytes: 64 << 20 };

/// Judges random histories both ways. A judge may leave a history undecided, but not most of them.
pub fn compare<M: Model, E: Debug>(
    name: &str,
    model: &M,
    draw: impl Fn(&mut Draw) -> Vec<Op<M::Call>>,
    judge: impl Fn(&[Op<M::Call>]) -> Option<Result<(), E>>,
) {
    let (mut good, mut bad, mut left, mut given_up) = (0_u64, 0_u64, 0_u64, 0_u64);
    for seed in few_seeds() {
        let ops = draw(&mut Draw(seed));
        let found = match search(model, &ops, &BUDGET) {
            Outcome::Linearizable { .. } => true,
            Outcome::Stuck(_) => false,
            Outcome::Exhausted { .. } => {
                given_up += 1;
                continue;
            }
            other => panic!("{name}, seed {seed}: {other:?}\n{ops:#?}"),
        };
        *(if found { &mut good } else { &mut bad }) += 1;
        match judge(&ops) {
            None => left += 1,
            Some(answer) => assert_eq!(
                answer.is_ok(),
                found,
                "{name}, seed {seed}: the search says {found}, the judge {answer:?}\n{ops:#?}"
            ),
        }
    }
    println!(
        "{name} and search: {good} linearizable, {bad} not, 0 mismatches; {left} left by the judge, \
         {given_up} by the search"
    );
    let all = good + bad;
    if all > 1_000 {
        assert!(good > all / 20 && bad > all / 20, "{name}: {good} to {bad} is one-sided");
        assert!(left < all / 2 && given_up < all / 50, "{name}: too few compared");
    }
}
