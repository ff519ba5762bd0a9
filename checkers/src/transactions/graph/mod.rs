//! Graphs of dependencies between transactions: millions of nodes, as dense numbers.
//!
//! A node is a transaction, or one of the helpers that keep the number of edges linear
//! (a moment of real time, a place among writers of unknown order). Nothing here knows
//! what a transaction does.

mod components;
mod csr;
mod order;
mod path;

pub use components::Components;
pub use csr::{Builder, Graph};
pub use order::{linear, residue};
pub use path::{Quest, shortest};

/// A node by number.
pub type Node = u32;

/// Why one transaction must come before another (Adya, "Weak Consistency", 1999, section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Both wrote the same key, the one before the other.
    WriteWrite,
    /// The second read what the first wrote.
    WriteRead,
    /// The first read what the second overwrote.
    ReadWrite,
    /// The same session ran the one before the other.
    Session,
    /// The first was acknowledged before the second began.
    RealTime,
    /// From a helper on to what it stands for: says nothing of its own.
    Onward,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 6] = [
        Kind::WriteWrite,
        Kind::WriteRead,
        Kind::ReadWrite,
        Kind::Session,
        Kind::RealTime,
        Kind::Onward,
    ];

    /// "ww", "wr", "rw", "so", "rt".
    pub fn short(self) -> &'static str {
        match self {
            Kind::WriteWrite => "ww",
            Kind::WriteRead => "wr",
            Kind::ReadWrite => "rw",
            Kind::Session => "so",
            Kind::RealTime => "rt",
            Kind::Onward => "",
        }
    }
}

/// A set of kinds of edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// Only the way on from helpers.
    pub const NONE: Self = Self(1 << Kind::Onward as u8);
    /// Every kind.
    pub const ALL: Self = Self(0b11_1111);

    /// All kinds of the data.
    pub const DATA: Self =
        Self::NONE.with(Kind::WriteWrite).with(Kind::WriteRead).with(Kind::ReadWrite);

    /// These and others.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These and one more.
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// These but one.
    pub const fn without(self, kind: Kind) -> Self {
        Self(self.0 & !(1 << kind as u8))
    }

    /// Whether a kind is among them.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }
}

/// Where an edge leads, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target(u32);

/// The bits of a target that say why.
const KIND_BITS: u32 = 3;

impl Target {
    /// The greatest number of nodes.
    pub const MOST: usize = 1 << (32 - KIND_BITS);

    /// An edge to a node.
    pub fn new(node: Node, kind: Kind) -> Self {
        debug_assert!((node as usize) < Self::MOST);
        Self(node << KIND_BITS | kind as u32)
    }

    /// The node.
    pub fn node(self) -> Node {
        self.0 >> KIND_BITS
    }

    /// Why.
    pub fn kind(self) -> Kind {
        Kind::ALL[(self.0 & ((1 << KIND_BITS) - 1)) as usize]
    }
}

/// An edge as part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// From which node.
    pub from: Node,
    /// To which.
    pub to: Node,
    /// Why.
    pub kind: Kind,
}
