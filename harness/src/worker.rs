//! Workers: each a task that owns one client, bound to one node, and makes one
//! call at a time under a deadline.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::timeout;
use tribunal_client::{Client, Failure, Node, Outcome};
use tribunal_history::Call;

use crate::deadline::Deadline;

/// A program that has not said hello by then never will: an interpreter's start on a busy machine takes seconds.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// A client on its way to a node.
pub struct Worker {
    client: Box<dyn Client>,
    node: Node,
    deadline: Deadline,
    open: bool,
}

/// A completion: which worker, and how its call ended.
pub struct Done {
    /// The worker's place among the workers.
    pub worker: usize,
    /// How the call ended.
    pub outcome: Outcome,
    /// It failed by the client's own fault, and says nothing of the database.
    pub by_client: bool,
}

impl Worker {
    /// A worker that is not connected yet.
    pub fn new(client: Box<dyn Client>, node: Node, deadline: Deadline) -> Self {
        Self { client, node, deadline, open: false }
    }

    /// The node it is bound to.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Connects and runs the client's `setup`: once a run, before any call.
    pub async fn setup(&mut self, deadline: Duration) -> Result<(), Failure> {
        let work = async {
            self.client.start().await?;
            self.client.open(&self.node).await?;
            self.client.setup().await
        };
        let done = timeout(deadline, work).await;
        self.open = matches!(done, Ok(Ok(())));
        done.unwrap_or_else(|_| Err(Failure::Info(format!("no answer within {deadline:?}"))))
    }

    /// Makes the calls that come until there are no more, then closes the client.
    pub async fn serve(
        mut self,
        worker: usize,
        mut calls: mpsc::Receiver<Call>,
        done: mpsc::UnboundedSender<Done>,
    ) {
        while let Some(call) = calls.recv().await {
            let (outcome, by_client) = self.perform(&call).await;
            if done.send(Done { worker, outcome, by_client }).is_err() {
                break;
            }
        }
        let _ = timeout(self.deadline.most(), self.client.quit()).await;
    }

    /// Starts the client where it does not run, and connects it; or says why not, and whether that is the client's
    /// own doing. How long a database may take to answer says nothing of how long a program takes to start.
    async fn connect(&mut self) -> Result<(), (String, bool)> {
        let started = within(START_DEADLINE, self.client.start()).await;
        started
            .map_err(|why| (format!("cannot start the client of {}: {why}", self.node.id), true))?;
        let opened = within(self.deadline.most(), self.client.open(&self.node)).await;
        opened.map_err(|why| {
            (format!("cannot connect to {}: {why}", self.node.id), self.client.is_broken())
        })
    }

    /// One call, and whether its failure is the client's own. A client that could not
    /// connect never sent it: that is a certain `fail`. Whatever else goes wrong is an `info`,
    /// and costs the connection, so that no late answer can be taken for the next call's.
    async fn perform(&mut self, call: &Call) -> (Outcome, bool) {
        if !self.open {
            if let Err((why, by_client)) = self.connect().await {
                self.client.close().await;
                return (Err(Failure::Fail(why)), by_client);
            }
            self.open = true;
        }
        let (deadline, asked) = (self.deadline.now(), Instant::now());
        let outcome = match timeout(deadline, self.client.invoke(call)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Info(format!("no answer within {deadline:?}"))),
        };
        match &outcome {
            Ok(_) => self.deadline.answered(asked.elapsed()),
            Err(Failure::Info(_)) => self.deadline.missed(),
            Err(Failure::Fail(_)) => {}
        }
        let by_client = outcome.is_err() && self.client.is_broken();
        if matches!(outcome, Err(Failure::Info(_))) {
            self.open = false;
            self.client.close().await;
        }
        (outcome, by_client)
    }
}

/// What came of it in time, or why nothing did.
async fn within(
    most: Duration,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), String> {
    match timeout(most, work).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Failure::Fail(why) | Failure::Info(why))) => Err(why),
        Err(_) => Err(format!("no answer within {most:?}")),
    }
}
