//! Reading `[workload.NAME]`: every option is asked for by name, with its
//! default, and what nobody has asked for is an error.

use std::ops::RangeInclusive;

use tribunal_checkers::transactions::Level;
use tribunal_history::{Map, Value};

use crate::WorkloadError;

/// The options of one workload while they are read.
pub struct Options<'o> {
    workload: &'static str,
    given: &'o Map<String, Value>,
    known: Vec<&'static str>,
}

impl<'o> Options<'o> {
    /// Those that were given to this workload.
    pub fn new(workload: &'static str, given: &'o Map<String, Value>) -> Self {
        Self { workload, given, known: Vec::new() }
    }

    /// A whole number of `range`.
    pub fn number(
        &mut self,
        option: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Result<u64, WorkloadError> {
        let Some(found) = self.take(option) else { return Ok(default) };
        let number = found.as_u64().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            self.bad(option, found, expected)
        })
    }

    /// True or false.
    pub fn flag(&mut self, option: &'static str, default: bool) -> Result<bool, WorkloadError> {
        let Some(found) = self.take(option) else { return Ok(default) };
        found.as_bool().ok_or_else(|| self.bad(option, found, "true or false".to_owned()))
    }

    /// An isolation level, by its name.
    pub fn level(&mut self, option: &'static str, default: Level) -> Result<Level, WorkloadError> {
        let Some(found) = self.take(option) else { return Ok(default) };
        let level = found.as_str().and_then(|name| name.parse().ok());
        level.ok_or_else(|| {
            let known: Vec<String> = Level::ALL.iter().map(Level::to_string).collect();
            self.bad(option, found, format!("one of {}", known.join(", ")))
        })
    }

    /// Any value.
    pub fn value(&mut self, option: &'static str, default: Value) -> Value {
        self.take(option).cloned().unwrap_or(default)
    }

    /// How often each of several calls is made, relative to each other.
    pub fn weights<const N: usize>(
        &mut self,
        calls: [(&'static str, u64); N],
    ) -> Result<[u64; N], WorkloadError> {
        let mut weights = [0; N];
        for (weight, (call, default)) in weights.iter_mut().zip(calls) {
            *weight = self.number(call, default, 0..=1000)?;
        }
        match weights.iter().sum() {
            0_u64 => {
                let expected = "above 0, or another call's weight must be: nothing would be called";
                Err(self.bad(calls[0].0, &Value::from(0), expected.to_owned()))
            }
            _ => Ok(weights),
        }
    }

    /// All have been asked for: any other is unknown.
    pub fn done(self) -> Result<(), WorkloadError> {
        match self.given.keys().find(|option| !self.known.contains(&option.as_str())) {
            Some(option) => Err(WorkloadError::unknown_option(self.workload, option, self.known)),
            None => Ok(()),
        }
    }

    fn take(&mut self, option: &'static str) -> Option<&'o Value> {
        self.known.push(option);
        self.given.get(option)
    }

    /// What was found of an option, and what it must be instead.
    pub fn bad(&self, option: &'static str, found: &Value, expected: String) -> WorkloadError {
        WorkloadError::BadOption { workload: self.workload, option, found: found.clone(), expected }
    }
}
