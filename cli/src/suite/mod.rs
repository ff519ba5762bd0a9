//! Many runs as one: the cells of a suite, each under several seeds, in order.
//!
//! A [`Cell`] says what is run and what is expected of it, a [`Walk`] runs it, an [`Outcome`] says what
//! came of it and a [`Tally`] what came of them all. Whence the cells come (a suite file, the table of
//! `tribunal self-test`) is not here, nor is what one run does.

mod cell;
mod file;
mod found;
mod junit;
mod outcome;
mod table;
mod tally;
mod walk;

pub use cell::{Cell, Expected, chosen};
pub use file::SuiteFile;
pub use junit::junit;
pub use walk::Walk;
