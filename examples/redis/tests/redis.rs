//! The client against real servers and sentinels on the loopback network, if there are any; and
//! against peers that take a call and say nothing, or go.

mod group;
mod peer;

use std::net::SocketAddr;
use std::thread;

use substrate::trial::{Caller, eventually};
use tribunal_client::{Call, Failure, Node, Value};

use group::Group;
use peer::Peer;

fn caller(workload: &str, node: Node) -> Caller {
    Caller::new(env!("CARGO_BIN_EXE_redis-client-program"), &[], workload, node)
}

fn write(value: u64) -> Call {
    Call::new("write").key("x").value(value)
}

fn read() -> Call {
    Call::new("read").key("x")
}

/// A sentinel that names this primary.
fn naming(primary: SocketAddr) -> Peer {
    let word = |word: String| format!("${}\r\n{word}\r\n", word.len());
    let (ip, port) = (word(primary.ip().to_string()), word(primary.port().to_string()));
    Peer::start(move |_, _| Some(format!("*2\r\n{ip}{port}")))
}

/// The node of a sentinel.
fn beside(sentinel: &Peer) -> Node {
    let ports = [("sentinel".to_owned(), sentinel.address.port())].into();
    Node { id: "n1".to_owned(), ip: sentinel.address.ip().to_string(), ports }
}

#[test]
fn a_client_goes_where_its_node_s_sentinel_says() {
    let Some(mut group) = Group::start() else { return };
    let mut one = caller("register", group.node(1));
    assert_eq!(one.call(&read()).expect("nothing is there").value, Value::Null);
    let written = one.call(&write(1)).expect("the write happens");
    assert_eq!(written.ext["server"], group.address(0), "the first is primary");
    assert_eq!(one.call(&read()).expect("the read happens").value, 1);

    let mut set = caller("set", group.node(2));
    for value in [1, 2] {
        set.call(&Call::new("add").key("x").value(value)).expect("the add happens");
    }
    let mut held = set.call(&Call::new("read").key("x")).expect("the read happens").value;
    held.as_array_mut().expect("a list").sort_by_key(Value::as_u64);
    assert_eq!(held, Value::from(vec![1, 2]));

    group.processes.kill(0);
    // Until another is elected nobody hears of the calls, and none of them happens.
    let elsewhere = eventually("another primary", || match one.call(&write(2)) {
        Ok(reply) => Some(reply.ext["server"].clone()),
        Err(Failure::Fail(_)) => None,
        Err(Failure::Info(why)) => {
            assert!(!why.contains("refused"), "{why}");
            None
        }
    });
    assert_ne!(elsewhere, group.address(0));
    assert_eq!(one.call(&read()).expect("the read happens").value, 2);
}

#[test]
fn locks_and_leaders() {
    let Some(group) = Group::start() else { return };
    let (acquire, release) = (Call::new("acquire").key("x"), Call::new("release").key("x"));
    let (mut one, mut two) = (caller("lock", group.node(0)), caller("lock", group.node(1)));
    assert_eq!(one.call(&acquire).expect("it is free").value, Value::Null);
    assert_eq!(two.call(&acquire).expect("it is asked for").value, false);
    assert!(matches!(two.call(&release), Err(Failure::Fail(_))), "it is not its own");
    one.call(&release).expect("it is its own");
    assert_eq!(two.call(&acquire).expect("it is free").value, Value::Null);

    let (mut one, mut two) = (caller("leader", group.node(0)), caller("leader", group.node(1)));
    let primary = one.call(&Call::new("probe")).expect("it answers").value;
    assert_eq!((&primary["node"], &primary["role"]), (&"n1".into(), &"leader".into()));
    let replica = two.call(&Call::new("probe")).expect("it answers").value;
    assert_eq!((&replica["node"], &replica["role"]), (&"n2".into(), &"follower".into()));
    assert_eq!(primary["term"], replica["term"], "a replica follows its primary's history");
    one.call(&Call::new("write").value(1)).expect("a primary takes it");
    let refused = two.call(&Call::new("write").value(2));
    assert!(matches!(&refused, Err(Failure::Fail(why)) if why.contains("ReadOnly")), "{refused:?}");
}

#[test]
fn a_call_that_a_server_was_killed_under_is_uncertain() {
    let Some(mut group) = Group::alone() else { return };
    let sentinel = naming(group.address(0).parse().expect("an address"));
    let mut one = caller("register", beside(&sentinel));
    one.call(&write(1)).expect("the write happens");
    group.processes.pause(0).expect("it stops");
    let outcome = thread::scope(|scope| {
        let waiting = scope.spawn(|| one.call(&write(2)));
        eventually("the call is in the server's hands", || group.has_unread(0).then_some(()));
        group.processes.kill(0);
        waiting.join().expect("the caller does not panic")
    });
    assert!(matches!(outcome, Err(Failure::Info(_))), "{outcome:?}");
    // Whoever finds nobody is sure.
    let refused = one.call(&write(3));
    assert!(matches!(&refused, Err(Failure::Fail(why)) if why.contains("refused")), "{refused:?}");
}

#[test]
fn nothing_is_sent_twice() {
    let server = Peer::start(|number, command| match (number, &*command[0]) {
        (_, "ROLE") => Some("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n".to_owned()),
        (1 | 3, _) => None,
        (_, "SET") => Some("+OK\r\n".to_owned()),
        _ => Some("$1\r\n3\r\n".to_owned()),
    });
    let sentinel = naming(server.address);
    let mut one = caller("register", beside(&sentinel));
    let gone = one.call(&write(1));
    assert!(matches!(gone, Err(Failure::Info(_))), "{gone:?}");
    let unread = one.call(&read());
    assert!(matches!(unread, Err(Failure::Fail(_))), "a read changes nothing: {unread:?}");
    one.call(&write(3)).expect("the write is acknowledged");
    assert_eq!(one.call(&read()).expect("the read is answered").value, 3);
    let told: Vec<String> = server.heard().iter().map(|command| command.join(" ")).collect();
    let set = |value| format!("SET register:\"x\" {value}");
    let (get, role) = ("GET register:\"x\"".to_owned(), || "ROLE".to_owned());
    assert_eq!(told, [role(), set(1), role(), get.clone(), role(), set(3), get]);
}

#[test]
fn a_server_that_is_no_primary_or_does_not_say_gets_no_call() {
    for role in
        ["*5\r\n$5\r\nslave\r\n$1\r\na\r\n:1\r\n$7\r\nconnect\r\n:0\r\n", "-ERR no\r\n", "+\r\n"]
    {
        let server = Peer::start(move |_, _| Some(role.to_owned()));
        let sentinel = naming(server.address);
        let outcome = caller("register", beside(&sentinel)).call(&write(1));
        assert!(matches!(outcome, Err(Failure::Fail(_))), "{role:?}: {outcome:?}");
        assert_eq!(server.heard(), [["ROLE"]]);
    }
}

#[test]
fn a_sentinel_that_says_nothing_or_not_who_makes_a_certain_failure() {
    for answer in [None, Some("*-1\r\n"), Some("-ERR no\r\n")] {
        let sentinel = Peer::start(move |_, _| answer.map(str::to_owned));
        let mut one = caller("register", beside(&sentinel));
        let outcome = one.call(&write(1));
        assert!(matches!(outcome, Err(Failure::Fail(_))), "{answer:?}: {outcome:?}");
    }
}
