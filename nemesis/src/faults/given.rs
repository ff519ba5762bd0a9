//! The numbers that users choose about a fault, each checked where it is read; and those that chance
//! chooses otherwise.

use serde_json::Value;
use tribunal_generator::Rng;

use super::{Options, PlanError};

/// What was drawn, and what it is in words.
pub type Drawn<T> = Result<(T, String), PlanError>;

/// Options, each with the fault that they were given to.
pub struct Given<'o> {
    fault: &'static str,
    options: &'o Options,
}

impl<'o> Given<'o> {
    /// What was given to a fault.
    pub fn new(fault: &'static str, options: &'o Options) -> Self {
        Self { fault, options }
    }

    /// What was given for an option.
    pub fn value(&self, option: &str) -> Option<&'o Value> {
        self.options.get(option)
    }

    /// That an option's value cannot be had, and what can.
    pub fn refusal(&self, option: &'static str, wanted: &'static str) -> PlanError {
        let value = self.value(option).cloned().unwrap_or_default();
        PlanError::BadOption { fault: self.fault, option, value, wanted }
    }

    /// That an option's value makes no sense, and why.
    pub fn nonsense(&self, option: &'static str, why: String) -> PlanError {
        let value = self.value(option).cloned().unwrap_or_default();
        PlanError::Nonsense { fault: self.fault, option, value, why }
    }

    /// A whole number of things, of which there are at most so many.
    pub fn count(
        &self,
        option: &'static str,
        of: &str,
        from: usize,
        most: usize,
    ) -> Result<Option<usize>, PlanError> {
        let Some(value) = self.value(option) else { return Ok(None) };
        let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| (from..=most).contains(count));
        count.map(Some).ok_or_else(|| {
            self.nonsense(
                option,
                format!("it must be a whole number of {of} from {from} to {most}"),
            )
        })
    }

    /// A time in milliseconds, in nanoseconds; `None` if it was not given.
    pub fn milliseconds(&self, option: &'static str) -> Result<Option<u64>, PlanError> {
        let wanted = "a number of milliseconds, more than 0 and at most 600000";
        let found = self.number(option, wanted, |ms| ms > 0.0 && ms <= 600_000.0)?;
        Ok(found.map(|ms| (ms * 1e6) as u64))
    }

    /// A share.
    fn share(&self, option: &'static str) -> Result<Option<f64>, PlanError> {
        self.number(option, "a share, more than 0 and at most 1", |it| it > 0.0 && it <= 1.0)
    }

    /// A share that was given, or one drawn from 1 to 64 percent.
    pub fn share_or_drawn(&self, option: &'static str, rng: &mut Rng) -> Result<f64, PlanError> {
        let drawn = magnitude(1, 64, rng) as f64 / 100.0;
        Ok(self.share(option)?.unwrap_or(drawn))
    }

    /// Kilobits a second, in bits.
    pub fn kilobits(&self, option: &'static str) -> Result<Option<u64>, PlanError> {
        let wanted = "a number of kilobits a second, at least 8 and at most 10000000";
        let found = self.number(option, wanted, |it| (8.0..=1e7).contains(&it))?;
        Ok(found.map(|it| (it * 1e3) as u64))
    }

    /// One of a few words, or one drawn of them.
    pub fn choice(
        &self,
        option: &'static str,
        known: &'static [&'static str],
        rng: &mut Rng,
    ) -> Result<&'static str, PlanError> {
        let drawn = *rng.pick(known);
        let Some(value) = self.value(option) else { return Ok(drawn) };
        let found = known.iter().copied().find(|word| value == word);
        found
            .ok_or_else(|| self.nonsense(option, format!("it must be one of {}", known.join(", "))))
    }

    /// A text that fits.
    pub fn text(
        &self,
        option: &'static str,
        wanted: &'static str,
        fits: impl Fn(&str) -> bool,
    ) -> Result<Option<String>, PlanError> {
        let Some(value) = self.value(option) else { return Ok(None) };
        let found = value.as_str().filter(|text| fits(text));
        found.map(|text| Some(text.to_owned())).ok_or_else(|| self.refusal(option, wanted))
    }

    /// Any number that fits.
    pub fn number(
        &self,
        option: &'static str,
        wanted: &'static str,
        fits: impl Fn(f64) -> bool,
    ) -> Result<Option<f64>, PlanError> {
        let Some(value) = self.options.get(option) else { return Ok(None) };
        let found = value.as_f64().filter(|&it| fits(it));
        found.map(Some).ok_or_else(|| self.refusal(option, wanted))
    }
}

/// One of a row that doubles from `low` to at most `high`, as likely each; in whole numbers, so that
/// a seed means the same on every machine.
pub fn magnitude(low: u64, high: u64, rng: &mut Rng) -> u64 {
    let doublings = (high / low).ilog2();
    low << rng.below(u64::from(doublings) + 1)
}

/// A share in words.
pub fn percent(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 1e2)
}
