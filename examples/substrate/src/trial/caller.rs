//! A client program, as the harness would speak to it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use tribunal_client::protocol::{Request, Response, from_line, to_line};
use tribunal_client::{Call, Node, Outcome};

/// A client program, spoken to as the harness does. It is killed when dropped.
pub struct Caller {
    program: Child,
    requests: ChildStdin,
    responses: BufReader<ChildStdout>,
    sent: u64,
}

impl Caller {
    /// Starts `program` with `arguments` for a workload and binds it to a node;
    /// panics where a run would end.
    pub fn new(program: &str, arguments: &[&str], workload: &str, node: Node) -> Self {
        let mut program = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
        let requests = program.stdin.take().expect("piped");
        let responses = BufReader::new(program.stdout.take().expect("piped"));
        let mut caller = Self { program, requests, responses, sent: 0 };
        let ready = caller.say(&Request::hello(0, workload));
        assert!(matches!(ready, Response::Ready { .. }), "{ready:?}");
        let opened = caller.say(&Request::Open { id: 1, node });
        assert_eq!(opened, Response::ok(1));
        caller.sent = 1;
        caller
    }

    /// Has the client make what the workload needs.
    pub fn setup(&mut self) {
        self.sent += 1;
        let made = self.say(&Request::Setup { id: self.sent });
        assert_eq!(made, Response::ok(self.sent));
    }

    /// Performs a call, which may take five seconds.
    pub fn call(&mut self, call: &Call) -> Outcome {
        self.call_within(Duration::from_secs(5), call)
    }

    /// Performs a call, which may take so long.
    pub fn call_within(&mut self, limit: Duration, call: &Call) -> Outcome {
        self.sent += 1;
        let response = self.say(&Request::op(self.sent, call, Some(limit.as_millis() as u64)));
        assert_eq!(response.id(), Some(self.sent));
        response.into_outcome()
    }

    fn say(&mut self, request: &Request) -> Response {
        writeln!(self.requests, "{}", to_line(request)).expect("the client reads");
        let mut line = String::new();
        self.responses.read_line(&mut line).expect("the client writes");
        from_line(&line).expect("a response")
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
