//! The moments between the events of an object, numbered.
//!
//! Gap `g` lies between the events of rank `g` and `g + 1`. A call that spans the ranks `s` and `e`
//! can take effect in the gaps `s..e`; so many calls as one likes can do so in one gap, in any order.

use super::model::Point;

/// The ranks of these points, in the same order as they are, and how many ranks there are. Equal
/// points rank equally.
pub(super) fn ranks(points: &[Point]) -> (Vec<u32>, usize) {
    let mut keys: Vec<u64> =
        (0_u64..).zip(points).map(|(at, &point)| u64::from(point) << 32 | at).collect();
    keys.sort_unstable();
    let mut ranks = vec![0; points.len()];
    let (mut rank, mut last) = (0, keys.first().map_or(0, |key| key >> 32));
    for key in keys {
        rank += u32::from(key >> 32 != last);
        last = key >> 32;
        ranks[key as u32 as usize] = rank;
    }
    (ranks, rank as usize + 1)
}
