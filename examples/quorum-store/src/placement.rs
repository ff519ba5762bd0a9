//! Which members keep a key. All members know the same list of members and come to the same answer.

/// Members by their places in the list.
#[derive(Debug, PartialEq, Eq)]
pub struct Placement {
    /// Who keeps the key.
    pub replicas: Vec<usize>,
    /// Who stands in for a replica out of reach, in this order.
    pub spares: Vec<usize>,
}

impl Placement {
    /// Where so many replicas of `key` are among so many members: on a ring, from a place that its hash tells.
    pub fn of(key: &str, replicas: usize, members: usize) -> Self {
        let first = (fnv1a(key.as_bytes()) % members as u64) as usize;
        let mut ring: Vec<usize> = (0..members).map(|n| (first + n) % members).collect();
        let spares = ring.split_off(replicas.min(members));
        Self { replicas: ring, spares }
    }
}

/// Fowler, Noll and Vo's hash: the same on all machines, in all versions.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_its_share_and_no_key_is_kept_twice_by_one() {
        let mut kept = [0; 5];
        for key in 0..1000 {
            let Placement { replicas, spares } = Placement::of(&key.to_string(), 3, kept.len());
            assert_eq!((replicas.len(), spares.len()), (3, 2));
            replicas.iter().for_each(|&member| kept[member] += 1);
            let mut all = [replicas, spares].concat();
            all.sort();
            assert_eq!(all, [0, 1, 2, 3, 4]);
        }
        assert!(kept.iter().all(|count| (500..=700).contains(count)), "{kept:?}");
    }

    #[test]
    fn few_members_keep_everything() {
        let Placement { mut replicas, spares } = Placement::of("x", 3, 2);
        replicas.sort();
        assert_eq!((replicas, spares), (vec![0, 1], vec![]));
    }
}
