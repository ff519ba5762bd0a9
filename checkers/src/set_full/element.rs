//! Elements, and who saw them: one pass over what the reads hold.

use tribunal_history::{Datum, Elements, Kind, Nanos, Operation, ValueRef};

use super::ended;
use crate::failed::Failed;
use crate::linearizability::dense::{Dense, NONE};

/// What became of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was seen by the last read that could.
    Stable,
    /// It was known, and the last read did not see it.
    Lost,
    /// Not enough is known.
    NeverRead,
}

/// An element that some call added or may have added.
#[derive(Clone, Debug)]
pub(super) struct Element<'h> {
    /// It.
    pub value: ValueRef<'h>,
    /// The first call to add it.
    pub add: Operation<'h>,
    /// Whether an `add` of it was acknowledged.
    pub acknowledged: bool,
    /// The call that ended first of those after which it must be there.
    pub known: Option<Operation<'h>>,
    /// Of the reads that saw it, the last to begin.
    pub present: Option<Operation<'h>>,
    /// Of the reads that did not, and that ended after its `add` began, the last to begin.
    pub absent: Option<Operation<'h>>,
}

impl Element<'_> {
    pub fn outcome(&self) -> Outcome {
        let absent = self.absent.map(|read| read.start());
        match (self.present.map(|read| read.start()), self.known_at()) {
            (Some(present), _) if absent.is_none_or(|absent| absent < present) => Outcome::Stable,
            (_, Some(known)) if absent.is_some_and(|absent| known < absent) => Outcome::Lost,
            _ => Outcome::NeverRead,
        }
    }

    /// Whether it was missed by a read that began after it was known, and seen in the end.
    pub fn stale(&self) -> bool {
        let missed = self.known_at().zip(self.absent).is_some_and(|(at, read)| at < read.start());
        missed && self.outcome() == Outcome::Stable
    }

    fn known_at(&self) -> Option<u64> {
        self.known.and_then(|call| call.end())
    }

    /// For how long after it was known reads began that missed it.
    pub fn stale_for(&self) -> Nanos {
        let known = self.known.as_ref().map_or(Nanos::MAX, ended);
        self.absent.map_or(0, |read| read.invoked_at().saturating_sub(known))
    }

    /// For how long after it was known reads began that saw it.
    pub fn lost_after(&self) -> Nanos {
        let known = self.known.as_ref().map_or(Nanos::MAX, ended);
        self.present.map_or(0, |read| read.invoked_at().saturating_sub(known))
    }
}

/// An element that a read saw and should not have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'h> {
    pub value: ValueRef<'h>,
    /// The read that saw it first.
    pub read: Operation<'h>,
    /// The call that did not add it, or only later.
    pub add: Option<Operation<'h>>,
}

/// All of one set.
#[derive(Debug, Default)]
pub(super) struct Tally<'h> {
    /// In the order of their first adds.
    pub elements: Vec<Element<'h>>,
    /// Those that were seen without ever having been added.
    pub unexpected: Vec<Seen<'h>>,
    /// Those that one read held more than once.
    pub duplicated: Vec<Seen<'h>>,
}

impl<'h> Tally<'h> {
    /// Reads the calls on one set; an error, in words, if it has no such call.
    pub fn of(calls: &[Operation<'h>]) -> Result<Self, String> {
        let (mut adds, mut failed, mut reads) = (Vec::new(), Vec::new(), Vec::new());
        for call in calls {
            match call.f() {
                "add" if call.kind() == Kind::Fail => failed.push(*call),
                "add" => adds.push(*call),
                "read" => {
                    let Some(result) = call.result() else { continue };
                    let list = result.elements().ok_or_else(|| {
                        format!(
                            "event {}: `read` answers with a list, not with {result}",
                            call.start()
                        )
                    })?;
                    reads.push((*call, list));
                }
                other => {
                    return Err(format!(
                        "event {}: `{other}` is not a call of a grow-only set; its calls are add and read",
                        call.start()
                    ));
                }
            }
        }
        let mut tally = Self::default();
        let mut numbers = tally.added(&adds);
        // From the last to begin, because the last to see an element and the last to miss it are asked for.
        reads.sort_by_key(|(call, _)| std::cmp::Reverse(call.start()));
        tally.seen(&reads, &mut numbers, &failed);
        Ok(tally)
    }

    fn added(&mut self, adds: &[Operation<'h>]) -> Dense {
        let mut numbers = Dense::of(adds.iter().map(|call| call.argument().datum()));
        for &add in adds {
            let value = add.argument();
            let number = numbers.get(value.datum());
            if number == NONE {
                numbers.set(value.datum(), self.elements.len() as u32);
                let known = add.is_ok().then_some(add);
                let (present, absent) = (None, None);
                let acknowledged = add.is_ok();
                self.elements.push(Element { value, add, acknowledged, known, present, absent });
            } else if add.is_ok() {
                let element = &mut self.elements[number as usize];
                element.acknowledged = true;
                element.known = earlier(element.known, add);
            }
        }
        numbers
    }

    fn seen(
        &mut self,
        reads: &[(Operation<'h>, Elements<'h>)],
        numbers: &mut Dense,
        failed: &[Operation<'h>],
    ) {
        // How many reads from the last on all hold an element, and which read held it last.
        let mut streak = vec![0_u32; self.elements.len()];
        let mut last = vec![NONE; self.elements.len()];
        let mut strangers: Vec<(Datum, Seen)> = Vec::new();
        for (at, (read, list)) in (0_u32..).zip(reads) {
            for (&datum, value) in list.data().iter().zip(list.clone()) {
                let number = numbers.get(datum) as usize;
                let Some(element) = self.elements.get_mut(number) else {
                    strangers.push((datum, Seen { value, read: *read, add: None }));
                    continue;
                };
                let add = Some(element.add);
                if last[number] == at {
                    self.duplicated.push(Seen { value, read: *read, add });
                    continue;
                }
                last[number] = at;
                streak[number] += u32::from(streak[number] == at);
                if read.end().is_some_and(|end| end < element.add.start()) {
                    self.unexpected.push(Seen { value, read: *read, add });
                    continue;
                }
                element.present = element.present.or(Some(*read));
                element.known = earlier(element.known, *read);
            }
        }
        for (element, &streak) in self.elements.iter_mut().zip(&streak) {
            let missed = reads.get(streak as usize).map(|(read, _)| *read);
            let began = element.add.start();
            element.absent = missed.filter(|read| read.end().is_some_and(|end| began < end));
        }
        let failed = Failed::of(failed);
        let told = |(datum, seen)| Seen { add: failed.find(datum), ..seen };
        self.unexpected.extend(once(strangers).into_iter().map(told));
        self.duplicated.sort_by_key(|seen| (seen.value.datum(), seen.read.start()));
        self.duplicated.dedup_by_key(|seen| seen.value.datum());
    }
}

/// Each of them with the read that saw it first.
fn once<'h>(mut strangers: Vec<(Datum, Seen<'h>)>) -> Vec<(Datum, Seen<'h>)> {
    strangers.sort_by_key(|(datum, seen)| (*datum, seen.read.start()));
    strangers.dedup_by_key(|(datum, _)| *datum);
    strangers
}

/// Of two answered calls the one that ended first.
fn earlier<'h>(one: Option<Operation<'h>>, other: Operation<'h>) -> Option<Operation<'h>> {
    match one {
        Some(one) if one.end() <= other.end() => Some(one),
        _ => Some(other),
    }
}
