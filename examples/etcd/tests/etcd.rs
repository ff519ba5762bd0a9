//! Both clients against a real etcd on the loopback network, if there is one.

use std::path::Path;

use substrate::trial::{Caller, Processes, eventually};
use tribunal_client::{Call, Failure, Value};

const ETCD: &str = "/usr/bin/etcd";

const RUST: (&str, &[&str]) = (env!("CARGO_BIN_EXE_etcd-client-program"), &[]);
const PYTHON: (&str, &[&str]) = ("python3", &[concat!(env!("CARGO_MANIFEST_DIR"), "/client.py")]);

/// A single node; `None`, saying so, where etcd is not installed.
fn etcd() -> Option<Processes> {
    if !Path::new(ETCD).exists() {
        eprintln!("skipped: {ETCD} is not there (apt-get install etcd-server)");
        return None;
    }
    let mut processes = Processes::new("etcd", 1);
    let ip = processes.members[0].ip.clone();
    let data = processes.data(0).join("data");
    let (client, peer) = (format!("http://{ip}:2379"), format!("http://{ip}:2380"));
    let cluster = format!("n1={peer}");
    let arguments = [
        ["--name", "n1"],
        ["--data-dir", data.to_str().expect("UTF-8")],
        ["--listen-client-urls", &client],
        ["--advertise-client-urls", &client],
        ["--listen-peer-urls", &peer],
        ["--initial-advertise-peer-urls", &peer],
        ["--initial-cluster", &cluster],
    ];
    processes.start(0, ETCD.as_ref(), arguments.as_flattened()).expect("etcd starts");
    Some(processes)
}

fn read() -> Call {
    Call::new("read").key("x")
}

fn write(value: u64) -> Call {
    Call::new("write").key("x").value(value)
}

fn cas(old: u64, new: u64) -> Call {
    Call::new("cas").key("x").value(vec![old, new])
}

fn registers_work(client: (&str, &[&str])) {
    let Some(mut processes) = etcd() else { return };
    let caller = || {
        let ip = &processes.members[0].ip;
        std::net::TcpStream::connect((ip.as_str(), 2379)).ok()?;
        Some(Caller::new(client.0, client.1, "cas-register", processes.node(0, 2379)))
    };
    let mut caller = eventually("etcd listens", caller);
    let absent = eventually("etcd answers", || caller.call(&read()).ok());
    assert_eq!(absent.value, Value::Null);

    let written = caller.call(&write(1)).expect("the write happens");
    assert!(written.ext["revision"].as_u64() > absent.ext["revision"].as_u64());
    let swapped = caller.call(&cas(1, 2)).expect("it was 1");
    assert_eq!(swapped.ext.get("swapped"), None);
    let failed = caller.call(&cas(1, 3)).expect("it was compared");
    assert_eq!((&failed.ext["swapped"], &failed.ext["found"]), (&false.into(), &2.into()));
    let read_back = caller.call(&read()).expect("the read happens");
    assert_eq!(read_back.value, 2);
    assert_eq!(read_back.ext["revision"], swapped.ext["revision"], "nothing has changed since");
    assert_eq!(caller.call(&Call::new("read").key("y")).expect("a read").value, Value::Null);

    processes.kill(0);
    // What was on its way to a dying node is uncertain; what finds nobody is not.
    eventually("the connection is refused", || match caller.call(&write(4)) {
        Err(Failure::Fail(_)) => Some(()),
        Err(Failure::Info(_)) => None,
        Ok(_) => panic!("a dead etcd acknowledged a write"),
    });
}

#[test]
fn registers_by_grpc_in_rust() {
    registers_work(RUST);
}

#[test]
fn registers_by_http_in_python() {
    registers_work(PYTHON);
}
