//! The client program against a real server on the loopback network, if it is installed. A single
//! server, which knows no cluster, keeps its queues and answers all the same.

use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::json;
use substrate::relay::Relay;
use substrate::trial::{Caller, Processes, eventually};
use tribunal_client::{Call, Failure, Node, Outcome, Value};

const RABBITMQ: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const PROGRAM: &str = env!("CARGO_BIN_EXE_rabbitmq-client-program");
const PORT: u16 = 5672;
/// The queue of key 0.
const QUEUE: &[u8] = b"tribunal.0";

/// Erlang's port mapper, and a server on an address of its own; `None`, saying so, where
/// RabbitMQ is not installed.
fn rabbitmq() -> Option<Processes> {
    if !Path::new(RABBITMQ).exists() {
        eprintln!("skipped: {RABBITMQ} is not there (apt-get install rabbitmq-server)");
        return None;
    }
    let mut processes = Processes::new("rabbitmq", 2);
    let ip = processes.members[1].ip.clone();
    let [mapper, _] = ports(&ip);
    processes
        .start(0, "/usr/bin/epmd".as_ref(), &["-address", &ip, "-port", &mapper.to_string()])
        .expect("the port mapper starts");
    // A server that finds none would start one, and leave it behind.
    eventually("the port mapper listens", || listens(&ip, mapper));
    start(&mut processes);
    Some(processes)
}

fn listens(ip: &str, port: u16) -> Option<TcpStream> {
    TcpStream::connect((ip, port)).ok()
}

fn start(processes: &mut Processes) {
    let folder = processes.data(1);
    std::fs::create_dir_all(&folder).expect("a folder");
    let ip = processes.members[1].ip.clone();
    let [mapper, peer] = ports(&ip);
    let path = |name: &str| folder.join(name).display().to_string();
    let settings = format!("listeners.tcp.1 = {ip}:{PORT}\nloopback_users = none\n");
    std::fs::write(folder.join("rabbitmq.conf"), settings).expect("a file");
    std::fs::write(folder.join("plugins"), "[].").expect("a file");
    let environment = [
        format!("HOME={}", folder.display()),
        format!("ERL_CRASH_DUMP={}", path("crash")),
        format!("ERL_EPMD_ADDRESS={ip}"),
        format!("ERL_EPMD_PORT={mapper}"),
        "RABBITMQ_USE_LONGNAME=true".to_owned(),
        format!("RABBITMQ_NODENAME=rabbit@{ip}"),
        format!("RABBITMQ_DIST_PORT={peer}"),
        format!(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {} \
             -mnesia dump_log_time_threshold 500",
            tuple(&ip)
        ),
        format!("RABBITMQ_MNESIA_BASE={}", path("mnesia")),
        format!("RABBITMQ_CONFIG_FILE={}", path("rabbitmq.conf")),
        format!("RABBITMQ_ENABLED_PLUGINS_FILE={}", path("plugins")),
        format!("RABBITMQ_PID_FILE={}", path("pid")),
        "RABBITMQ_CONF_ENV_FILE=/dev/null".to_owned(),
        format!("RABBITMQ_LOG_BASE={}", path("log")),
        "RABBITMQ_LOGS=-".to_owned(),
        // The shell becomes the server, so that who ends the one ends the other.
        "RUNNING_UNDER_SYSTEMD=1".to_owned(),
    ];
    let arguments: Vec<&str> = environment.iter().map(String::as_str).chain([RABBITMQ]).collect();
    processes.start(1, "/usr/bin/env".as_ref(), &arguments).expect("RabbitMQ starts");
}

/// Two ports of a server's own: of its mapper, which listens on 127.0.0.1, too, and for other
/// servers, which must be free on every address.
fn ports(ip: &str) -> [u16; 2] {
    let last = ip.split('.').skip(2).filter_map(|part| part.parse::<u16>().ok());
    let own = last.fold(0, |sum, part| sum * 16 + part);
    [20_000 + own, 25_000 + own]
}

/// An address as Erlang writes it.
fn tuple(ip: &str) -> String {
    format!("{{{}}}", ip.replace('.', ","))
}

fn node(processes: &Processes) -> Node {
    processes.node(1, PORT)
}

/// A client whose queue is there. It listens some ten seconds after its start.
fn caller(processes: &Processes, kind: &str) -> Caller {
    let ip = processes.members[1].ip.as_str();
    eventually("RabbitMQ listens", || listens(ip, PORT));
    let mut caller = Caller::new(PROGRAM, &[kind], "queue", node(processes));
    caller.setup();
    caller
}

/// A server of 3.10.8 that is killed in the first second of its life may forget a durable queue that it
/// had acknowledged, with all that was in it: the log of its tables has the queue, and the recovery does
/// not take it from there. It does from the table itself.
fn queues_survive(processes: &Processes) {
    let mnesia = processes.data(1).join("mnesia");
    let table = mnesia.join(format!("rabbit@{}", processes.members[1].ip));
    let holds = |file: &str| {
        let bytes = std::fs::read(table.join(file)).unwrap_or_default();
        bytes.windows(QUEUE.len()).any(|part| part == QUEUE)
    };
    let files = ["rabbit_durable_queue.DCD", "rabbit_durable_queue.DCL"];
    eventually("the queue is in its table", || files.into_iter().any(holds).then_some(()));
}

fn enqueue(key: &str, value: u64) -> Call {
    Call::new("enqueue").key(key).value(value)
}

/// A value, or null. To find a queue empty takes five seconds.
fn dequeue(caller: &mut Caller, key: &str) -> Value {
    let dequeue = Call::new("dequeue").key(key);
    caller.call_within(Duration::from_secs(10), &dequeue).expect("an answer").value
}

#[test]
fn what_goes_into_a_queue_comes_out() {
    let Some(processes) = rabbitmq() else { return };
    // A queue cannot become one of the other kind: each kind has a key of its own.
    let mut classic = caller(&processes, "classic");
    let mut quorum = Caller::new(PROGRAM, &["quorum"], "queue", node(&processes));
    for (caller, key) in [(&mut classic, "0"), (&mut quorum, "1")] {
        for value in 1..=20 {
            caller.call(&enqueue(key, value)).expect("it goes in");
        }
        for value in 1..=20 {
            assert_eq!(dequeue(caller, key), value);
        }
        assert_eq!(dequeue(caller, key), Value::Null);
    }
    let refused = quorum.call(&enqueue("0", 1));
    let Err(Failure::Fail(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("406 PRECONDITION_FAILED"), "{why}");
}

#[test]
fn what_was_not_acknowledged_is_unknown_or_comes_out_again() {
    let Some(mut processes) = rabbitmq() else { return };
    let mut direct = caller(&processes, "classic");

    // A message whose acknowledgement is lost is in the queue.
    let relay = Relay::to(&node(&processes), &[b"7777"]);
    let mut far = Caller::new(PROGRAM, &[], "queue", relay.node());
    let outcome = unanswered(&relay, &mut far, &enqueue("0", 7777));
    assert!(matches!(outcome, Err(Failure::Info(_))), "{outcome:?}");
    assert_eq!(dequeue(&mut direct, "0"), 7777);

    // One that was in nobody's hand but the network's comes back.
    direct.call(&enqueue("0", 8)).expect("it goes in");
    let get: &[u8] = &[0, 60, 0, 70];
    let relay = Relay::to(&node(&processes), &[get]);
    let mut far = Caller::new(PROGRAM, &[], "queue", relay.node());
    let outcome = unanswered(&relay, &mut far, &Call::new("dequeue").key("0"));
    assert!(matches!(outcome, Err(Failure::Fail(_))), "{outcome:?}");
    let again = direct.call(&Call::new("dequeue").key("0")).expect("an answer");
    assert_eq!((again.value, &again.ext["redelivered"]), (json!(8), &json!(true)));

    // It is on the disk before it is acknowledged.
    queues_survive(&processes);
    direct.call(&enqueue("0", 9)).expect("it goes in");
    processes.kill(1);
    let outcome = direct.call(&enqueue("0", 10));
    assert!(outcome.is_err(), "{outcome:?}");
    assert!(matches!(direct.call(&enqueue("0", 11)), Err(Failure::Fail(_))), "nobody is there");
    start(&mut processes);
    let mut direct = caller(&processes, "classic");
    assert_eq!(dequeue(&mut direct, "0"), 9);
}

/// What a call comes to whose request goes through a relay, and no answer comes back.
fn unanswered(relay: &Relay, far: &mut Caller, call: &Call) -> Outcome {
    thread::scope(|scope| {
        let calling = scope.spawn(|| far.call(call));
        eventually("it was asked for", || relay.is_silent().then_some(()));
        relay.hang_up();
        calling.join().expect("no panic")
    })
}
