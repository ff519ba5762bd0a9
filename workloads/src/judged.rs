//! The checkers of a workload whose object stands in the table of the checkers.

use tribunal_checkers::objects::{self, Setting};
use tribunal_checkers::{Checker, Compose, Statistics};
use tribunal_history::Value;

/// Judges the object of this name, which is in the table.
pub(crate) fn object(name: &'static str) -> Box<dyn Checker> {
    object_with(name, &Setting::default())
}

/// The same, with what is said of it.
pub(crate) fn object_with(name: &'static str, setting: &Setting) -> Box<dyn Checker> {
    let kind = objects::object(name).unwrap_or_else(|| unreachable!("{name} is in the table"));
    kind.checker(setting).unwrap_or_else(|why| unreachable!("a workload knows its object: {why}"))
}

/// An object that begins with this.
pub(crate) fn beginning(initial: impl Into<Value>) -> Setting {
    Setting { initial: Some(initial.into()), ..Setting::default() }
}

/// The object's judge, and the statistics.
pub(crate) fn alone(name: &'static str) -> Compose {
    Compose::new().with(name, object(name)).with("statistics", Statistics)
}
