//! The files of the library that are tested here.

#[path = "../../src/transactions/fan.rs"]
pub mod fan;
#[path = "../../src/transactions/graph/mod.rs"]
pub mod graph;
#[path = "../../src/linearizability/range_min.rs"]
pub mod range_min;
#[path = "../../src/transactions/weak/window.rs"]
pub mod window;

pub mod transaction {
    pub type TxnId = u32;
}
