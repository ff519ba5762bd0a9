//! The serving loop over lines in memory, awaited on a runtime of ten lines.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use async_trait::async_trait;
use tribunal_client::protocol::{Response, from_line};
use tribunal_client::{Call, Client, Failure, Node, Outcome, Reply, Value, serve_on};

/// Keeps one value; some calls go wrong on purpose.
struct Register {
    workload: String,
    value: Value,
}

#[async_trait]
impl Client for Register {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        match node.id.as_str() {
            "down" => Err(Failure::fail("connection refused")),
            _ => Ok(()),
        }
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        match &*call.f {
            "read" => Ok(Reply::of(self.value.clone()).with("workload", self.workload.as_str())),
            "write" => {
                self.value = call.value.clone();
                Ok(Reply::default())
            }
            "panic" => panic!("index out of bounds"),
            "hang" => pending().await,
            "reset" => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))?,
            other => Err(Failure::fail(format!("there is no `{other}`"))),
        }
    }

    async fn close(&mut self) {
        self.value = "closed".into();
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

fn answers(lines: &[&str]) -> Vec<Response> {
    let mut output = Vec::new();
    let make = |workload: &str| Register { workload: workload.to_owned(), value: Value::Null };
    let input = lines.join("\n");
    block_on(serve_on(input.as_bytes(), &mut output, &["register", "lww"], make))
        .expect("memory does not fail");
    let output = String::from_utf8(output).expect("UTF-8");
    output.lines().map(|line| from_line(line).expect("a response")).collect()
}

const HELLO: &str = r#"{"type":"hello","id":0,"protocol":1,"workload":"register"}"#;
const OPEN: &str = r#"{"type":"open","id":1,"node":{"id":"n1","ip":"127.0.0.1"}}"#;

/// The answers after a good `hello` and `open`.
fn calls(lines: &[&str]) -> Vec<Response> {
    let all: Vec<&str> = [HELLO, OPEN].iter().chain(lines).copied().collect();
    let mut answers = answers(&all);
    assert_eq!(answers[1], Response::ok(1));
    answers.split_off(2)
}

fn error(response: &Response) -> &str {
    match response {
        Response::Error { error, .. } => error,
        other => panic!("not an error: {other:?}"),
    }
}

fn info(response: &Response) -> &str {
    match response {
        Response::Info { error, .. } => error,
        other => panic!("not an info: {other:?}"),
    }
}

#[test]
fn a_session_from_hello_to_quit() {
    let answers = answers(&[
        HELLO,
        OPEN,
        r#"{"type":"setup","id":2}"#,
        r#"{"type":"op","id":3,"f":"write","value":7}"#,
        r#"{"type":"op","id":4,"f":"read","timeout_ms":60000}"#,
        r#"{"type":"op","id":5,"f":"sing"}"#,
        r#"{"type":"close","id":6}"#,
        r#"{"type":"quit","id":7}"#,
        r#"{"type":"op","id":8,"f":"read"}"#,
    ]);
    let workloads = vec!["register".to_owned(), "lww".to_owned()];
    let expected = [
        Response::Ready { id: 0, protocol: 1, workloads },
        Response::ok(1),
        Response::ok(2),
        Response::ok(3),
        Response::of(4, Ok(Reply::of(7).with("workload", "register"))),
        Response::of(5, Err(Failure::fail("there is no `sing`"))),
        Response::ok(6),
        Response::ok(7),
    ];
    assert_eq!(answers, expected, "nothing is answered after `quit`");
}

#[test]
fn a_bad_line_is_an_error_and_the_loop_goes_on() {
    let answers = calls(&["{]", r#"{"type":"op","id":3}"#, r#"{"type":"op","id":4,"f":"read"}"#]);
    assert!(error(&answers[0]).contains("`{]` is not a line of the client protocol"));
    assert_eq!(answers[1].id(), Some(3));
    assert!(error(&answers[1]).contains("missing field `f`"));
    assert_eq!(answers[2].id(), Some(4));
    assert!(matches!(answers[2], Response::Ok { .. }));
}

#[test]
fn bytes_that_are_no_text_do_not_end_the_loop() {
    let mut output = Vec::new();
    let input: &[u8] = b"\xff\xfe\n{\"type\":\"quit\",\"id\":9}\n";
    let make = |_: &str| Register { workload: String::new(), value: Value::Null };
    block_on(serve_on(input, &mut output, &["register"], make)).expect("memory does not fail");
    let output = String::from_utf8(output).expect("UTF-8");
    assert!(output.ends_with("{\"type\":\"ok\",\"id\":9}\n"), "{output}");
}

#[test]
fn a_panic_is_an_info_and_the_next_call_is_served() {
    let answers =
        calls(&[r#"{"type":"op","id":2,"f":"panic"}"#, r#"{"type":"op","id":3,"f":"read"}"#]);
    assert_eq!(info(&answers[0]), "the client panicked: index out of bounds");
    assert!(matches!(answers[1], Response::Ok { id: 3, .. }));
}

#[test]
fn a_call_that_hangs_is_an_info_at_its_deadline() {
    let answers = calls(&[
        r#"{"type":"op","id":2,"f":"hang","timeout_ms":20}"#,
        r#"{"type":"op","id":3,"f":"hang","timeout_ms":0}"#,
        r#"{"type":"op","id":4,"f":"read","timeout_ms":20}"#,
    ]);
    assert_eq!(info(&answers[0]), "no answer within 20 ms");
    assert_eq!(info(&answers[1]), "no answer within 0 ms");
    assert!(matches!(answers[2], Response::Ok { id: 4, .. }));
}

#[test]
fn an_error_passed_up_is_an_info() {
    let answers = calls(&[r#"{"type":"op","id":2,"f":"reset"}"#]);
    assert_eq!(info(&answers[0]), "connection reset");
}

#[test]
fn calls_out_of_order_are_errors() {
    let answers = answers(&[
        OPEN,
        r#"{"type":"op","id":2,"f":"read"}"#,
        r#"{"type":"hello","id":3,"protocol":1,"workload":"queue"}"#,
        r#"{"type":"hello","id":4,"protocol":9,"workload":"lww"}"#,
        r#"{"type":"hello","id":5,"protocol":1,"workload":"lww"}"#,
        r#"{"type":"open","id":6,"node":{"id":"down","ip":"127.0.0.1"}}"#,
        r#"{"type":"op","id":7,"f":"read"}"#,
        r#"{"type":"setup","id":8}"#,
    ]);
    assert_eq!(error(&answers[0]), "`open` came before `hello`");
    assert_eq!(error(&answers[1]), "`op` read came before `open`");
    assert!(error(&answers[2]).ends_with("`queue`, only: register, lww"));
    assert!(error(&answers[3]).ends_with("protocol 1, not 9"));
    assert!(matches!(answers[4], Response::Ready { .. }));
    assert!(matches!(answers[5], Response::Fail { .. }), "open failed for certain");
    assert_eq!(error(&answers[6]), "`op` read came before `open`");
    assert_eq!(error(&answers[7]), "`setup` came before `open`");
}

#[test]
fn the_end_of_the_input_ends_the_loop() {
    assert!(answers(&[]).is_empty());
    assert_eq!(calls(&[""]).len(), 0);
}
