//! `file-truncated`, `file-bit-flips`, `segment-lost`, `segment-swapped`: what happens to files at
//! rest.

use super::about::{About, LYING};
use super::damage::{DATA_DIR, Damage, FILES, RESTORE};
use super::{FaultOption, Needs, PlanError, target};
use crate::agent::protocol;

/// Bits that are turned round, by default.
const BITS: u64 = 8;
const MOST_BITS: u64 = 1_000_000;

/// What all of them cost.
const COST: &str = "as `kill`; with `restore` also two copies of the file";

const USUAL: &[FaultOption] = &[target::OPTION, FILES, RESTORE, DATA_DIR];

/// The end of a file never reached the disk.
pub(super) static TRUNCATED: Damage = Damage {
    about: About {
        name: "file-truncated",
        doc: "Kills the database, cuts off the end of one of its files, and starts it again on what is left.",
        options: USUAL,
        needs: Needs::Data,
        assumes: LYING,
        seen: "the file is as long as it was cut",
        cost: COST,
    },
    kind: |_, _| Ok(protocol::Damage::Truncate),
};

/// A disk that rots.
pub(super) static FLIPPED: Damage = Damage {
    about: About {
        name: "file-bit-flips",
        doc: "Kills the database, turns bits of one of its files round, and starts it again on that.",
        options: &[
            target::OPTION,
            FILES,
            RESTORE,
            DATA_DIR,
            FaultOption { name: "bits", doc: "How many, each in another byte; by default 8." },
        ],
        needs: Needs::Data,
        assumes: LYING,
        seen: "the bytes are read again, and are others",
        cost: COST,
    },
    kind: |fault, options| {
        let Some(value) = options.get("bits") else {
            return Ok(protocol::Damage::Flip { bits: BITS });
        };
        let bits = value.as_u64().filter(|bits| (1..=MOST_BITS).contains(bits));
        let refused = || PlanError::BadOption {
            fault,
            option: "bits",
            value: value.clone(),
            wanted: "a whole number from 1 to 1000000",
        };
        bits.map(|bits| protocol::Damage::Flip { bits }).ok_or_else(refused)
    },
};

/// A file that nobody wrote into its folder for good.
pub(super) static LOST: Damage = Damage {
    about: About {
        name: "segment-lost",
        doc: "Kills the database, removes one of its files, and starts it again without.",
        options: USUAL,
        needs: Needs::Data,
        assumes: LYING,
        seen: "the file is gone",
        cost: COST,
    },
    kind: |_, _| Ok(protocol::Damage::Lose),
};

/// Writes that went to each other's place.
pub(super) static SWAPPED: Damage = Damage {
    about: About {
        name: "segment-swapped",
        doc: "Kills the database, lets two files of one folder change places, and starts it again.",
        options: USUAL,
        needs: Needs::Data,
        assumes: LYING,
        seen: "each file has the other's place",
        cost: COST,
    },
    kind: |_, _| Ok(protocol::Damage::Swap),
};
