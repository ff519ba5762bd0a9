//! The table of errors against a server that is none: it greets as NATS does, takes one
//! publish, and then goes wrong in one way.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use substrate::trial::Caller;
use tribunal_client::{Call, Failure, Node, Outcome, Value};

const PROGRAM: &str = env!("CARGO_BIN_EXE_nats-client-program");

/// What the server does with a publish.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    /// Acknowledges it.
    Acknowledges,
    /// Answers that nobody hears the subject.
    HasNobody,
    /// Answers with an error of the stream's.
    CannotStore,
    /// Ends the connection, and takes no other.
    Dies,
    /// Ends the connection, takes the driver's next one, and says no more.
    Returns,
    /// Says nothing.
    IsSilent,
    /// Acknowledges it, has a consumer, and delivers it a message under this number, over
    /// and over; what the client acknowledges it does not hear.
    Delivers(u64),
}

/// A server, and how many publishes it was sent.
struct Server {
    port: u16,
    publishes: Arc<AtomicUsize>,
}

impl Server {
    fn start(does: Does) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let publishes = Arc::new(AtomicUsize::new(0));
        let count = publishes.clone();
        thread::spawn(move || {
            serve(listener.accept().expect("the client").0, does, &count);
            if does == Does::Returns {
                serve(listener.accept().expect("the client again").0, Does::IsSilent, &count);
            }
        });
        Self { port, publishes }
    }

    fn node(&self) -> Node {
        let ports = [("client".to_owned(), self.port)].into();
        Node { id: "n1".to_owned(), ip: "127.0.0.1".to_owned(), ports }
    }
}

/// One connection, to its end.
fn serve(mut connection: TcpStream, does: Does, publishes: &AtomicUsize) {
    let info = r#"INFO {"server_id":"N","server_name":"n1","version":"2.9.10","go":"","host":"127.0.0.1","port":4222,"headers":true,"max_payload":1048576,"proto":1,"client_id":1}"#;
    write!(connection, "{info}\r\n").expect("the client reads");
    let mut lines = BufReader::new(connection.try_clone().expect("a handle"));
    // The number of the client's last subscription: of its answers, or of a pull's messages.
    let (mut line, mut subscription) = (String::new(), "0".to_owned());
    while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["PING"] => connection.write_all(b"PONG\r\n").expect("the client reads"),
            ["SUB", _, number] => subscription = (*number).to_owned(),
            ["PUB", subject, reply, length] => {
                let length: usize = length.parse().expect("a length");
                lines.read_exact(&mut vec![0; length + 2]).expect("a payload");
                publishes
                    .fetch_add(usize::from(subject.starts_with("tribunal.")), Ordering::Relaxed);
                let Some(answer) = answer(does, subject, reply, &subscription) else { return };
                connection.write_all(answer.as_bytes()).expect("the client reads");
            }
            _ => {}
        }
        line.clear();
    }
}

/// What it says to a publish; `None` when it hangs up instead.
fn answer(does: Does, subject: &str, reply: &str, subscription: &str) -> Option<String> {
    // The driver's own inbox has the number 0.
    let message = |payload: &str| format!("MSG {reply} 0 {}\r\n{payload}\r\n", payload.len());
    let acknowledgement = r#"{"stream":"tribunal","seq":7}"#;
    match does {
        Does::Acknowledges => Some(message(acknowledgement)),
        Does::HasNobody => Some(format!("HMSG {reply} 0 16 16\r\nNATS/1.0 503\r\n\r\n\r\n")),
        Does::CannotStore => Some(message(
            r#"{"error":{"code":503,"err_code":10077,"description":"store failed"},"stream":"tribunal","seq":0}"#,
        )),
        Does::Dies | Does::Returns => None,
        Does::IsSilent => Some(String::new()),
        Does::Delivers(_) if subject.starts_with("$JS.API.CONSUMER.CREATE.") => {
            Some(message(CONSUMER))
        }
        Does::Delivers(number) if subject.starts_with("$JS.API.CONSUMER.MSG.NEXT.") => {
            let named = format!("$JS.ACK.tribunal.c.1.7.{number}.1700000000000000000.0");
            Some(format!(
                "MSG tribunal.0 {subscription} {named} 2\r\n42\r\nHMSG {reply} {subscription} 16 16\r\nNATS/1.0 404\r\n\r\n\r\n"
            ))
        }
        Does::Delivers(_) if subject.starts_with("$JS.ACK.") => Some(String::new()),
        Does::Delivers(_) => Some(message(acknowledgement)),
    }
}

const CONSUMER: &str = r#"{"stream_name":"tribunal","name":"c","created":"2026-01-01T00:00:00Z","config":{"durable_name":"c","deliver_policy":"all","ack_policy":"explicit","ack_wait":2000000000,"replay_policy":"instant"},"delivered":{"consumer_seq":0,"stream_seq":0},"ack_floor":{"consumer_seq":0,"stream_seq":0},"num_ack_pending":0,"num_redelivered":0,"num_waiting":0,"num_pending":1}"#;

/// How a call of `workload` ends against such a server, and how many publishes that made.
fn ends(does: Does, workload: &str, f: &str) -> (Outcome, usize) {
    let server = Server::start(does);
    let mut caller = Caller::new(PROGRAM, &[], workload, server.node());
    let outcome = caller.call(&Call::new(f).key("0").value(1));
    (outcome, server.publishes.load(Ordering::Relaxed))
}

const PUTS: [(&str, &str); 3] = [("set", "add"), ("log", "append"), ("queue", "enqueue")];
const READS: [(&str, &str); 3] = [("set", "read"), ("log", "poll"), ("queue", "dequeue")];

/// Judges how each of these calls ends against each of these servers: side by side, for
/// most of them end only when nobody answers.
fn each(
    servers: &[Does],
    calls: [(&str, &str); 3],
    judge: impl Fn(&str, Outcome, usize) + Copy + Send + Sync,
) {
    thread::scope(|scope| {
        for (does, (workload, f)) in servers.iter().flat_map(|does| calls.map(|call| (*does, call)))
        {
            scope.spawn(move || {
                let (outcome, publishes) = ends(does, workload, f);
                judge(f, outcome, publishes);
            });
        }
    });
}

#[test]
fn an_acknowledgement_is_ok() {
    each(&[Does::Acknowledges], PUTS, |put, outcome, publishes| {
        assert!(outcome.is_ok(), "{put}: {outcome:?}");
        assert_eq!(publishes, 1);
    });
}

#[test]
fn what_was_handed_to_nobody_fails() {
    each(&[Does::HasNobody], PUTS, |put, outcome, publishes| {
        assert!(matches!(outcome, Err(Failure::Fail(_))), "{put}: {outcome:?}");
        assert_eq!(publishes, 1);
    });
}

#[test]
fn whatever_else_went_wrong_after_a_publish_is_unknown() {
    let servers = [Does::CannotStore, Does::Dies, Does::Returns, Does::IsSilent];
    each(&servers, PUTS, |put, outcome, publishes| {
        assert!(matches!(outcome, Err(Failure::Info(_))), "{put}: {outcome:?}");
        assert_eq!(publishes, 1, "the driver has published again by itself");
    });
}

#[test]
fn a_reader_that_is_left_alone_has_changed_nothing() {
    each(&[Does::Dies, Does::IsSilent], READS, |read, outcome, _| {
        assert!(matches!(outcome, Err(Failure::Fail(_))), "{read}: {outcome:?}");
    });
}

#[test]
fn what_came_out_of_a_queue_is_told_though_nobody_heard_that_it_did() {
    let (outcome, _) = ends(Does::Delivers(1), "queue", "dequeue");
    let taken = outcome.expect("a value");
    assert_eq!((taken.value, &taken.ext["acknowledged"]), (42.into(), &false.into()));
}

#[test]
fn a_reader_sees_that_a_delivery_got_lost() {
    let (outcome, _) = ends(Does::Delivers(1), "set", "read");
    assert_eq!(outcome.expect("all up to the mark").value, Value::from(vec![42]));
    for (workload, reads) in [("set", "read"), ("log", "poll")] {
        let (outcome, _) = ends(Does::Delivers(2), workload, reads);
        let Err(Failure::Fail(why)) = outcome else { panic!("{reads}: {outcome:?}") };
        assert!(why.contains("delivery 2 came when 1 was next"), "{why}");
    }
}

#[test]
fn a_call_that_reaches_nobody_fails() {
    let server = Server::start(Does::Dies);
    let mut caller = Caller::new(PROGRAM, &[], "set", server.node());
    let add = Call::new("add").key("0").value(1);
    assert!(matches!(caller.call(&add), Err(Failure::Info(_))), "it died in the middle of it");
    // Its port is closed now.
    assert!(matches!(caller.call(&add), Err(Failure::Fail(_))));
}
