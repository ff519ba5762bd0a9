//! The report: one self-contained HTML page a run, and a summary for the terminal.
//!
//! A person must understand a failure within a minute, so the page answers in
//! this order: which promise was broken, by which calls, under which fault, and
//! how to run it again. It opens from a file without a network, and carries no
//! library: the style and the script in this folder are all there is.
//!
//! Values, node names and errors come from a database that is on trial, and are
//! treated as hostile: the template escapes them, the script sets them as text,
//! and the page's policy allows no script and no style but ours, by their hashes.
//!
//! It judges nothing: what the checkers did not say, it does not say.

mod evidence;
mod kinds;
mod lanes;
mod moment;
mod page;
mod selection;
mod terminal;
mod timeline;
mod told;
mod words;

pub use page::render;
pub use terminal::{summary, summary_within};
