//! The client against a real PostgreSQL, if there is one, through a proxy that cuts the connection at
//! a word; Patroni's part, to name the leader, is a peer's.

mod patroni_peer;
mod proxy;
mod server;

use serde_json::json;
use substrate::trial::{Caller, eventually};
use tribunal_client::{Call, Failure, Node, Outcome};

use proxy::Proxy;
use server::Server;

/// A client of the workload, its tables made, whose Patroni names this address.
fn caller(workload: &str, leader: std::net::SocketAddr) -> Caller {
    let api = patroni_peer::naming(leader);
    let ports = [("api".to_owned(), api.port())].into();
    let node = Node { id: "n1".to_owned(), ip: api.ip().to_string(), ports };
    let program = env!("CARGO_BIN_EXE_patroni-client-program");
    Caller::new(program, &["serializable"], workload, node)
}

fn txn(steps: serde_json::Value) -> Call {
    Call::new("txn").value(steps)
}

fn appended(one: &mut Caller, value: u64) -> Outcome {
    one.call(&txn(json!([["r", "1", null], ["append", "1", value]])))
}

#[test]
fn lists_sets_and_accounts() {
    let Some(server) = Server::start() else { return };
    let mut lists = caller("list-append", server.address);
    let first = appended(&mut lists, 1).expect("it commits");
    assert_eq!(first.value, json!([["r", "1", null], ["append", "1", 1]]));
    let second = appended(&mut lists, 2).expect("it commits");
    assert_eq!(second.value, json!([["r", "1", [1]], ["append", "1", 2]]));

    let mut set = caller("set", server.address);
    set.call(&Call::new("add").key("x").value(7)).expect("it is added");
    set.call(&Call::new("add").key("y").value(8)).expect("it is added");
    assert_eq!(set.call(&Call::new("read").key("x")).expect("it is read").value, json!([7]));

    let mut bank = caller("bank", server.address);
    let transfer =
        |amount| Call::new("transfer").value(json!({"from": "0", "to": "1", "amount": amount}));
    bank.call(&transfer(4)).expect("it has ten");
    let refused = bank.call(&transfer(7));
    assert!(matches!(refused, Err(Failure::Fail(_))), "it has six: {refused:?}");
    let balances = bank.call(&Call::new("read")).expect("it is read").value;
    assert_eq!(
        (&balances["0"], &balances["1"], &balances["7"]),
        (&6.into(), &14.into(), &10.into())
    );
}

#[test]
fn what_was_cut_before_its_commit_did_not_happen_and_of_a_commit_nobody_knows() {
    let Some(server) = Server::start() else { return };
    let before = Proxy::start(server.address, "INSERT");
    let cut = appended(&mut caller("list-append", before), 1);
    assert!(matches!(cut, Err(Failure::Fail(_))), "{cut:?}");
    let at = Proxy::start(server.address, "COMMIT");
    let cut = appended(&mut caller("list-append", at), 2);
    assert!(matches!(cut, Err(Failure::Info(_))), "{cut:?}");
    let single = Proxy::start(server.address, "INSERT");
    let cut = caller("set", single).call(&Call::new("add").key("x").value(7));
    assert!(matches!(cut, Err(Failure::Info(_))), "it commits itself: {cut:?}");
    let read = Proxy::start(server.address, "SELECT");
    let cut = caller("set", read).call(&Call::new("read").key("x"));
    assert!(matches!(cut, Err(Failure::Fail(_))), "a read changes nothing: {cut:?}");
}

#[test]
fn who_finds_nobody_is_sure_and_a_dead_server_s_calls_are_not() {
    let Some(mut server) = Server::start() else { return };
    let mut one = caller("set", server.address);
    let add = |value| Call::new("add").key("x").value(value);
    one.call(&add(1)).expect("it is added");
    server.kill();
    // The connection that there was may have carried the call; the next one is refused.
    eventually("the connection is refused", || match one.call(&add(2)) {
        Err(Failure::Fail(why)) => why.contains("refused").then_some(()),
        Err(Failure::Info(_)) => None,
        Ok(_) => panic!("a dead server acknowledged a call"),
    });
}
