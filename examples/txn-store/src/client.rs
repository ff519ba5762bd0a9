//! Tribunal's client: transactions on lists and on registers, a bank, and inserts that
//! exclude each other; each call to the node it is bound to.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use substrate::{Link, LinkError};
use tribunal_client::{Call, Client, Failure, Node, Outcome, Reply, Value, serve};

use crate::message::{ClientAnswer, ClientRequest};
use crate::program::Program;
use crate::translation::{answer, opening, program};

/// The workloads that it serves.
const WORKLOADS: [&str; 6] =
    ["list-append", "rw-register", "multi-register", "bank", "long-fork", "write-skew"];

/// Longer than the harness waits for a call; it ends a connection that is dead.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long accounts are opened again and again until it is done.
const SETUP: Duration = Duration::from_secs(20);

/// The accounts of a bank.
#[derive(Clone, Copy, clap::Args)]
pub struct Bank {
    /// How many accounts a bank has.
    #[arg(long, default_value_t = 8)]
    pub accounts: u64,
    /// What each begins with.
    #[arg(long, default_value_t = 10)]
    pub balance: i64,
}

/// Serves the client protocol.
#[tokio::main(flavor = "current_thread")]
pub async fn run(bank: Bank) -> anyhow::Result<ExitCode> {
    let make = |workload: &str| TxnClient {
        bank,
        is_bank: workload == "bank",
        address: String::new(),
        link: None,
    };
    Ok(serve(&WORKLOADS, make).await)
}

/// Whether the node at `address` answers.
#[tokio::main(flavor = "current_thread")]
pub async fn ready(address: &str) -> anyhow::Result<ExitCode> {
    let link = Link::<ClientRequest, ClientAnswer>::new(address, Duration::from_secs(1));
    link.ask(ClientRequest::Ping).await?;
    Ok(ExitCode::SUCCESS)
}

struct TxnClient {
    bank: Bank,
    is_bank: bool,
    address: String,
    link: Option<Link<ClientRequest, ClientAnswer>>,
}

#[async_trait]
impl Client for TxnClient {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        let port = node.ports.get("client").copied().unwrap_or(7200);
        self.address = format!("{}:{port}", node.ip);
        let link = Link::new(&self.address, PATIENCE);
        link.connect().await.map_err(Failure::fail)?;
        self.link = Some(link);
        Ok(())
    }

    /// Opens the accounts of a bank. Nobody moves money yet, so it may be done twice.
    async fn setup(&mut self) -> Result<(), Failure> {
        let begun = Instant::now();
        while self.is_bank {
            match self.perform(opening(&self.bank)).await {
                Ok(_) => break,
                Err(failure) if begun.elapsed() > SETUP => return Err(failure),
                Err(_) => {}
            }
        }
        Ok(())
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        let found = self.perform(program(call, &self.bank)?).await?;
        Ok(Reply::of(answer(call, found)))
    }

    async fn close(&mut self) {
        self.link = None;
    }
}

impl TxnClient {
    async fn perform(&mut self, program: Program) -> Result<Vec<Value>, Failure> {
        let reads_only = program.reads_only();
        // Taken out, so that a call cut off by its deadline leaves no connection
        // behind on which its answer is still to come.
        let link = self.link.take().unwrap_or_else(|| Link::new(&self.address, PATIENCE));
        let answer =
            link.ask(ClientRequest::Perform(program)).await.map_err(|error| match error {
                LinkError::Unreached { .. } => Failure::fail(error),
                // A read that was not answered has changed nothing.
                LinkError::Unanswered { .. } if reads_only => Failure::fail(error),
                LinkError::Unanswered { .. } => Failure::info(error),
            })?;
        self.link = Some(link);
        match answer {
            ClientAnswer::Done(found) => Ok(found),
            ClientAnswer::Refused(why) => Err(Failure::Fail(why)),
        }
    }
}
