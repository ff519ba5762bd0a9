//! What is wrong with a read of a register by itself, in words.

use tribunal_history::Datum;

use super::reads::{Fault, What};
use crate::transactions::phenomenon::Phenomenon;
use crate::transactions::{Action, Transactions, TxnId, words};

impl Fault {
    /// The phenomenon that it is.
    pub fn phenomenon(&self) -> Phenomenon {
        match self.what {
            What::Garbage => Phenomenon::Garbage,
            What::Aborted(_) => Phenomenon::G1a,
            What::Intermediate(_) => Phenomenon::G1b,
            What::Internal | What::Unrepeatable => Phenomenon::Internal,
            What::Future => Phenomenon::FutureRead,
            What::LostUpdate(_) => Phenomenon::LostUpdate,
        }
    }

    /// The transactions that it names.
    pub fn txns(&self) -> Vec<TxnId> {
        let other = match self.what {
            What::Aborted(writer) | What::Intermediate(writer) | What::LostUpdate(writer) => {
                Some(writer)
            }
            _ => None,
        };
        [self.txn].into_iter().chain(other).collect()
    }

    /// What happened.
    pub fn sentence(&self, transactions: &Transactions) -> String {
        let op = transactions.all_ops()[self.at as usize];
        let who = words::introduced(transactions, self.txn);
        let read = words::read(transactions, &op);
        let name = |txn| words::introduced(transactions, txn);
        match self.what {
            What::Garbage => format!("{who} {read}, but nobody ever wrote that."),
            What::Aborted(writer) => {
                format!("{who} {read}, but {}, which wrote that, was aborted.", name(writer))
            }
            What::Intermediate(writer) => format!(
                "{who} {read}, but {}, which wrote that, wrote the key again in the same transaction.",
                name(writer)
            ),
            What::Future => format!("{who} {read}, which it wrote itself only afterwards."),
            What::Internal => {
                let wrote = self.before(transactions, Action::Write);
                format!("{who} {read}, although it had itself written {wrote} to it before.")
            }
            What::Unrepeatable => {
                let found = self.before(transactions, Action::Read);
                format!("{who} {read}, although it had found {found} there before.")
            }
            What::LostUpdate(other) => format!(
                "{who} {read} and wrote over it, and so did {}: one of the two updates was made from \
                 a state that was gone.",
                name(other)
            ),
        }
    }

    /// What the transaction last did to the key before, by its value.
    fn before(&self, transactions: &Transactions, action: Action) -> String {
        let at = self.at as usize;
        let key = transactions.all_ops()[at].key;
        let mut ops = transactions.all_ops()[transactions.range(self.txn).start..at].iter();
        let value = ops.rfind(|op| op.key == key && op.action == action);
        match value.map_or(Datum::NULL, |op| op.value) {
            Datum::NULL => "nothing".to_owned(),
            value => transactions.value(value).to_string(),
        }
    }
}
