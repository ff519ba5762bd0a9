//! What one key alone shows to be wrong, in words.

use super::{Fault, Lists, What};
use crate::transactions::phenomenon::Phenomenon;
use crate::transactions::{TxnId, words};

impl Fault {
    /// The phenomenon that it is.
    pub fn phenomenon(&self) -> Phenomenon {
        match self.what {
            What::Garbage(_) => Phenomenon::Garbage,
            What::Aborted(..) => Phenomenon::G1a,
            What::Intermediate(..) => Phenomenon::G1b,
            What::Internal => Phenomenon::Internal,
            What::Future => Phenomenon::FutureRead,
            What::Duplicate(_) => Phenomenon::DuplicateElements,
            What::Incompatible(_) | What::Displaced { .. } => Phenomenon::IncompatibleOrder,
            What::DirtyUpdate(_) => Phenomenon::DirtyUpdate,
            What::LostUpdate(_) => Phenomenon::LostUpdate,
        }
    }

    /// The transactions that it names.
    pub fn txns(&self) -> Vec<TxnId> {
        let other = match self.what {
            What::Garbage(_) | What::Internal | What::Future | What::Duplicate(_) => None,
            What::Aborted(_, other)
            | What::Intermediate(_, other)
            | What::Incompatible(other)
            | What::Displaced { writer: other, .. }
            | What::DirtyUpdate(other)
            | What::LostUpdate(other) => Some(other),
        };
        [self.txn].into_iter().chain(other).collect()
    }
}

impl Lists<'_, '_> {
    /// What happened.
    pub fn sentence(&self, fault: &Fault) -> String {
        let name = |txn| words::introduced(self.transactions, txn);
        let value = |datum| self.transactions.value(datum);
        let key = words::key(self.transactions, fault.key);
        let who = name(fault.txn);
        let read = words::read(self.transactions, &self.transactions.all_ops()[fault.at as usize]);
        match fault.what {
            What::Garbage(element) => {
                format!("{who} {read}, but nobody ever appended {} to it.", value(element))
            }
            What::Aborted(element, writer) => format!(
                "{who} {read}, but {}, which appended {}, was aborted.",
                name(writer),
                value(element)
            ),
            What::Intermediate(element, writer) => format!(
                "{who} {read}, which ends with {}; {} appended more to it in the same transaction.",
                value(element),
                name(writer)
            ),
            What::Internal => format!(
                "{who} {read}, which is not what it had read and appended itself: {}.",
                self.transactions
                    .operation(fault.txn)
                    .result()
                    .unwrap_or_else(|| { self.transactions.operation(fault.txn).argument() })
            ),
            What::Future => {
                format!("{who} {read}, of which it appended something itself only afterwards.")
            }
            What::Duplicate(element) => {
                format!("{who} {read}, which holds {} twice.", value(element))
            }
            What::Incompatible(other) => format!(
                "{who} {read}, but {} {}; neither is a beginning of the other, and a list only \
                 grows.",
                name(other),
                self.longest_read(fault.key)
            ),
            What::Displaced { writer, elements: [first, second] } => format!(
                "{who} {read}, but {} appended {} to it before {}: where the second is, the first \
                 must stand before it.",
                name(writer),
                value(first),
                value(second)
            ),
            What::DirtyUpdate(aborted) => format!(
                "{who} appended to {key} after {}, which was aborted; both are in the order that \
                 was read: {}.",
                name(aborted),
                self.longest(fault.key)
            ),
            What::LostUpdate(other) => format!(
                "{who} {read} and appended to it, but {} appended to {key} in between: the update \
                 was made from a state that was gone.",
                name(other)
            ),
        }
    }
}
