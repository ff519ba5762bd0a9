//! What a search that came to no order is told as, and one that came to no end.

use serde_json::{Value, json};

use super::explanation::LISTED;
use super::object::Object;
use super::op::{Action, ValueId};
use super::search::{Outcome, Stuck};
use super::witness::Witness;
use crate::Anomaly;
use crate::linearizability::wording::{did, noun};
use crate::times::{count, seconds};

impl Object<'_> {
    /// The anomaly that a search without an order is.
    pub(super) fn explain_stuck(&self, stuck: &Stuck) -> Anomaly {
        let mut message = format!(
            "{}, but no order of the calls explains it: {} before it had returned, and in every \
             order they allow, the register held {}",
            did(&self.call(stuck.call)),
            count(stuck.returned, "call"),
            self.either(&stuck.held),
        );
        message.push_str(&self.whichever(&stuck.pending));
        let witness = self.witness(stuck);
        if let Some(witness) = &witness {
            message.push_str(&self.shown_by(witness));
        }
        let held: Vec<Value> = stuck.held.iter().map(|&id| self.shown(id)).collect();
        let details = json!({
            "algorithm": "search",
            "kind": "stuck",
            "returned": stuck.returned,
            "held": held,
            "least": witness.is_some(),
            "since": since(witness.as_ref()),
        });
        let calls = witness.map_or_else(|| self.suspects(stuck), |witness| witness.calls);
        self.anomaly(message, calls, details)
    }

    /// Why a search came to no end, as a sentence.
    pub(super) fn explain_doubt(&self, outcome: &Outcome) -> String {
        let subject = self.subject();
        match outcome {
            Outcome::Exhausted { returned, call } => format!(
                "{subject}the search ran out of its budget after {} of {}, at {}; all before it \
                 is linearizable. Rotate keys sooner, write unique values, or raise the budget",
                returned,
                count(self.ops.iter().filter(|op| !op.crashed()).count(), "answered call"),
                did(&self.call(*call)),
            ),
            Outcome::TooWide { call } => format!(
                "{subject}too many calls were open at once for the search when {} began; use \
                 fewer clients a key, or unique values",
                noun(&self.call(*call)),
            ),
            Outcome::Linearizable { .. } | Outcome::Stuck(_) => format!("{subject}decided"),
        }
    }

    /// "1 or 3".
    fn either(&self, held: &[ValueId]) -> String {
        let listed: Vec<String> =
            held.iter().take(LISTED).map(|&id| self.shown(id).to_string()).collect();
        match listed.is_empty() {
            true => "a value that nobody saw".to_owned(),
            false if held.len() > LISTED => format!("{} or others", listed.join(", ")),
            false => listed.join(" or "),
        }
    }

    /// ", whichever of the open calls took effect first: …".
    fn whichever(&self, pending: &[u32]) -> String {
        let open: Vec<String> =
            pending.iter().take(LISTED).map(|&call| noun(&self.call(call))).collect();
        let open_ones = open.join(", ");
        match (open.len(), pending.len()) {
            (0, _) => ", and no other call was open".to_owned(),
            (some, all) if some < all => {
                format!(
                    ", whichever of the {all} open calls took effect first, such as {open_ones}"
                )
            }
            _ => format!(", whichever of the open calls took effect first: {open_ones}"),
        }
    }

    /// ". 3 calls show it, whatever the others did".
    fn shown_by(&self, witness: &Witness) -> String {
        let show = if witness.calls.len() == 1 { "shows" } else { "show" };
        let told = format!(". {} {show} it, whatever ", count(witness.calls.len(), "call"));
        told + &match since(Some(witness)) {
            None => "the others did".to_owned(),
            Some(index) => format!(
                "was there at {} and whatever the others did since",
                seconds(self.source.history.event(index).time())
            ),
        }
    }

    /// Without a witness: the call that cannot be, the last calls that set what it needed and what
    /// was there instead, and some of those that were open.
    fn suspects(&self, stuck: &Stuck) -> Vec<u32> {
        let last = self.call(stuck.call).start();
        let needed = self.action(stuck.call).and_then(Action::observes);
        let wanted = needed.into_iter().chain(stuck.held.iter().take(2).copied());
        let producer = |value| {
            let before = self.ops.iter().rev().skip_while(|op| u64::from(op.start) > last);
            before.filter(|op| op.action.produces() == Some(value)).map(|op| op.call).next()
        };
        let open = stuck.pending.iter().take(LISTED).copied();
        [stuck.call].into_iter().chain(wanted.filter_map(producer)).chain(open).collect()
    }
}

/// The index of the event after which the window of a witness begins, if that is not the beginning.
fn since(witness: Option<&Witness>) -> Option<u64> {
    witness?.since.checked_sub(1).map(u64::from)
}
