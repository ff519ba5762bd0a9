//! The loop of a client program: reads requests, performs them, answers.
//!
//! It brings no runtime and handles one request at a time. Reading standard input
//! blocks the thread it is awaited on, which is idle then anyway; a driver with
//! background tasks needs a runtime with threads of its own for them.

use std::any::Any;
use std::future::poll_fn;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::process::ExitCode;
use std::task::Poll;
use std::time::Duration;

use tribunal_history::Call;

use crate::deadline::Alarm;
use crate::protocol::{Request, Response, VERSION, from_line, to_line};
use crate::{Client, Failure};

/// Serves `workloads` on standard input and output with the client that `make`
/// makes for the workload of the run, until `quit` or the end of the input.
///
/// ```no_run
/// # use tribunal_client::{Call, Client, Failure, Node, Outcome};
/// # struct Register;
/// # #[async_trait::async_trait]
/// # impl Client for Register {
/// #     async fn open(&mut self, _: &Node) -> Result<(), Failure> { Ok(()) }
/// #     async fn invoke(&mut self, _: &Call) -> Outcome { Err(Failure::fail("no")) }
/// # }
/// # async fn run() -> std::process::ExitCode {
/// tribunal_client::serve(&["register"], |_workload| Register).await
/// # }
/// ```
pub async fn serve<C: Client>(workloads: &[&str], make: impl FnMut(&str) -> C) -> ExitCode {
    match serve_on(io::stdin().lock(), io::stdout(), workloads, make).await {
        Ok(()) => ExitCode::SUCCESS,
        // A harness that went away wants no answer any more.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the client protocol's standard input or output failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The same on any reader and writer.
pub async fn serve_on<C: Client>(
    input: impl BufRead,
    mut output: impl Write,
    workloads: &[&str],
    make: impl FnMut(&str) -> C,
) -> io::Result<()> {
    let mut program = Program { workloads, make, client: None, open: false, alarm: Alarm::new() };
    for line in input.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if line.trim().is_empty() {
            continue;
        }
        let (response, last) = match from_line::<Request>(&line) {
            Ok(request) => {
                let last = matches!(request, Request::Quit { .. });
                (program.answer(request).await, last)
            }
            Err(bad) => (Response::Error { id: bad.id, error: bad.to_string() }, false),
        };
        writeln!(output, "{}", to_line(&response))?;
        output.flush()?;
        if last {
            return Ok(());
        }
    }
    program.close().await;
    Ok(())
}

/// A client program between two lines.
struct Program<'w, C, M> {
    workloads: &'w [&'w str],
    make: M,
    /// There from a good `hello` on.
    client: Option<C>,
    /// Whether the last `open` succeeded and nothing was closed since.
    open: bool,
    alarm: Alarm,
}

impl<C: Client, M: FnMut(&str) -> C> Program<'_, C, M> {
    async fn answer(&mut self, request: Request) -> Response {
        let id = request.id();
        let answered = match request {
            Request::Hello { protocol, workload, .. } => self.hello(id, protocol, &workload),
            Request::Open { node, .. } => match &mut self.client {
                None => Err("`open` came before `hello`".to_owned()),
                Some(client) => {
                    let opened = caught(client.open(&node)).await;
                    self.open = opened.is_ok();
                    Ok(done(id, opened))
                }
            },
            Request::Setup { .. } => match &mut self.client {
                Some(client) if self.open => Ok(done(id, caught(client.setup()).await)),
                _ => Err("`setup` came before `open`".to_owned()),
            },
            Request::Op { f, key, value, timeout_ms, .. } => {
                let call = Call { f, key, value, ext: Default::default() };
                self.op(id, &call, timeout_ms).await
            }
            Request::Close { .. } | Request::Quit { .. } => {
                self.close().await;
                Ok(Response::ok(id))
            }
        };
        answered.unwrap_or_else(|error| Response::Error { id: Some(id), error })
    }

    fn hello(&mut self, id: u64, protocol: u32, workload: &str) -> Result<Response, String> {
        if protocol != VERSION {
            return Err(format!("this client speaks protocol {VERSION}, not {protocol}"));
        }
        if !self.workloads.contains(&workload) {
            let known = self.workloads.join(", ");
            return Err(format!(
                "this client does not serve the workload `{workload}`, only: {known}"
            ));
        }
        self.client = Some((self.make)(workload));
        self.open = false;
        let workloads = self.workloads.iter().map(|&name| name.to_owned()).collect();
        Ok(Response::Ready { id, protocol: VERSION, workloads })
    }

    async fn op(&mut self, id: u64, call: &Call, ms: Option<u64>) -> Result<Response, String> {
        let client = match &mut self.client {
            Some(client) if self.open => client,
            _ => return Err(format!("`op` {} came before `open`", call.f)),
        };
        let limit = ms.map(Duration::from_millis);
        let outcome = self.alarm.within(limit, caught(client.invoke(call))).await;
        Ok(Response::of(
            id,
            outcome.unwrap_or_else(|| {
                Err(Failure::Info(format!("no answer within {} ms", ms.unwrap_or_default())))
            }),
        ))
    }

    async fn close(&mut self) {
        if let Some(client) = self.client.as_mut().filter(|_| self.open) {
            let _ = caught(async {
                client.close().await;
                Ok(())
            })
            .await;
        }
        self.open = false;
    }
}

fn done(id: u64, result: Result<(), Failure>) -> Response {
    match result {
        Ok(()) => Response::ok(id),
        Err(failure) => Response::of(id, Err(failure)),
    }
}

/// A panic in a client is an `info` like everything else that nobody planned.
async fn caught<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut future = pin!(future);
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))).unwrap_or_else(|panic| {
            Poll::Ready(Err(Failure::Info(format!("the client panicked: {}", message(&*panic)))))
        })
    })
    .await
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}
