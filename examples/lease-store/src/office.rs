//! The leader's desk: where operations are handed in while this node leads.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::message::{ClientAnswer, Operation, Term};

/// An operation, and who waits for its answer.
pub type Pending = (Operation, oneshot::Sender<ClientAnswer>);

/// Closed, or open for one term.
#[derive(Default)]
pub struct Office {
    desk: Mutex<Option<(Term, mpsc::UnboundedSender<Pending>)>>,
}

impl Office {
    /// Opens it for a term. Operations come until it is closed.
    pub fn open(&self, term: Term) -> mpsc::UnboundedReceiver<Pending> {
        let (desk, operations) = mpsc::unbounded_channel();
        *self.desk.lock().unwrap_or_else(PoisonError::into_inner) = Some((term, desk));
        operations
    }

    /// Closes it; whatever was handed in and not looked at certainly never happens.
    pub fn close(&self, mut operations: mpsc::UnboundedReceiver<Pending>) {
        *self.desk.lock().unwrap_or_else(PoisonError::into_inner) = None;
        operations.close();
        while let Ok((_, answer)) = operations.try_recv() {
            let _ = answer.send(ClientAnswer::NotLeader { leader: None });
        }
    }

    /// The term in which this node holds itself leader.
    pub fn term(&self) -> Option<Term> {
        let desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        desk.as_ref().map(|(term, _)| *term)
    }

    /// Hands an operation in; `None` when the office is closed.
    pub async fn perform(&self, operation: Operation) -> Option<ClientAnswer> {
        let (answer, answered) = oneshot::channel();
        {
            let desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
            desk.as_ref()?.1.send((operation, answer)).ok()?;
        }
        let lost = |_| ClientAnswer::Unknown("the leader gave up in the middle of it".into());
        Some(answered.await.unwrap_or_else(lost))
    }
}
