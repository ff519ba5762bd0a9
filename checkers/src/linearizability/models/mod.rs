//! Models without a judge of their own: the general search decides them.

mod kv;
mod multi_register;

pub use kv::{Entry, Kv};
pub use multi_register::{Micro, MultiRegister};
