//! Sums over ranges, and the least of them.

use super::inner::range_min::RangeMin;

#[test]
fn adds_and_finds_the_least() {
    let mut array = RangeMin::new(&[3, 1, 4, 1, 5]);
    array.add(1..4, 2);
    array.add(0..5, -3);
    assert_eq!(array.take_zero(), Some(0));
    assert_eq!(array.take_zero(), Some(1));
    assert_eq!(array.take_zero(), Some(3));
    assert_eq!(array.take_zero(), None);
    array.add(2..5, -2);
    assert_eq!(array.take_zero(), Some(4));
}
