//! How many answers it takes, and which of them are believed: majorities where replicas may only crash,
//! and masking quorums where some may lie (Malkhi and Reiter, "Byzantine Quorum Systems", Distributed
//! Computing 1998).

use substrate::majority;

use crate::bug::Bug;
use crate::message::Versioned;
use crate::stamp::Stamp;

/// How many members keep a key where none lies, and there are as many.
const REPLICAS: usize = 3;

/// What a coordinator reckons with.
#[derive(Clone, Copy, Debug)]
pub struct Quorum {
    /// What the store is guilty of.
    pub bug: Bug,
    /// How many replicas of a key may lie.
    pub liars: usize,
}

impl Quorum {
    /// How many members keep a key: with f liars it takes 4f + 1.
    pub fn replicas(self) -> usize {
        REPLICAS.max(4 * self.liars + 1)
    }

    /// How many of `replicas` must answer: so many that what two quorums have in common is f + 1 honest
    /// replicas at least; with no liar, a majority.
    pub fn enough(self, replicas: usize) -> usize {
        match self.bug {
            Bug::SmallMajority => (replicas / 2).max(1),
            Bug::WaitForAll => replicas,
            _ => majority(replicas + 2 * self.liars),
        }
    }

    /// The newest version that a quorum vouches for, or that there is none yet. `None` where that cannot be told.
    ///
    /// It takes f + 1 that say the same, one of whom is honest. And no more than f may show a newer one: of
    /// what was written before, f + 1 honest replicas know, and show it or something newer.
    pub fn newest(self, versions: &[Option<Versioned>]) -> Option<Option<Versioned>> {
        let stamp = |version: &Option<Versioned>| version.as_ref().map(|it| it.stamp.clone());
        let believed = versions.iter().filter(|version| {
            let same = versions.iter().filter(|other| other == version).count();
            let newer = versions.iter().filter(|other| stamp(other) > stamp(version)).count();
            same > self.liars && newer <= self.liars
        });
        believed.max_by_key(|version| stamp(version)).cloned()
    }

    /// A stamp that is no lower than that of any write that a quorum has finished, and that no liar has made up:
    /// f stamps may be higher.
    pub fn highest(self, versions: &[Option<Versioned>]) -> Option<&Stamp> {
        let mut stamps: Vec<Option<&Stamp>> =
            versions.iter().map(|version| version.as_ref().map(|it| &it.stamp)).collect();
        stamps.sort_by(|one, other| other.cmp(one));
        stamps.get(self.liars).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamp::Stamper;

    fn quorum(liars: usize) -> Quorum {
        Quorum { bug: Bug::None, liars }
    }

    fn version(value: i64) -> Option<Versioned> {
        let stamper = Stamper::new("n1", 1);
        let stamp = (0..value).map(|_| stamper.stamp(None)).last().expect("values are positive");
        Some(Versioned { value: value.into(), stamp })
    }

    #[test]
    fn without_liars_quorums_are_majorities_and_the_newest_is_believed() {
        assert_eq!([1, 2, 3, 4, 5].map(|n| quorum(0).enough(n)), [1, 2, 2, 3, 3]);
        assert_eq!(quorum(0).newest(&[version(2), None]), Some(version(2)));
        assert_eq!(quorum(0).newest(&[None, None]), Some(None));
        assert_eq!(quorum(0).highest(&[version(2), version(3)]).unwrap().counter, 3);
    }

    #[test]
    fn two_quorums_have_more_honest_replicas_in_common_than_there_are_liars() {
        for liars in 0..4 {
            let replicas = quorum(liars).replicas();
            let common = 2 * quorum(liars).enough(replicas) - replicas;
            assert!(common > 2 * liars, "{liars} liars, {common} in common");
            assert!(
                quorum(liars).enough(replicas) <= replicas - liars,
                "{liars} liars may be silent"
            );
        }
    }

    #[test]
    fn what_one_replica_alone_says_is_not_believed() {
        let (old, new, lie) = (version(1), version(2), version(9));
        let one = quorum(1);
        let answers = [lie.clone(), new.clone(), new.clone(), old.clone()];
        assert_eq!(one.newest(&answers), Some(new.clone()));
        assert_eq!(one.highest(&answers).unwrap().counter, 2);
        // The liar speaks with one that has missed something; two others know better, and do not agree.
        assert_eq!(one.newest(&[old.clone(), old, new, version(3)]), None);
    }
}
