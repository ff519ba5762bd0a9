//! The client program against three real servers on the loopback network, if they are installed.

use std::path::Path;

use substrate::trial::{Caller, Processes, eventually};
use tribunal_client::{Call, Failure, Value};

const NATS: &str = "/usr/sbin/nats-server";
const PROGRAM: &str = env!("CARGO_BIN_EXE_nats-client-program");

/// Three servers; `None`, saying so, where NATS is not installed.
fn nats() -> Option<Processes> {
    if !Path::new(NATS).exists() {
        eprintln!("skipped: {NATS} is not there (apt-get install nats-server)");
        return None;
    }
    let mut processes = Processes::new("nats", 3);
    (0..3).for_each(|index| start(&mut processes, index));
    Some(processes)
}

fn start(processes: &mut Processes, index: usize) {
    let data = processes.data(index).join("data");
    let member = processes.members[index].clone();
    let peer = |ip: &str| format!("nats://{ip}:6222");
    let routes: Vec<String> = processes.members.iter().map(|it| peer(&it.ip)).collect();
    let (cluster, routes) = (peer(&member.ip), routes.join(","));
    let arguments = [
        ["--name", &member.id],
        ["--addr", &member.ip],
        ["--port", "4222"],
        ["--jetstream=true", "--store_dir"],
    ];
    let arguments = [
        arguments.as_flattened(),
        &[
            data.to_str().expect("UTF-8"),
            "--cluster_name",
            "tribunal",
            "--cluster",
            &cluster,
            "--routes",
            &routes,
        ],
    ]
    .concat();
    processes.start(index, NATS.as_ref(), &arguments).expect("NATS starts");
}

fn caller(processes: &Processes, index: usize, workload: &str) -> Caller {
    let ip = &processes.members[index].ip;
    let listens = || std::net::TcpStream::connect((ip.as_str(), 4222)).ok();
    eventually("NATS listens", listens);
    Caller::new(PROGRAM, &[], workload, processes.node(index, 4222))
}

/// Calls until it is answered: a leader may be missing yet.
fn insist(caller: &mut Caller, call: &Call) -> Value {
    eventually("an answer", || caller.call(call).ok()).value
}

fn on(f: &str) -> Call {
    Call::new(f).key("0")
}

fn sorted(mut value: Value) -> Vec<u64> {
    let elements = value.as_array_mut().expect("a list");
    let mut elements: Vec<u64> = elements.iter().filter_map(Value::as_u64).collect();
    elements.sort_unstable();
    elements
}

#[test]
fn a_set_survives_the_death_of_all_its_servers() {
    let Some(mut processes) = nats() else { return };
    let mut first = caller(&processes, 0, "set");
    assert_eq!(insist(&mut first, &on("read")), Value::Array(Vec::new()));
    let mut added = Vec::new();
    for element in 1..=50 {
        first.call(&on("add").value(element)).expect("it is added");
        added.push(element);
    }
    let mut second = caller(&processes, 1, "set");
    assert_eq!(sorted(second.call(&on("read")).expect("a read").value), added);
    assert!(
        insist(&mut second, &Call::new("read").key("1")).as_array().expect("a list").is_empty()
    );

    // Without a majority nothing is acknowledged, whoever is asked.
    processes.kill(0);
    processes.kill(1);
    let mut third = caller(&processes, 2, "set");
    let unheard = third.call(&on("add").value(99));
    assert!(unheard.is_err(), "{unheard:?}");
    processes.kill(2);
    let refused = first.call(&on("add").value(98));
    assert!(matches!(refused, Err(Failure::Fail(_))), "{refused:?}");

    (0..3).for_each(|index| start(&mut processes, index));
    let mut third = caller(&processes, 2, "set");
    let mut found = sorted(insist(&mut third, &on("read")));
    // The one that was not acknowledged may be there, too.
    found.retain(|element| *element != 99);
    assert_eq!(found, added);
}

#[test]
fn a_log_is_polled_in_order_by_each_consumer() {
    let Some(processes) = nats() else { return };
    let mut callers: Vec<Caller> = (0..3).map(|index| caller(&processes, index, "log")).collect();
    for caller in &mut callers {
        assert_eq!(insist(caller, &on("poll")), Value::Array(Vec::new()));
    }
    let mut appended = Vec::new();
    for value in 1..=30_u64 {
        let caller = &mut callers[value as usize % 3];
        let offset = caller.call(&on("append").value(value)).expect("it is appended").value;
        appended.push(Value::from(vec![offset, value.into()]));
    }
    for caller in &mut callers {
        let mut polled = Vec::new();
        // To the end, which is certain.
        loop {
            let entries = insist(caller, &on("poll"));
            match entries.as_array().expect("a list").as_slice() {
                [] => break,
                entries => polled.extend_from_slice(entries),
            }
        }
        assert_eq!(polled, appended);
    }
}

#[test]
fn what_goes_into_a_queue_comes_out() {
    let Some(processes) = nats() else { return };
    let mut callers: Vec<Caller> = (0..3).map(|index| caller(&processes, index, "queue")).collect();
    for caller in &mut callers {
        assert_eq!(insist(caller, &on("dequeue")), Value::Null);
    }
    for value in 1..=20_u64 {
        callers[value as usize % 3].call(&on("enqueue").value(value)).expect("it goes in");
    }
    let mut taken = Vec::new();
    for turn in (0..3).cycle() {
        match insist(&mut callers[turn], &on("dequeue")) {
            Value::Null => break,
            value => taken.push(value.as_u64().expect("a number")),
        }
    }
    assert_eq!(taken, (1..=20).collect::<Vec<_>>());
}
