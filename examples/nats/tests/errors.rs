//! The table of errors against a server that is none: it greets as NATS does, takes one
//! publish, and then goes wrong in one way.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use substrate::trial::Caller;
use tribunal_client::{Call, Failure, Node, Outcome};

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
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["PING"] => connection.write_all(b"PONG\r\n").expect("the client reads"),
            ["PUB", _, reply, length] => {
                let length: usize = length.parse().expect("a length");
                lines.read_exact(&mut vec![0; length + 2]).expect("a payload");
                publishes.fetch_add(1, Ordering::Relaxed);
                let Some(answer) = answer(does, reply) else { return };
                connection.write_all(answer.as_bytes()).expect("the client reads");
            }
            _ => {}
        }
        line.clear();
    }
}

/// What it says; `None` when it hangs up instead. The driver's own inbox has the number 0.
fn answer(does: Does, reply: &str) -> Option<String> {
    let message = |payload: &str| format!("MSG {reply} 0 {}\r\n{payload}\r\n", payload.len());
    match does {
        Does::Acknowledges => Some(message(r#"{"stream":"tribunal","seq":7}"#)),
        Does::HasNobody => Some(format!("HMSG {reply} 0 16 16\r\nNATS/1.0 503\r\n\r\n\r\n")),
        Does::CannotStore => Some(message(
            r#"{"error":{"code":503,"err_code":10077,"description":"store failed"},"stream":"tribunal","seq":0}"#,
        )),
        Does::Dies | Does::Returns => None,
        Does::IsSilent => Some(String::new()),
    }
}

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
fn a_call_that_reaches_nobody_fails() {
    let server = Server::start(Does::Dies);
    let mut caller = Caller::new(PROGRAM, &[], "set", server.node());
    let add = Call::new("add").key("0").value(1);
    assert!(matches!(caller.call(&add), Err(Failure::Info(_))), "it died in the middle of it");
    // Its port is closed now.
    assert!(matches!(caller.call(&add), Err(Failure::Fail(_))));
}
