//! Tribunal's client: transactions on lists and on registers, a bank, and inserts that
//! exclude each other; each call to the node it is bound to.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use substrate::{Door, knock};
use tribunal_client::{Call, Client, Failure, Node, Outcome, Reply, Value, serve};

use crate::PORT;
use crate::message::{ClientAnswer, ClientRequest};
use crate::program::Program;
use crate::translation::{answer, opening, program};

/// The workloads that it serves.
const WORKLOADS: [&str; 6] =
    ["list-append", "rw-register", "multi-register", "bank", "long-fork", "write-skew"];

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
    let make =
        |workload: &str| TxnClient { bank, is_bank: workload == "bank", door: Door::default() };
    Ok(serve(&WORKLOADS, make).await)
}

/// Whether the node at `address` answers.
#[tokio::main(flavor = "current_thread")]
pub async fn ready(address: &str) -> anyhow::Result<ExitCode> {
    let _: ClientAnswer = knock(address, ClientRequest::Ping).await?;
    Ok(ExitCode::SUCCESS)
}

struct TxnClient {
    bank: Bank,
    is_bank: bool,
    door: Door<ClientRequest, ClientAnswer>,
}

#[async_trait]
impl Client for TxnClient {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        self.door.open(node, PORT).await
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
        self.door.close();
    }
}

impl TxnClient {
    async fn perform(&mut self, program: Program) -> Result<Vec<Value>, Failure> {
        let changes = !program.reads_only();
        match self.door.ask(ClientRequest::Perform(program), changes).await? {
            ClientAnswer::Done(found) => Ok(found),
            ClientAnswer::Refused(why) => Err(Failure::Fail(why)),
        }
    }
}
