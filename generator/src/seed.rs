//! Seeds: one number, many independent streams of chance.
//!
//! ChaCha8 with our own sampling, so that a seed means the same next year
//! whatever the `rand` crates do. Each user of chance takes a stream by name
//! (`seed.stream("partition")`), so that drawing more in one never moves
//! another.

use std::fmt;
use std::str::FromStr;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// The seed of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// An independent stream; the same name always gives the same one.
    pub fn stream(self, name: &str) -> Rng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.0.to_le_bytes());
        let mut chacha = ChaCha8Rng::from_seed(key);
        chacha.set_stream(fnv1a(name.as_bytes()));
        Rng(chacha)
    }
}

/// FNV-1a, 64 bits: stable, and good enough to keep a dozen names apart.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl fmt::Display for Seed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "0x{:x}", self.0)
    }
}

impl FromStr for Seed {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).map(Seed),
            None => text.parse().map(Seed),
        }
    }
}

/// One stream of chance.
#[derive(Clone, Debug)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `n`, each as likely; `n` must not be 0.
    ///
    /// Lemire's multiplication ("Fast Random Integer Generation in an
    /// Interval", 2019) without its rejection step: the bias is below n / 2^64.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "no number is below 0");
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A number of `[low, high]`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// A number of `[0, 1)`.
    pub fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// An exponentially distributed number with the given mean: the gaps of a Poisson process.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.fraction()).ln()
    }

    /// A place below `n`, the first ones more likely: the k-th as likely as `1 / k^exponent` (Zipf).
    /// With an exponent of 0 each is as likely; `n` must not be 0.
    pub fn zipf(&mut self, n: usize, exponent: f64) -> usize {
        assert!(n > 0, "no place is below 0");
        if exponent <= 0.0 {
            return self.below(n as u64) as usize;
        }
        let weight = |place: usize| ((place + 1) as f64).powf(-exponent);
        let mut ticket = self.fraction() * (0..n).map(weight).sum::<f64>();
        let wins = |place: &usize| {
            ticket -= weight(*place);
            ticket < 0.0
        };
        (0..n).find(wins).unwrap_or(n - 1)
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// Fisher-Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}
