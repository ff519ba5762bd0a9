//! Lists one after the other in one, on all cores. What they are of is not known here.

use rayon::prelude::*;

/// All parts in one list, each item as `translate` makes it of its part's number and itself.
///
/// Most of the time goes into memory that is touched for the first time, so all cores touch it.
pub fn joined<T: Copy + Send + Sync>(
    parts: Vec<Vec<T>>,
    translate: impl Fn(usize, T) -> T + Sync,
) -> Vec<T> {
    let Some(&any) = parts.iter().flatten().next() else { return Vec::new() };
    let count: usize = parts.iter().map(Vec::len).sum();
    let mut all: Vec<T> = (0..count).into_par_iter().map(|_| any).collect();
    let (mut places, mut rest) = (Vec::with_capacity(parts.len()), &mut all[..]);
    for part in &parts {
        let place;
        (place, rest) = rest.split_at_mut(part.len());
        places.push(place);
    }
    parts.into_par_iter().zip(places).enumerate().for_each(|(number, (part, place))| {
        for (to, item) in place.iter_mut().zip(part) {
            *to = translate(number, item);
        }
    });
    all
}

/// Where each of the parts of these lengths begins.
pub fn begins(lengths: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut next = 0;
    let begin = |length: usize| {
        let begin = next;
        next += length as u32;
        begin
    };
    lengths.map(begin).collect()
}
