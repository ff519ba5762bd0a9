//! The counts: values in, values out, and the calls that found nothing left.

use tribunal_history::{Kind, Operation, ValueRef};

use crate::failed::Failed;
use crate::linearizability::dense::{Dense, NONE};

/// A call that took a value out, and the call that put it in, if it did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Take<'h> {
    pub value: ValueRef<'h>,
    pub take: Operation<'h>,
    pub put: Option<Operation<'h>>,
}

/// A call that may have taken something out: when it began, and whether it may have taken any number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unanswered {
    pub start: u64,
    pub drains: bool,
}

/// Acknowledged values that never came out before a call found nothing.
#[derive(Clone, Debug)]
pub(super) struct Loss<'h> {
    /// The call that found nothing.
    pub empty: Operation<'h>,
    /// Their puts.
    pub puts: Vec<Operation<'h>>,
    /// How many calls without answer began before its end.
    pub takes: usize,
}

impl Loss<'_> {
    /// How many are lost, whatever the calls without answer took.
    pub fn certain(&self) -> usize {
        self.puts.len() - self.takes
    }
}

/// All of one queue.
#[derive(Debug, Default)]
pub(super) struct Tally<'h> {
    pub attempts: usize,
    pub acknowledged: usize,
    pub taken: usize,
    pub recovered: usize,
    /// Acknowledged puts beyond those whose values came out, by their ends.
    pub leftovers: Vec<Operation<'h>>,
    pub unexpected: Vec<Take<'h>>,
    pub duplicated: Vec<Take<'h>>,
    /// Calls that found nothing, by their starts.
    pub empties: Vec<Operation<'h>>,
    /// By their starts.
    pub takes: Vec<Unanswered>,
}

/// The calls on one value.
#[derive(Clone, Debug, Default)]
struct Value<'h> {
    /// Those that put it in, or may have.
    puts: Vec<Operation<'h>>,
    takes: Vec<Operation<'h>>,
}

impl<'h> Tally<'h> {
    /// Reads the calls on one queue; an error, in words, if it has no such call.
    pub fn of(calls: &[Operation<'h>]) -> Result<Self, String> {
        let mut tally = Self::default();
        let (mut puts, mut failed, mut taken) = (Vec::new(), Vec::new(), Vec::new());
        for call in calls {
            match (call.f(), call.kind()) {
                ("enqueue" | "push" | "insert", Kind::Fail) => failed.push(*call),
                ("enqueue" | "push" | "insert", _) => puts.push(*call),
                ("dequeue" | "pop" | "poll" | "drain", Kind::Fail) => {}
                ("dequeue" | "pop" | "poll" | "drain", _) => tally.take(call, &mut taken)?,
                (other, _) => {
                    return Err(format!(
                        "event {}: `{other}` is not a call of a queue; its calls are enqueue, \
                         dequeue and drain",
                        call.start()
                    ));
                }
            }
        }
        tally.attempts = puts.len();
        tally.taken = taken.len();
        tally.match_values(&puts, &failed, &taken);
        Ok(tally)
    }

    fn take(
        &mut self,
        call: &Operation<'h>,
        taken: &mut Vec<(ValueRef<'h>, Operation<'h>)>,
    ) -> Result<(), String> {
        let drains = call.f() == "drain";
        let Some(result) = call.result() else {
            self.takes.push(Unanswered { start: call.start(), drains });
            return Ok(());
        };
        if !drains && !result.is_null() {
            taken.push((result, *call));
            return Ok(());
        }
        if drains {
            let list = result.elements().ok_or_else(|| {
                format!("event {}: `drain` answers with a list, not with {result}", call.start())
            })?;
            taken.extend(list.map(|value| (value, *call)));
        }
        self.empties.push(*call);
        Ok(())
    }

    fn match_values(
        &mut self,
        puts: &[Operation<'h>],
        failed: &[Operation<'h>],
        taken: &[(ValueRef<'h>, Operation<'h>)],
    ) {
        let mut numbers = Dense::of(puts.iter().map(|put| put.argument().datum()));
        let mut values: Vec<Value> = Vec::new();
        for put in puts {
            let datum = put.argument().datum();
            let mut number = numbers.get(datum);
            if number == NONE {
                number = values.len() as u32;
                numbers.set(datum, number);
                values.push(Value::default());
            }
            values[number as usize].puts.push(*put);
        }
        let failed = Failed::of(failed);
        for &(value, take) in taken {
            match values.get_mut(numbers.get(value.datum()) as usize) {
                Some(known) => known.takes.push(take),
                None => {
                    let put = failed.find(value.datum());
                    self.unexpected.push(Take { value, take, put });
                }
            }
        }
        values.iter().for_each(|value| self.match_value(value));
        self.leftovers.sort_by_key(|put| put.end());
    }

    fn match_value(&mut self, Value { puts, takes }: &Value<'h>) {
        let (first, value) = (puts[0], puts[0].argument());
        let mut acknowledged: Vec<Operation> =
            puts.iter().filter(|put| put.is_ok()).copied().collect();
        self.acknowledged += acknowledged.len();
        self.recovered += takes.len().min(puts.len()).saturating_sub(acknowledged.len());
        let early = takes.iter().filter(|take| take.end().is_some_and(|end| end < first.start()));
        self.unexpected.extend(early.map(|&take| Take { value, take, put: Some(first) }));
        if takes.len() > puts.len() {
            let take = takes[takes.len() - 1];
            self.duplicated.push(Take { value, take, put: Some(first) });
        }
        // Those put first are taken to have come out: no more can be missing at any time.
        acknowledged.sort_by_key(|put| put.end());
        self.leftovers.extend(acknowledged.into_iter().skip(takes.len()));
    }

    /// The call that found nothing at which most values must be lost; `None` if none need be.
    pub fn lost(&self) -> Option<Loss<'h>> {
        let drained = self.takes.iter().find(|take| take.drains).map(|take| take.start);
        let may_take = |empty: &Operation| self.may_take(empty, drained);
        let bounds = self.empties.iter().map(|empty| (*empty, self.inside(empty), may_take(empty)));
        let most = bounds.max_by_key(|(_, inside, takes)| inside.saturating_sub(*takes));
        let (empty, inside, takes) = most.filter(|(_, inside, takes)| inside > takes)?;
        Some(Loss { empty, puts: self.leftovers[..inside].to_vec(), takes })
    }

    /// How many values were acknowledged before a call that found nothing, and never came out.
    fn inside(&self, empty: &Operation) -> usize {
        self.leftovers.partition_point(|put| put.end() < Some(empty.start()))
    }

    /// How many of them calls without answer can have taken until it ended, of which the
    /// first that may take any number began at `drained`.
    fn may_take(&self, empty: &Operation, drained: Option<u64>) -> usize {
        match drained.is_some_and(|start| Some(start) < empty.end()) {
            true => usize::MAX,
            false => self.takes.partition_point(|take| Some(take.start) < empty.end()),
        }
    }

    /// How many values never came out and were acknowledged after the last call to find nothing began.
    pub fn unjudged(&self) -> usize {
        let judged = self.empties.last().map_or(0, |empty| self.inside(empty));
        self.leftovers.len() - judged
    }
}
