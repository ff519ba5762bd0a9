//! The leader's desk: where operations are handed in while this node leads, and where what it may
//! answer at once is kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::message::{ClientAnswer, Operation, State, Term};
use crate::own_lease::OwnLease;

/// An operation, and who waits for its answer.
pub type Pending = (Operation, oneshot::Sender<ClientAnswer>);

/// Closed, or open for one term.
#[derive(Default)]
pub struct Office {
    desk: Mutex<Option<Desk>>,
}

struct Desk {
    term: Term,
    operations: mpsc::UnboundedSender<Pending>,
    confirmed: Option<(Arc<State>, OwnLease)>,
}

impl Office {
    /// Opens it for a term. Operations come until it is closed.
    pub fn open(&self, term: Term) -> mpsc::UnboundedReceiver<Pending> {
        let (operations, handed_in) = mpsc::unbounded_channel();
        *self.desk() = Some(Desk { term, operations, confirmed: None });
        handed_in
    }

    /// Closes it; whatever was handed in and not looked at certainly never happens.
    pub fn close(&self, mut operations: mpsc::UnboundedReceiver<Pending>) {
        *self.desk() = None;
        operations.close();
        while let Ok((_, answer)) = operations.try_recv() {
            let _ = answer.send(ClientAnswer::NotLeader { leader: None });
        }
    }

    /// The term in which this node holds itself leader.
    pub fn term(&self) -> Option<Term> {
        self.desk().as_ref().map(|desk| desk.term)
    }

    /// A majority keeps this state, and has granted this lease.
    pub fn confirm(&self, state: Arc<State>, lease: OwnLease) {
        if let Some(desk) = self.desk().as_mut() {
            desk.confirmed = Some((state, lease));
        }
    }

    /// What was confirmed last, while this node leads.
    pub fn confirmed(&self) -> Option<(Arc<State>, OwnLease)> {
        self.desk().as_ref()?.confirmed.clone()
    }

    /// Hands an operation in; `None` when the office is closed.
    pub async fn perform(&self, operation: Operation) -> Option<ClientAnswer> {
        let (answer, answered) = oneshot::channel();
        self.desk().as_ref()?.operations.send((operation, answer)).ok()?;
        let lost = |_| ClientAnswer::Unknown("the leader gave up in the middle of it".into());
        Some(answered.await.unwrap_or_else(lost))
    }

    fn desk(&self) -> MutexGuard<'_, Option<Desk>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
