//! What is made of calls, and of events.

use super::*;

#[test]
fn f_map_renames_functions_and_leaves_the_rest() {
    let faults = calls([call("start").value(1), call("stop").value(2)]);
    let renamed = faults.f_map(|f| format!("{f}-partition"));
    let history = four().quick(renamed);
    assert_eq!(drawn(&history), "0:start-partition@0 1:stop-partition@0");
    let values: Vec<_> = invocations(&history).filter_map(|event| event.value.as_i64()).collect();
    assert_eq!(values, [1, 2]);
}

#[test]
fn the_answers_of_renamed_calls_are_still_their_own() {
    let mut left = 3;
    let load = repeat(call("a")).delay(ms(1)).until_ok().f_map(|_| "b");
    let history = four().run(load, |_| {
        left -= 1;
        if left == 0 { Answer::ok(1) } else { Answer::fail("refused") }
    });
    assert_eq!(functions(&history), "bbb");
}

#[test]
fn an_event_may_put_another_generator_in_the_place() {
    // Reads until the nemesis has struck, then one write.
    let load = repeat(call("r")).delay(ms(4)).boxed().on_update(|generator, _, event| {
        if event.process == Process::Nemesis && event.kind == Kind::Info {
            *generator = once(call("w")).boxed();
        }
    });
    let fault = sleep(ms(9)).then(once(call("fault")));
    let run = any([clients(load).boxed(), nemesis(fault).boxed()]);
    assert_eq!(drawn(&four().with_nemesis().quick(run)), "0:r@0 1:r@4 2:r@8 N:fault@9 3:w@9");
}

#[test]
fn a_reaction_comes_after_the_generators_own_and_sees_what_it_saw() {
    // Until it has succeeded; and the one around it counts what it does not stop for.
    let mut seen = Vec::new();
    let (told, hear) = std::sync::mpsc::channel();
    let load = repeat(call("a")).delay(ms(1)).until_ok().on_update(move |_, context, event| {
        told.send((event.kind, context.time / MS, context.all_are_free()))
            .expect("who hears is there");
    });
    let mut first = true;
    four().run(load, |_| match std::mem::take(&mut first) {
        true => Answer::fail("refused"),
        false => Answer::ok(1),
    });
    seen.extend(hear.try_iter());
    let expected = [
        (Kind::Invoke, 0, false),
        (Kind::Fail, 0, true),
        (Kind::Invoke, 1, false),
        (Kind::Ok, 1, true),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_reaction_may_change_what_is_inside() {
    // A limit of its own, which every failure takes one off.
    struct Budget(u64);
    impl tribunal_generator::Generator for Budget {
        fn next(&mut self, context: &tribunal_generator::Context) -> tribunal_generator::Next {
            use tribunal_generator::Next;
            match context.first_free() {
                _ if self.0 == 0 => Next::Done,
                Some(worker) => Next::Call(worker.process, call("a")),
                None => Next::Wait(u64::MAX),
            }
        }
    }
    let load = Budget(3).on_update(|budget, _, event| {
        budget.0 -= u64::from(event.kind == Kind::Fail);
    });
    let mut calls = 0;
    let history = Simulation::new(&["n1"], 1).run(load, |_| {
        calls += 1;
        if calls % 2 == 0 { Answer::fail("refused") } else { Answer::ok(1) }
    });
    assert_eq!(functions(&history), "aaaaaa");
}
