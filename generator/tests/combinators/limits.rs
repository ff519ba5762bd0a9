//! How many calls at once, how many processes, and until whoever is done first.

use tribunal_generator::shortest_any;

use super::*;

#[test]
fn so_many_calls_are_open_at_once() {
    let load = repeat(call("a")).limit(5).concurrency_limit(2);
    assert_eq!(drawn(&four().perfect(ms(10), load)), "0:a@0 1:a@0 2:a@10 3:a@10 0:a@20");
    assert!(four().quick(repeat(call("a")).concurrency_limit(0)).is_empty());
}

#[test]
fn the_open_calls_of_others_do_not_count() {
    let few = repeat(call("a")).limit(2).concurrency_limit(1);
    let run = any([few.boxed(), repeat(call("b")).limit(3).boxed()]);
    assert_eq!(drawn(&four().perfect(ms(10), run)), "0:a@0 1:b@0 2:b@0 3:b@0 0:a@10");
}

#[test]
fn a_call_that_crashed_is_open_no_more() {
    let load = repeat(call("a")).limit(3).concurrency_limit(1);
    let history = four().run(load, |_| Answer::info("timed out").after(ms(5)));
    assert_eq!(drawn(&history), "0:a@0 1:a@5 2:a@10");
}

#[test]
fn a_process_limit_uses_as_many_clients_and_ends_when_one_of_them_is_gone() {
    let load = repeat(call("a")).process_limit(2).limit(4);
    assert_eq!(drawn(&four().perfect(ms(1), load)), "0:a@0 1:a@0 0:a@1 1:a@1");
    // The second call of process 1 crashes; process 0 does not trickle on alone.
    let load = repeat(call("a")).process_limit(2);
    let mut calls = 0;
    let history = four().run(load, |_| {
        calls += 1;
        if calls == 4 { Answer::info("crash").after(ms(1)) } else { Answer::ok(1).after(ms(1)) }
    });
    assert_eq!(drawn(&history), "0:a@0 1:a@0 0:a@1 1:a@1");
}

#[test]
fn a_process_limit_lets_retired_processes_be_replaced_while_it_has_some_left() {
    let history = Simulation::new(&["n1"], 2)
        .run(repeat(call("a")).process_limit(5), |_| Answer::info("crash").after(ms(1)));
    assert_eq!(drawn(&history), "0:a@0 1:a@0 2:a@1 3:a@1 4:a@2");
}

#[test]
fn a_process_limit_ends_what_each_node_has_for_a_node_that_it_does_not_reach() {
    let parts = each_node(|_| repeat(call("a")).limit(2).boxed()).process_limit(1);
    assert_eq!(drawn(&four().perfect(ms(1), parts)), "0:a@0 0:a@1");
}

#[test]
fn a_process_limit_does_not_count_the_nemesis() {
    let run =
        any([nemesis(repeat(call("x")).limit(2)).boxed(), clients(repeat(call("a"))).boxed()]);
    let history = four().with_nemesis().run(run.process_limit(2), |attempt| {
        let answer = if attempt.time < 2 * MS { Answer::ok(1) } else { Answer::info("crash") };
        answer.after(ms(1))
    });
    assert_eq!(drawn(&history), "N:x@0 0:a@0 1:a@0 N:x@1 0:a@1 1:a@1 0:a@2 1:a@2");
}

#[test]
fn shortest_any_takes_turns_and_ends_with_the_first_that_ends() {
    let parts = || [repeat(call("a")).boxed(), repeat(call("b")).limit(2).boxed()];
    assert_eq!(functions(&four().quick(shortest_any(parts()))), "abab");
    let [first, second] = parts();
    assert_eq!(functions(&four().quick(shortest_any([second, first]))), "bab");
    let at_once = [repeat(call("a")).boxed(), calls([]).boxed()];
    assert!(four().quick(shortest_any(at_once)).is_empty());
    assert!(four().quick(shortest_any([])).is_empty());
}

#[test]
fn a_load_lasts_as_long_as_the_nemesis_has_faults() {
    let faults = calls(["x", "y"].map(call)).delay(ms(10)).then(sleep(ms(5)));
    let load = repeat(call("a")).delay(ms(4));
    let run = shortest_any([nemesis(faults).boxed(), clients(load).boxed()]);
    let history = four().with_nemesis().quick(run);
    // The delay is also behind the last fault.
    assert_eq!(drawn(&history), "N:x@0 0:a@0 1:a@4 2:a@8 N:y@10 3:a@12 0:a@16 1:a@20 2:a@24");
}
