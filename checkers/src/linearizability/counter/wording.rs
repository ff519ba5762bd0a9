//! What went wrong with a counter, in sentences.

use super::super::model::Object;
use super::{Breach, Call, LISTED, Reason};
use crate::times::{count, ended, seconds};

/// A sum that cannot have been found.
pub(super) fn breach(object: &Object<Call>, breach: &Breach) -> String {
    let cut = match breach.calls.len() {
        all if all > LISTED => {
            format!("; it takes all {all} calls to show it, of which the last {LISTED} are listed")
        }
        _ => String::new(),
    };
    reason(object, breach) + &cut
}

fn reason(object: &Object<Call>, breach: &Breach) -> String {
    let found = found(object, breach.call);
    match breach.reason {
        Reason::Passed { least, since } => {
            format!("{found}, but {}", passed(object, breach, least, since))
        }
        Reason::Beyond { most } => {
            let adds = adds(object, breach, None);
            format!(
                "{found}, but no more than {} had begun by then, and the counter cannot have stood \
                 above {most}",
                count(adds, "add"),
            )
        }
        Reason::FoundTwice { other } => {
            format!("{found}, and {}: one of the two adds was lost", self::found(object, other),)
        }
        Reason::BetweenSteps { step } => {
            format!("{found}, but every add is of {step}, and none leads there")
        }
    }
}

fn passed(object: &Object<Call>, breach: &Breach, least: i64, since: Option<u32>) -> String {
    let adds = adds(object, breach, since);
    let acknowledged = match adds {
        1 => "1 add was acknowledged".to_owned(),
        adds => format!("{} were acknowledged", count(adds, "add")),
    };
    let before = format!("it was {least} or beyond before that call began");
    match since {
        Some(base) if adds == 0 => format!("{before}: {}", found(object, base)),
        Some(base) => format!("{before}: {}, and {acknowledged} since", found(object, base)),
        None if adds == 0 => format!("it was {least} from the beginning"),
        None => before,
    }
}

/// "p3's read returned 7 at 0.310 s".
fn found(object: &Object<Call>, at: u32) -> String {
    let op = &object.ops[at as usize];
    let call = object.operation(op.number);
    let when = ended(&call).map_or_else(String::new, |at| format!(" at {}", seconds(at)));
    let result = call.result().map_or_else(String::new, |result| result.to_string());
    format!("{}'s {} returned {result}{when}", call.process(), call.f())
}

/// How many adds a witness has, beside these.
fn adds(object: &Object<Call>, breach: &Breach, since: Option<u32>) -> usize {
    let others = breach.calls.iter().filter(|&&at| at != breach.call && Some(at) != since);
    others.filter(|&&at| object.ops[at as usize].call.amount() != 0).count()
}
