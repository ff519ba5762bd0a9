//! Again and again, and by turns.

use tribunal_generator::{cycle, cycle_times};

use super::*;

#[test]
fn a_cycle_begins_again_when_it_is_done() {
    let load = cycle(|_| calls(["a", "b", "c"].map(call)).boxed());
    assert_eq!(functions(&four().quick(load.limit(7))), "abcabca");
}

#[test]
fn a_cycle_has_so_many_rounds_and_each_knows_its_number() {
    let load = cycle(|round| once(call("a").value(round)).boxed()).times(3);
    let history = four().quick(load);
    let values: Vec<_> = invocations(&history).filter_map(|event| event.value.as_u64()).collect();
    assert_eq!(values, [0, 1, 2]);
    assert!(four().quick(cycle(|_| once(call("a")).boxed()).times(0)).is_empty());
}

#[test]
fn a_round_without_a_call_is_the_last() {
    let load = cycle(|round| repeat(call("a")).limit(2_u64.saturating_sub(round)).boxed());
    assert_eq!(functions(&four().quick(load)), "aaa");
    let pauses = cycle(|_| sleep(ms(5)).boxed());
    assert_eq!(drawn(&four().quick(pauses.then(once(call("a"))))), "0:a@5");
}

#[test]
fn a_round_may_begin_before_the_last_one_is_answered_and_a_barrier_keeps_it_from_that() {
    let round = || calls(["a", "b"].map(call));
    let load = cycle(move |_| round().boxed()).times(2);
    assert_eq!(drawn(&four().perfect(ms(10), load)), "0:a@0 1:b@0 2:a@0 3:b@0");
    let load = cycle(move |_| synchronize(round()).boxed()).times(2);
    assert_eq!(drawn(&four().perfect(ms(10), load)), "0:a@0 1:b@0 2:a@10 3:b@10");
}

#[test]
fn the_chance_of_a_round_is_its_streams() {
    let values = |load| -> Vec<_> {
        let history: Vec<Event> = four().quick(load);
        invocations(&history).filter_map(|event| event.value.as_u64()).collect()
    };
    let draws = |stream: String| {
        let mut rng = Seed(7).stream(&stream);
        repeat_with(move || call("a").value(rng.below(1000))).limit(5).boxed()
    };
    let same = values(cycle(move |_| draws("round".to_owned())).times(2).boxed());
    assert_eq!(same[..5], same[5..]);
    let other = values(cycle(move |round| draws(format!("round {round}"))).times(2).boxed());
    assert_ne!(other[..5], other[5..]);
}

/// Calls of `f`, each a millisecond after the one before it.
fn each_ms(f: &str) -> impl tribunal_generator::Generator + 'static {
    repeat(call(f)).delay(ms(1))
}

#[test]
fn turns_last_as_long_as_they_should() {
    let parts = [(ms(2), each_ms("a").boxed()), (ms(3), each_ms("b").boxed())];
    let history = four().quick(cycle_times(parts).time_limit(ms(9)));
    assert_eq!(
        drawn(&history),
        "0:a@0 1:a@1 2:b@2 3:b@3 0:b@4 1:a@5 2:a@6 3:b@7 0:b@8",
        "two of a, three of b"
    );
}

#[test]
fn a_part_goes_on_where_it_was() {
    // A nemesis that adds and removes, and rests in between.
    let faults = calls(["add", "remove", "add", "remove"].map(call)).delay(ms(4));
    let quiet = repeat(call("-")).limit(9).delay(ms(100));
    let history = four().quick(cycle_times([(ms(5), faults.boxed()), (ms(10), quiet.boxed())]));
    // The second wait of 4 ms is cut in two: 1 ms before the pause and 3 after it.
    assert_eq!(drawn(&history), "0:add@0 1:remove@4 2:-@5 3:add@18 0:remove@32");
}

#[test]
fn turns_are_counted_from_the_first_ask() {
    let parts = [(ms(2), each_ms("a").boxed()), (ms(1), each_ms("b").boxed())];
    let run = sleep(ms(7)).then(cycle_times(parts).limit(4));
    assert_eq!(drawn(&four().quick(run)), "0:a@7 1:a@8 2:b@9 3:a@10");
}

#[test]
fn a_staggered_part_does_not_make_up_for_the_turns_of_others() {
    let load = repeat(call("a")).stagger(Seed(7).stream("stagger"), ms(1));
    let quiet = repeat(call("-")).delay(ms(100_000));
    let turns = cycle_times([(ms(100), load.boxed()), (ms(900), quiet.boxed())]);
    let history = Simulation::new(&["n1"], 50).perfect(ms(1), turns.time_limit(ms(4000)));
    let mut per_turn = [0; 4];
    for event in invocations(&history).filter(|event| &*event.f == "a") {
        assert!(event.time % (1000 * MS) < 100 * MS, "{event:?}");
        per_turn[(event.time / (1000 * MS)) as usize] += 1;
    }
    assert!(per_turn.iter().all(|count| (70..130).contains(count)), "{per_turn:?}");
}

#[test]
fn a_time_limit_inside_counts_its_own_turns() {
    let parts = [
        (ms(2), repeat(call("a")).delay(ms(1)).time_limit(ms(3)).boxed()),
        (ms(2), repeat(call("b")).delay(ms(1)).boxed()),
    ];
    assert_eq!(
        drawn(&four().quick(cycle_times(parts))),
        "0:a@0 1:a@1 2:b@2 3:b@3 0:a@4",
        "done when a is, in its second turn"
    );
}

#[test]
fn no_turns_are_no_calls_and_a_turn_of_no_length_is_none() {
    assert!(four().quick(cycle_times([])).is_empty());
    let none = (ms(0), repeat(call("a")).boxed());
    let parts = [none, (ms(5), repeat(call("b")).limit(2).boxed())];
    assert_eq!(functions(&four().quick(cycle_times(parts))), "bb");
}

#[test]
fn a_turn_that_waits_for_an_answer_passes_on() {
    // One worker, which is busy through b's first turn.
    let parts = [(ms(2), repeat(call("a")).boxed()), (ms(2), repeat(call("b")).boxed())];
    let load = cycle_times(parts).limit(4);
    let history = Simulation::new(&["n1"], 1).perfect(ms(5), load);
    assert_eq!(drawn(&history), "0:a@0 0:a@5 0:b@10 0:b@15");
}

#[test]
#[should_panic(expected = "waits for an event, but no call is open and nothing is due")]
fn turns_of_which_none_can_ever_call_are_an_error_and_no_endless_waiting() {
    let nowhere = || on_node("n9", once(call("a"))).boxed();
    four().quick(cycle_times([(ms(1), nowhere()), (ms(1), nowhere())]));
}
