//! What still holds of a register, and how old its reads are, against the definitions, on random
//! small histories of a register that forgets.
//!
//! ```text
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test register_levels_oracle
//! ```

mod oracle;

use std::collections::HashSet;

use oracle::{Draw, Outcome, Timed, histories, linearizable, seeds, slots};
use tribunal_checkers::linearizability::register::levels::{Levels, levels};
use tribunal_checkers::linearizability::register::op::{Action, NEVER, Op};
use tribunal_checkers::linearizability::register::staleness::{Staleness, staleness};

/// The calls on one register, the session of each, and how many values there are.
struct Drawn {
    ops: Vec<Op>,
    sessions: Vec<u32>,
    values: usize,
}

/// Up to `most` calls. Reads and swaps find one of the last few values, but one in `astray`; every
/// write sets a new one.
fn draw(seed: u64, most: u64, astray: u64) -> Drawn {
    let draw = &mut Draw(seed);
    let depth = 1 + draw.below(3);
    let mut drawn = Drawn { ops: Vec::new(), sessions: Vec::new(), values: 1 };
    let mut seen = vec![0];
    for slot in slots(draw, most, 2) {
        let back = draw.below(depth.min(seen.len() as u64)) as usize;
        let found = match draw.one_in(astray) {
            // Perhaps a value that is set later, by whomever.
            true => draw.below(drawn.values as u64 + 3) as u32,
            false => seen[seen.len() - 1 - back],
        };
        let new = drawn.values as u32;
        let action = match draw.below(5) {
            0..=2 => Action::Read(found),
            3 => Action::Write(new),
            _ => Action::Cas(found, new),
        };
        let crashed = slot.deadline() == NEVER;
        if action.observes() == action.produces()
            || slot.outcome == Outcome::Fail
            || crashed && matches!(action, Action::Read(_))
        {
            continue;
        }
        if action.produces().is_some() {
            drawn.values += 1;
            if !crashed || draw.one_in(2) {
                seen.push(new);
            }
        }
        drawn.ops.push(Op { action, start: slot.start, end: slot.deadline(), call: 0 });
    }
    // Values from nowhere have numbers too.
    drawn.values += 3;
    drawn.ops.sort_by_key(|op| op.start);
    let mut free: Vec<(u32, u32)> = Vec::new();
    let mut fresh = 0;
    for (call, op) in (0..).zip(&mut drawn.ops) {
        op.call = call;
        let idle: Vec<usize> = (0..free.len()).filter(|&i| free[i].0 < op.start).collect();
        let session = match idle.is_empty() || draw.one_in(4) {
            true => {
                fresh += 1;
                fresh
            }
            false => free.swap_remove(idle[draw.below(idle.len() as u64) as usize]).1,
        };
        if op.end != NEVER {
            free.push((op.end, session));
        } else if draw.one_in(4) {
            free.push((op.start + 1, session));
        }
        drawn.sessions.push(session);
    }
    drawn
}

// The definitions.

/// Whether one call comes before another in their session, in which nothing comes after a call that crashed.
fn is_before(drawn: &Drawn, one: usize, other: usize) -> bool {
    one < other && drawn.sessions[one] == drawn.sessions[other] && drawn.ops[one].end != NEVER
}

/// The calls that took effect: those that were answered, and those whose value was seen by one that did.
fn effective(drawn: &Drawn) -> Vec<usize> {
    let mut took: Vec<bool> = drawn.ops.iter().map(|op| op.end != NEVER).collect();
    for _ in 0..drawn.ops.len() {
        for i in 0..took.len() {
            let seen = (0..took.len()).any(|j| {
                took[j]
                    && drawn.ops[j].action.observes() == drawn.ops[i].action.produces()
                    && drawn.ops[i].action.produces().is_some()
            });
            took[i] |= seen;
        }
    }
    (0..took.len()).filter(|&i| took[i]).collect()
}

/// The least k for which the calls are k-atomic.
fn atomicity(drawn: &Drawn) -> Option<usize> {
    let calls: Vec<Timed<Action>> = drawn
        .ops
        .iter()
        .map(|op| Timed { call: op.action, start: op.start, end: op.end })
        .collect();
    (1..=drawn.values + 1).find(|&k| {
        linearizable(&calls, vec![0], &|last: &Vec<u32>, action: &Action| {
            if action.observes().is_some_and(|value| !last.contains(&value)) {
                return Vec::new();
            }
            let mut last = last.clone();
            last.extend(action.produces());
            let older = last.len().saturating_sub(k);
            vec![last.split_off(older)]
        })
    })
}

/// Whether some order of the calls is true to the sessions and one of a register.
fn sequential(drawn: &Drawn) -> bool {
    fn extends(drawn: &Drawn, taken: u32, held: u32, dead: &mut HashSet<(u32, u32)>) -> bool {
        let left = |i: usize| taken & 1 << i == 0;
        let all = 0..drawn.ops.len();
        if all.clone().all(|i| !left(i) || drawn.ops[i].end == NEVER) {
            return true;
        }
        if !dead.insert((taken, held)) {
            return false;
        }
        all.clone().filter(|&i| left(i)).any(|i| {
            let before = all.clone().any(|j| left(j) && is_before(drawn, j, i));
            let action = drawn.ops[i].action;
            let fits = action.observes().is_none_or(|value| value == held);
            !before
                && fits
                && extends(drawn, taken | 1 << i, action.produces().unwrap_or(held), dead)
        })
    }
    extends(drawn, 0, 0, &mut HashSet::new())
}

/// No read of a value overwritten in its causal past.
fn causal(drawn: &Drawn, took: &[usize]) -> bool {
    let count = drawn.ops.len();
    let action = |i: usize| drawn.ops[i].action;
    let mut past = vec![vec![false; count]; count];
    for &i in took {
        for &j in took {
            let so = is_before(drawn, i, j);
            let wr = action(i).produces().is_some() && action(i).produces() == action(j).observes();
            past[i][j] = so || wr;
        }
    }
    for via in 0..count {
        for i in 0..count {
            for j in 0..count {
                past[i][j] |= past[i][via] && past[via][j];
            }
        }
    }
    let overwritten = |r: usize, value: u32| {
        took.iter().any(|&w| {
            let set = took.iter().find(|&&s| action(s).produces() == Some(value));
            action(w).produces().is_some_and(|new| new != value)
                && past[w][r]
                && set.is_none_or(|&s| past[s][w])
        })
    };
    (0..count).all(|i| !past[i][i])
        && took.iter().all(|&r| action(r).observes().is_none_or(|value| !overwritten(r, value)))
}

/// The four session guarantees: each holds under some order of the values, true to the writes of every session.
fn guarantees(drawn: &Drawn, took: &[usize]) -> [bool; 4] {
    let set: Vec<u32> = took.iter().filter_map(|&i| drawn.ops[i].action.produces()).collect();
    let mut holds = [false; 4];
    permute(&mut vec![0], &set, &mut |order| {
        let place = |value: u32| order.iter().position(|&it| it == value).expect("it is set");
        let swaps = took.iter().all(|&i| match drawn.ops[i].action {
            Action::Cas(old, new) => place(old) < place(new),
            _ => true,
        });
        if !swaps {
            return;
        }
        let mut kept = [true; 4];
        for &i in took {
            for &j in took {
                if !is_before(drawn, i, j) {
                    continue;
                }
                let no_older = |one: Option<u32>, other: Option<u32>| {
                    one.zip(other).is_none_or(|(one, other)| place(one) <= place(other))
                };
                let (one, other) = (drawn.ops[i].action, drawn.ops[j].action);
                kept[0] &= no_older(one.produces(), other.observes());
                kept[1] &= no_older(one.observes(), other.observes());
                kept[2] &= no_older(one.produces(), other.produces());
                // Nor may it have read what it writes only now.
                kept[3] &= no_older(one.observes(), other.produces())
                    && one.observes().is_none_or(|value| other.produces() != Some(value));
            }
        }
        // The others together with monotonic writes.
        (0..4).for_each(|i| holds[i] |= kept[i] && kept[2]);
    });
    holds
}

fn permute(order: &mut Vec<u32>, set: &[u32], visit: &mut impl FnMut(&[u32])) {
    if order.len() > set.len() {
        return visit(order);
    }
    for &value in set {
        if !order.contains(&value) {
            order.push(value);
            permute(order, set, visit);
            order.pop();
        }
    }
}

/// Whether every value seen by a call that took effect was set by some call.
fn written(drawn: &Drawn, took: &[usize]) -> bool {
    let set = |value: u32| took.iter().any(|&i| drawn.ops[i].action.produces() == Some(value));
    took.iter()
        .filter_map(|&i| drawn.ops[i].action.observes())
        .all(|value| value == 0 || set(value))
}

#[test]
fn levels_agree_with_their_definitions() {
    let mut counts = [[0_u64; 2]; 6];
    for seed in seeds() {
        let drawn = draw(seed, 7, 8);
        let took = effective(&drawn);
        let found = levels(&drawn.ops, &drawn.sessions, drawn.values);
        if !written(&drawn, &took) {
            assert_eq!(found, Levels::default(), "seed {seed}");
            continue;
        }
        let [reads, monotonic, writes, follow] = guarantees(&drawn, &took);
        let truth = [sequential(&drawn), causal(&drawn, &took), reads, monotonic, writes, follow];
        let told = [
            found.sequential,
            found.causal,
            found.read_your_writes,
            found.monotonic_reads,
            found.monotonic_writes,
            found.writes_follow_reads,
        ];
        // Without monotonic writes, the other guarantees are not judged.
        let judged = |i: usize| writes || ![2, 3, 5].contains(&i);
        let expected: Vec<_> = (0..6).map(|i| judged(i).then_some(truth[i])).collect();
        assert_eq!(told[..], expected, "seed {seed}: {:#?} {:?}", drawn.ops, drawn.sessions);
        (0..6).filter(|&i| judged(i)).for_each(|i| counts[i][usize::from(truth[i])] += 1);
    }
    let names = [
        "sequential",
        "causal",
        "read your writes",
        "monotonic reads",
        "monotonic writes",
        "writes follow reads",
    ];
    for (name, [broken, kept]) in names.into_iter().zip(counts) {
        println!("{name}: {kept} kept, {broken} broken, 0 mismatches");
        assert!(kept.min(broken) > histories() / 1_000, "{name} is one-sided");
    }
}

#[test]
fn staleness_is_exact() {
    let (mut judged, mut ages) = (0_u64, [0_u64; 5]);
    for seed in seeds() {
        let drawn = draw(seed, 7 + seed % 4, 8);
        let truth = atomicity(&drawn);
        let exact = |age: usize| Staleness { at_least: age, at_most: age };
        let found = staleness(&drawn.ops, drawn.values);
        assert_eq!(found, truth.map(exact), "seed {seed}: {:#?}", drawn.ops);
        if let Some(age) = truth {
            judged += 1;
            ages[age.min(5) - 1] += 1;
        }
    }
    println!("staleness: {judged} histories, {ages:?} of age 1, 2, 3, 4, more, 0 mismatches");
    assert!(seeds().count() == 1 || (0..3).all(|age| ages[age] > judged / 100));
}

/// Too long for brute force: but the bounds meet, and no read is older than it was made, by more than the
/// calls that overlap.
#[test]
fn staleness_of_long_histories_is_exact() {
    let mut ages = [0; 8];
    for seed in 0..200 {
        let drawn = draw(seed, 4_000, u64::MAX);
        let Some(found) = staleness(&drawn.ops, drawn.values) else { continue };
        assert_eq!(found.at_least, found.at_most, "seed {seed}");
        ages[found.at_most.min(8) - 1] += 1;
    }
    println!("long histories of age 1, 2, 3, ..: {ages:?}");
    assert!(ages[1..].iter().sum::<u64>() > 50);
}
