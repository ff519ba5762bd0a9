//! Who makes the calls.

use tribunal_generator::simulation::Answer;
use tribunal_generator::{each_node, each_process, each_worker, on_workers};

use super::*;

/// Each call crashes, in a millisecond.
fn crashes(_: Attempt) -> Answer {
    Answer::info("timed out").after(ms(1))
}

#[test]
fn each_worker_runs_once_a_worker_at_the_same_time() {
    let parts = each_worker(|_| calls(["a", "b"].map(call)).boxed());
    let history = Simulation::new(&["n1", "n2"], 3).perfect(ms(10), parts);
    assert_eq!(drawn(&history), "0:a@0 1:a@0 2:a@0 0:b@10 1:b@10 2:b@10");
}

#[test]
fn a_worker_goes_on_where_it_was_when_its_process_is_retired() {
    let parts = each_worker(|_| calls(["a", "b", "c"].map(call)).boxed());
    let history = Simulation::new(&["n1"], 2).run(parts, crashes);
    assert_eq!(drawn(&history), "0:a@0 1:a@0 2:b@1 3:b@1 4:c@2 5:c@2");
}

#[test]
fn each_worker_shows_the_worker_and_each_has_its_own_end() {
    let parts = each_worker(|worker| match worker.process {
        Process::Client(number) => repeat(call("a")).limit(number).boxed(),
        Process::Nemesis => once(call("fault")).boxed(),
    });
    let history = Simulation::new(&["n1"], 3).with_nemesis().perfect(ms(1), parts);
    assert_eq!(drawn(&history), "1:a@0 2:a@0 N:fault@0 2:a@1");
}

#[test]
fn where_calls_are_few_every_worker_gets_its_share_of_them() {
    let parts = each_worker(|_| repeat(call("a")).boxed());
    let history = Simulation::new(&["n1"], 3).quick(parts.delay(ms(1)).limit(6));
    assert_eq!(drawn(&history), "0:a@0 1:a@1 2:a@2 0:a@3 1:a@4 2:a@5");
    let parts = each_process(|_| repeat(call("a")).boxed());
    let history = Simulation::new(&["n1"], 3).quick(parts.delay(ms(1)).limit(6));
    assert_eq!(drawn(&history), "0:a@0 1:a@1 2:a@2 0:a@3 1:a@4 2:a@5");
    let parts = each_node(|_| repeat(call("a")).boxed());
    let history = Simulation::new(&["n1", "n2"], 2).quick(parts.delay(ms(1)).limit(4));
    assert_eq!(drawn(&history), "0:a@0 1:a@1 0:a@2 1:a@3");
}

#[test]
fn each_worker_until_ok_asks_until_each_has_had_an_answer() {
    let parts = each_worker(|_| repeat(call("a")).limit(9).until_ok().boxed());
    let mut left = 2;
    let history = Simulation::new(&["n1"], 2).run(parts, |attempt| match attempt.process {
        Process::Client(1) => Answer::ok(1).after(ms(1)),
        _ if left == 0 => Answer::ok(1).after(ms(1)),
        _ => {
            left -= 1;
            crashes(attempt)
        }
    });
    assert_eq!(drawn(&history), "0:a@0 1:a@0 2:a@1 4:a@2");
}

#[test]
fn the_workers_of_a_reserve_keep_their_own_generators_through_crashes() {
    let parts = |f| each_worker(move |_| calls([call(f), call(f)]).boxed()).boxed();
    let load = reserve([(1, parts("w"))], parts("r"));
    let history = Simulation::new(&["n1"], 3).run(load, crashes);
    assert_eq!(drawn(&history), "0:w@0 1:r@0 2:r@0 3:w@1 4:r@1 5:r@1");
}

#[test]
fn on_workers_chooses_by_place_and_by_node() {
    let odd = on_workers(|place, _| place % 2 == 1, repeat(call("a")).limit(4));
    assert_eq!(drawn(&four().perfect(ms(1), odd)), "1:a@0 3:a@0 1:a@1 3:a@1");
    let there = |_, worker: &tribunal_generator::Worker| worker.node.as_deref() == Some("n1");
    let there = on_workers(there, repeat(call("a")).limit(3));
    assert_eq!(drawn(&four().perfect(ms(1), there)), "0:a@0 2:a@0 0:a@1");
}

#[test]
fn a_worker_that_was_chosen_is_so_under_every_number() {
    let first = |_, worker: &tribunal_generator::Worker| worker.process == Process::Client(0);
    let load = on_workers(first, repeat(call("a")).limit(3));
    assert_eq!(drawn(&four().run(load, crashes)), "0:a@0 4:a@1 8:a@2");
}

#[test]
fn a_barrier_of_those_that_were_chosen_waits_for_no_others() {
    let ours = phases([once(call("a")).boxed(), once(call("b")).boxed()]);
    let others = on_workers(|place, _| place > 0, repeat(call("s")).limit(3));
    let run = any([on_workers(|place, _| place == 0, ours).boxed(), others.boxed()]);
    let history = four()
        .run(run, |attempt| Answer::ok(1).after(ms(if &*attempt.call.f == "s" { 100 } else { 1 })));
    assert_eq!(drawn(&history), "0:a@0 1:s@0 2:s@0 3:s@0 0:b@1");
}
