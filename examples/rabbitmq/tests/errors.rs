//! The table of errors against a server that is none: it opens a connection and a channel as
//! RabbitMQ does, takes one message or is asked for one, and then goes wrong in one way.

mod server;

use std::thread;
use std::time::Duration;

use substrate::trial::Caller;
use tribunal_client::{Call, Failure, Outcome, Value};

use server::{Does, Server};

const PROGRAM: &str = env!("CARGO_BIN_EXE_rabbitmq-client-program");

/// To find a queue empty takes five seconds.
const PATIENCE: Duration = Duration::from_secs(10);

fn call(f: &str) -> Call {
    Call::new(f).key("0").value(1)
}

/// How a call ends against such a server, and how many messages that published.
fn ends(does: Does, f: &str) -> (Outcome, usize) {
    let server = Server::start(does);
    let mut caller = Caller::new(PROGRAM, &[], "queue", server.node());
    let outcome = caller.call_within(PATIENCE, &call(f));
    (outcome, server.publishes())
}

/// Judges how a call ends against each of these servers: side by side, for some of them end
/// only when nobody answers.
fn each(servers: &[Does], f: &str, judge: impl Fn(Does, Outcome, usize) + Copy + Send + Sync) {
    thread::scope(|scope| {
        for &does in servers {
            scope.spawn(move || {
                let (outcome, publishes) = ends(does, f);
                judge(does, outcome, publishes);
            });
        }
    });
}

#[test]
fn an_acknowledgement_is_ok() {
    let (outcome, publishes) = ends(Does::Acknowledges, "enqueue");
    assert_eq!((outcome.expect("it is there").value, publishes), (1.into(), 1));
}

#[test]
fn what_is_returned_is_in_no_queue_though_it_is_acknowledged() {
    let (outcome, publishes) = ends(Does::Returns, "enqueue");
    let Err(Failure::Fail(why)) = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("312 NO_ROUTE"), "{why}");
    assert_eq!(publishes, 1);
}

#[test]
fn whatever_else_went_wrong_after_a_publish_is_unknown() {
    let servers = [
        Does::Refuses,
        Does::ClosesTheChannel,
        Does::ClosesTheConnection,
        Does::Dies,
        Does::ComesBack,
        Does::IsSilent,
    ];
    each(&servers, "enqueue", |does, outcome, publishes| {
        assert!(matches!(outcome, Err(Failure::Info(_))), "{does:?}: {outcome:?}");
        assert_eq!(publishes, 1, "{does:?}: the driver has published again by itself");
    });
}

#[test]
fn a_message_that_did_not_come_is_still_in_the_queue() {
    let servers = [
        Does::ClosesTheChannel,
        Does::ClosesTheConnection,
        Does::Dies,
        Does::ComesBack,
        Does::IsSilent,
        Does::DeliversHalf,
    ];
    each(&servers, "dequeue", |does, outcome, _| {
        assert!(matches!(outcome, Err(Failure::Fail(_))), "{does:?}: {outcome:?}");
    });
}

#[test]
fn what_came_out_of_a_queue_is_told_though_nobody_hears_that_it_did() {
    let (outcome, _) = ends(Does::DeliversAndDies, "dequeue");
    let taken = outcome.expect("a value");
    assert_eq!((taken.value, &taken.ext["redelivered"]), (42.into(), &true.into()));
}

#[test]
fn a_queue_is_empty_only_when_nothing_comes_for_longer_than_a_dead_client_is_believed_in() {
    // One that comes back into the queue while it seems empty.
    let (outcome, _) = ends(Does::DeliversLate, "dequeue");
    assert_eq!(outcome.expect("a value").value, 42);
    let (outcome, _) = ends(Does::HasNone, "dequeue");
    assert_eq!(outcome.expect("nothing").value, Value::Null);
}

#[test]
fn a_call_that_reaches_nobody_fails() {
    let server = Server::start(Does::Dies);
    let mut caller = Caller::new(PROGRAM, &[], "queue", server.node());
    assert!(matches!(caller.call(&call("enqueue")), Err(Failure::Info(_))), "it died in mid-call");
    // Its port is closed now.
    for f in ["enqueue", "dequeue"] {
        assert!(matches!(caller.call(&call(f)), Err(Failure::Fail(_))));
    }
}
