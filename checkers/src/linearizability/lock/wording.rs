//! What went wrong with a lock, in sentences.

use tribunal_history::Operation;

use super::super::model::Object;
use super::Call;
use super::sessions::Misuse;
use crate::times::{ended, seconds};

/// Too many holders of a semaphore, or one that gave back what nobody held: the call `at`, which
/// cannot be ordered with `calls`.
pub(super) fn jam(object: &Object<Call>, at: u32, calls: &[u32], permits: u32) -> String {
    let (call, stuck) = (operation(object, at), object.ops[at as usize].call);
    let when = end(&call);
    if let Call::Release { .. } = stuck {
        let nobody = if permits == 1 { "nobody held the lock" } else { "no permit was taken" };
        return format!(
            "{}'s release was acknowledged at {when}, but {nobody}: all that had been acquired by \
             then had been given back",
            call.process(),
        );
    }
    let before = calls.iter().filter(|&&other| other != at);
    let acquired = |at: &&u32| {
        matches!(object.ops[**at as usize].call, Call::Acquire { .. }) && ok(object, **at)
    };
    let holder = before.filter(acquired).max_by_key(|&&at| object.ops[at as usize].end);
    let held = match (permits, holder) {
        (1, Some(&holder)) => {
            let holder = operation(object, holder);
            format!("the lock had been acquired by {} at {}", holder.process(), end(&holder))
        }
        (1, None) => "the lock was held".to_owned(),
        (permits, _) => format!("all {permits} permits were taken"),
    };
    format!(
        "{}'s acquire was granted at {when}, but {held}, and no release had begun that could have \
         come in between",
        call.process(),
    )
}

/// Two grants under one token.
pub(super) fn same_token(object: &Object<Call>, first: u32, second: u32) -> String {
    let (first, second) = (operation(object, first), operation(object, second));
    format!(
        "{} and {} were granted the lock under one token{}, at {} and at {}: every grant needs a \
         token of its own",
        first.process(),
        second.process(),
        token(&first),
        end(&first),
        end(&second),
    )
}

/// A grant under a lower token than an earlier one.
pub(super) fn token_order(object: &Object<Call>, early: u32, late: u32) -> String {
    let (early, late) = (operation(object, early), operation(object, late));
    format!(
        "{} was granted the lock under token{} at {}, but {} had been granted it under token{} at \
         {}, before that acquire began: tokens must grow",
        late.process(),
        token(&late),
        end(&late),
        early.process(),
        token(&early),
        end(&early),
    )
}

/// A write under an old token.
pub(super) fn stale(newer: &Operation, stale: &Operation) -> String {
    let field = |call: &Operation, name: &str| {
        call.argument().get(name).map_or_else(String::new, |value| value.to_string())
    };
    format!(
        "{}'s write of {} under token {} began at {} and was acknowledged, though the store had \
         acknowledged {}'s write of {} under token {} at {}: the older token should have been refused",
        stale.process(),
        field(stale, "value"),
        field(stale, "token"),
        seconds(stale.invoked_at()),
        newer.process(),
        field(newer, "value"),
        field(newer, "token"),
        end(newer),
    )
}

/// What a process did that no lock allows.
pub(super) fn misused(object: &Object<Call>, misuse: Misuse) -> String {
    match misuse {
        Misuse::AcquiredTwice { first, second } => {
            let (first, second) = (operation(object, first), operation(object, second));
            format!(
                "{}'s acquire was granted at {}, but it held the lock already, since {}, and had \
                 not given it back",
                second.process(),
                end(&second),
                end(&first),
            )
        }
        Misuse::ReleasedUnheld { release, before } => {
            let release = operation(object, release);
            let since = before.map_or_else(
                || "it had never acquired it".to_owned(),
                |(_, before)| {
                    format!("it had given it back at {}", end(&operation(object, before)))
                },
            );
            format!(
                "{}'s release was acknowledged at {}, but it did not hold the lock: {since}",
                release.process(),
                end(&release),
            )
        }
    }
}

/// A grant, `other`, while somebody held the lock from an acquire to a release.
pub(super) fn two_holders(object: &Object<Call>, holder: (u32, Option<u32>), other: u32) -> String {
    let (acquire, other) = (operation(object, holder.0), operation(object, other));
    let until = holder.1.map(|release| operation(object, release));
    let until = until.map_or_else(
        || "and never gave it back".to_owned(),
        |release| format!("until it began to release it at {}", seconds(release.invoked_at())),
    );
    format!(
        "{} was granted the lock{} at {}, while {} held it{}: it had acquired it at {} {until}",
        other.process(),
        under(&other),
        end(&other),
        acquire.process(),
        under(&acquire),
        end(&acquire),
    )
}

fn operation<'h>(object: &Object<'h, Call>, at: u32) -> Operation<'h> {
    object.operation(object.ops[at as usize].number)
}

fn ok(object: &Object<Call>, at: u32) -> bool {
    !object.ops[at as usize].crashed()
}

/// ` 7`: the token that an acquire answered with.
fn token(acquire: &Operation) -> String {
    let token = acquire.result().and_then(|result| result.get("token"));
    token.map_or_else(String::new, |token| format!(" {token}"))
}

/// ` (token 7)`, where there is one.
fn under(acquire: &Operation) -> String {
    match token(acquire) {
        token if token.is_empty() => token,
        token => format!(" (token{token})"),
    }
}

fn end(call: &Operation) -> String {
    ended(call).map_or_else(|| "an unknown time".to_owned(), seconds)
}
