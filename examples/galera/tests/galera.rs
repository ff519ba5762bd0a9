//! The client on a real MariaDB on the loopback network, if there is one: what its calls do, and
//! what it says of those whose answers are lost. A single server, which knows no cluster, commits all the same.

use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::json;
use substrate::relay::Relay;
use substrate::trial::{Caller, Processes, eventually};
use tribunal_client::{Call, Failure, Node, Outcome, Value};

const MARIADB: &str = "/usr/sbin/mariadbd";
const PORT: u16 = 3306;

/// A server; `None`, saying so, where MariaDB is not installed.
fn mariadb() -> Option<Processes> {
    if !Path::new(MARIADB).exists() {
        eprintln!("skipped: {MARIADB} is not there (apt-get install mariadb-server)");
        return None;
    }
    let mut processes = Processes::new("galera", 1);
    let folder = processes.data(0);
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = |name: &str| folder.join(name).display().to_string();
    let data = format!("--datadir={}", path("data"));
    let made = Command::new("mariadb-install-db")
        .args(["--no-defaults", "--user=root", "--skip-test-db", &data])
        // Its temporary tables have names that two at a time would share.
        .env("TMPDIR", &folder)
        .output()
        .expect("mariadb-install-db runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let arguments = [
        "--no-defaults",
        "--user=root",
        "--skip-grant-tables",
        "--innodb-snapshot-isolation=1",
        &data,
        &format!("--socket={}", path("socket")),
        &format!("--pid-file={}", path("pid")),
        &format!("--bind-address={}", processes.members[0].ip),
        &format!("--port={PORT}"),
    ];
    processes.start(0, MARIADB.as_ref(), &arguments).expect("it starts");
    eventually("it listens", || {
        std::net::TcpStream::connect((processes.members[0].ip.as_str(), PORT)).ok()
    });
    Some(processes)
}

/// A client whose tables are there.
fn caller(workload: &str, node: Node) -> Caller {
    let mut caller = Caller::new(env!("CARGO_BIN_EXE_galera-client-program"), &[], workload, node);
    caller.setup();
    caller
}

fn node(processes: &Processes) -> Node {
    processes.node(0, PORT)
}

fn txn(steps: Value) -> Call {
    Call { value: steps, ..Call::new("txn") }
}

fn add(element: u64) -> Call {
    Call::new("add").key("x").value(element)
}

fn elements(caller: &mut Caller) -> Value {
    caller.call(&Call::new("read").key("x")).expect("a read").value
}

#[test]
fn what_is_written_is_read() {
    let Some(processes) = mariadb() else { return };
    let mut registers = caller("register", node(&processes));
    let read = Call::new("read").key("x");
    assert_eq!(registers.call(&read).expect("a read").value, Value::Null);
    for value in [1, 2] {
        registers.call(&Call::new("write").key("x").value(value)).expect("the write happens");
        assert_eq!(registers.call(&read).expect("a read").value, value);
    }
    let steps = json!([["w", "1", 5], ["r", "1", null], ["r", "2", null]]);
    let filled = json!([["w", "1", 5], ["r", "1", 5], ["r", "2", null]]);
    assert_eq!(registers.call(&txn(steps)).expect("it happens").value, filled);

    let mut lists = caller("list-append", node(&processes));
    let steps = json!([["r", "1", null], ["append", "1", 1], ["append", "1", 2], ["r", "1", null]]);
    let filled =
        json!([["r", "1", null], ["append", "1", 1], ["append", "1", 2], ["r", "1", [1, 2]]]);
    assert_eq!(lists.call(&txn(steps)).expect("it happens").value, filled);

    let mut sets = caller("set", node(&processes));
    for element in [1, 2] {
        sets.call(&add(element)).expect("it is added");
    }
    assert_eq!(elements(&mut sets), json!([1, 2]));
}

#[test]
fn money_is_moved_and_debts_are_refused() {
    let Some(processes) = mariadb() else { return };
    let mut bank = caller("bank", node(&processes));
    let transfer = |amount: u64| {
        let value = json!({ "from": "0", "to": "1", "amount": amount });
        Call { value, ..Call::new("transfer") }
    };
    bank.call(&transfer(4)).expect("it is moved");
    assert!(matches!(bank.call(&transfer(7)), Err(Failure::Fail(_))), "there are 6");
    let balances = bank.call(&Call::new("read")).expect("a read").value;
    assert_eq!(
        (&balances["0"], &balances["1"], &balances["7"]),
        (&6.into(), &14.into(), &10.into())
    );
}

/// What a call came to of whose requests the first with these bytes goes through, and no answer comes back.
fn unanswered(
    processes: &Processes,
    mark: &'static [u8],
    meanwhile: impl FnOnce(&mut Caller),
) -> Outcome {
    let mut direct = caller("set", node(processes));
    let relay = Relay::to(&node(processes), &[mark]);
    let mut far = caller("set", relay.node());
    thread::scope(|scope| {
        let calling = scope.spawn(|| far.call(&add(7)));
        eventually("it was asked for", || relay.is_silent().then_some(()));
        meanwhile(&mut direct);
        relay.hang_up();
        calling.join().expect("no panic")
    })
}

#[test]
fn a_commit_whose_answer_is_lost_is_unknown() {
    let Some(processes) = mariadb() else { return };
    let outcome = unanswered(&processes, b"COMMIT", |direct| {
        eventually("it happened", || (elements(direct) == json!([7])).then_some(()));
    });
    assert!(matches!(outcome, Err(Failure::Info(_))), "{outcome:?}");
}

#[test]
fn what_was_not_committed_did_not_happen() {
    let Some(processes) = mariadb() else { return };
    let outcome = unanswered(&processes, b"INSERT INTO tribunal.elements", |_| {});
    assert!(matches!(outcome, Err(Failure::Fail(_))), "{outcome:?}");
    assert_eq!(elements(&mut caller("set", node(&processes))), json!([]));
}

#[test]
fn a_server_that_is_killed_in_mid_call_acknowledges_nothing() {
    let Some(mut processes) = mariadb() else { return };
    let mut caller = caller("set", node(&processes));
    caller.call(&add(1)).expect("it is added");
    processes.pause(0).expect("a signal");
    let outcome = thread::scope(|scope| {
        let calling = scope.spawn(|| caller.call(&add(2)));
        processes.kill(0);
        calling.join().expect("no panic")
    });
    assert!(outcome.is_err(), "{outcome:?}");
    assert!(matches!(caller.call(&add(3)), Err(Failure::Fail(_))), "nobody is there");
}
