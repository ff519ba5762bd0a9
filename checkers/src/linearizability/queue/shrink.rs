//! The fewest values that still contradict each other.
//!
//! Whoever leaves a value out of a right history, its put and its take together, has a right history
//! again: nobody else's answer depends on it. So what is wrong stays wrong as values
//! are added, and a smallest wrong set is found by bisection: the shortest wrong beginning, whose last
//! value is needed, then the shortest one that is wrong together with it, and so on.

use super::Life;

/// Some of `lives`, in the same order, that are still `wrong`, none of which could be missing; all
/// together must be wrong.
pub(in crate::linearizability) fn smallest(
    lives: &[Life],
    wrong: impl Fn(&[Life]) -> bool,
) -> Vec<Life> {
    let mut needed: Vec<Life> = Vec::new();
    let mut rest = lives.to_vec();
    while !wrong(&needed) && !rest.is_empty() {
        let with = |count: usize| [&rest[..count], &needed[..]].concat();
        // Double first: the contradiction is often near the beginning, and a judgement costs its length.
        let mut high = 1;
        while high < rest.len() && !wrong(&with(high)) {
            high *= 2;
        }
        let (mut low, mut high) = (high / 2, high.min(rest.len()));
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            match wrong(&with(middle)) {
                true => high = middle,
                false => low = middle,
            }
        }
        needed.insert(0, rest[high - 1]);
        rest.truncate(high - 1);
    }
    needed
}
