//! (soon)
pub mod agent;
