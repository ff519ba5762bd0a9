//! What a fault asks of the disk, and a rule at work: which operations are harmed, and how.
//!
//! Pure. The n-th operation that a rule meets fares the same for a seed, whatever the others do: each has a
//! stream of chance of its own.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use glob::Pattern;
use serde::{Deserialize, Serialize};
use tribunal_generator::{Rng, Seed};

/// What a database asks of its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Bytes of a file, where the page cache has none.
    Read,
    /// New bytes of a file: `write`, or a changed page of a mapping on its way back.
    Write,
    /// `fsync` and its kin, of files and folders.
    Sync,
    /// A new name, or room for bytes that are not written yet.
    Allocate,
}

/// What becomes of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harm {
    /// It is refused, and changes nothing.
    Fail {
        /// The error's number: EIO, ENOSPC, ..
        errno: i32,
    },
    /// It comes late.
    Slow {
        /// How late.
        delay_ns: u64,
        /// Off by up to this, either way.
        jitter_ns: u64,
    },
    /// One bit of its bytes is another: on the way to the reader, or for good.
    Flip,
    /// What was written and not synced may be lost when the power is cut.
    Volatile {
        /// Whether what was synced may be lost, too: the disk says yes, and does nothing.
        lie: bool,
    },
}

/// What a fault asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Where chance comes from.
    pub seed: u64,
    /// Which operations.
    pub on: Vec<Access>,
    /// Which files, as a pattern of paths below the folder; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<String>,
    /// Which share of them.
    pub share: f64,
    /// What becomes of these.
    pub harm: Harm,
}

/// What a rule did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Operations that it is about.
    pub met: u64,
    /// Those that it harmed.
    pub harmed: u64,
}

/// A rule at work.
pub struct Layer {
    rule: Rule,
    files: Option<Pattern>,
    met: AtomicU64,
    harmed: AtomicU64,
    probed: AtomicU64,
}

/// Who asks: the database, or an agent that wants to see the rule act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Whoever uses the folder.
    Database,
    /// An agent, with the probe. It is told apart, so that looking changes no fate.
    Agent,
}

/// The fate of one operation, as all layers together have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// How late it comes.
    pub delay: Duration,
    /// The error it ends with.
    pub errno: Option<i32>,
    /// Which bit is flipped, once it is known how many there are.
    pub flip: Option<u64>,
    /// Whether a sync is to do nothing.
    pub lie: bool,
}

impl Rule {
    /// What is wrong with it, if anything.
    pub fn layer(self) -> Result<Layer, String> {
        let files = match &self.files {
            None => None,
            Some(text) => {
                Some(Pattern::new(text).map_err(|error| format!("the pattern {text:?}: {error}"))?)
            }
        };
        let zero = AtomicU64::default;
        Ok(Layer { rule: self, files, met: zero(), harmed: zero(), probed: zero() })
    }
}

impl Layer {
    /// Decides on one operation. `path` is asked for only where the rule cares.
    pub fn treat<'p>(
        &self,
        access: Access,
        asker: Asker,
        path: impl Fn() -> Option<&'p Path>,
        fate: &mut Fate,
    ) {
        if !self.rule.on.contains(&access) {
            return;
        }
        let counter = match asker {
            Asker::Agent => &self.probed,
            Asker::Database => {
                if let Some(files) = &self.files
                    && !path().is_some_and(|path| files.matches_path(path))
                {
                    return;
                }
                &self.met
            }
        };
        let number = counter.fetch_add(1, Ordering::Relaxed);
        let mut rng = self.chance(asker, number);
        if rng.fraction() >= self.rule.share {
            return;
        }
        if asker == Asker::Database {
            self.harmed.fetch_add(1, Ordering::Relaxed);
        }
        match self.rule.harm {
            Harm::Fail { errno } => fate.errno = Some(errno),
            Harm::Slow { delay_ns, jitter_ns } => {
                let jitter = rng.between(0, 2 * jitter_ns.min(delay_ns));
                let late = (delay_ns + jitter).saturating_sub(jitter_ns.min(delay_ns));
                fate.delay += Duration::from_nanos(late);
            }
            Harm::Flip => fate.flip = Some(rng.bits()),
            Harm::Volatile { lie } => fate.lie |= lie,
        }
    }

    fn chance(&self, asker: Asker, number: u64) -> Rng {
        Seed(self.rule.seed).stream(&format!("{asker:?}/{number}"))
    }

    /// What it is.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// What it did so far.
    pub fn tally(&self) -> Tally {
        let (met, harmed) = (&self.met, &self.harmed);
        Tally { met: met.load(Ordering::Relaxed), harmed: harmed.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(share: f64, files: Option<&str>, harm: Harm) -> Layer {
        let files = files.map(str::to_owned);
        Rule { seed: 7, on: vec![Access::Read], files, share, harm }.layer().unwrap()
    }

    fn fates(layer: &Layer, count: usize) -> Vec<Fate> {
        let fate = |_| {
            let mut fate = Fate::default();
            layer.treat(Access::Read, Asker::Database, || None, &mut fate);
            fate
        };
        (0..count).map(fate).collect()
    }

    #[test]
    fn the_nth_operation_fares_the_same_whoever_looks_on() {
        let one = layer(0.3, None, Harm::Flip);
        let expected = fates(&one, 1000);
        let share = expected.iter().filter(|fate| fate.flip.is_some()).count();
        assert!((250..350).contains(&share), "{share} of 1000");
        let other = layer(0.3, None, Harm::Flip);
        let mut seen = Vec::new();
        for _ in 0..100 {
            let mut ignored = Fate::default();
            other.treat(Access::Read, Asker::Agent, || None, &mut ignored);
            other.treat(Access::Write, Asker::Database, || None, &mut ignored);
            seen.extend(fates(&other, 10));
        }
        assert_eq!(seen, expected);
        assert_eq!(other.tally(), Tally { met: 1000, harmed: share as u64 });
    }

    #[test]
    fn a_pattern_chooses_the_files() {
        let layer = layer(1.0, Some("wal/*.log"), Harm::Fail { errno: libc::EIO });
        let harmed = |path: &str| {
            let mut fate = Fate::default();
            layer.treat(Access::Read, Asker::Database, || Some(Path::new(path)), &mut fate);
            fate.errno == Some(libc::EIO)
        };
        assert!(harmed("wal/0.log") && !harmed("wal/0.txt") && !harmed("0.log"));
        let bad = Rule { files: Some("a**b".into()), ..layer.rule().clone() };
        assert!(bad.layer().err().unwrap().starts_with("the pattern \"a**b\": "));
    }

    #[test]
    fn jitter_goes_either_way_and_never_below_nothing() {
        let layer = layer(1.0, None, Harm::Slow { delay_ns: 1000, jitter_ns: 250 });
        let delays: Vec<u128> = fates(&layer, 500).iter().map(|it| it.delay.as_nanos()).collect();
        assert!(delays.iter().all(|delay| (750..=1250).contains(delay)));
        assert!(delays.iter().any(|&it| it < 800) && delays.iter().any(|&it| it > 1200));
    }
}
