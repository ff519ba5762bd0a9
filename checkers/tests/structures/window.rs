//! Rows of bits against sets.

use super::inner::window::Window;

/// Rows against sets, for windows that go around many times.
#[test]
fn rows_tell_who_was_seen() {
    let mut chance = 17_u64;
    let mut below = |bound: usize| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (chance >> 33) as usize % bound
    };
    for (least, start) in [(1, 0), (64, 5), (65, 0), (200, 130), (500, 1)] {
        let mut window = Window::new(least, start);
        assert!(window.width() >= least);
        let mut sets: Vec<Vec<bool>> = vec![Vec::new(); start];
        for place in start..start + 1_500 {
            let count = below(4);
            let saw: Vec<usize> =
                (0..count).filter_map(|_| place.checked_sub(1 + below(300))).collect();
            let mut set = vec![false; place];
            for &seen in saw.iter().filter(|&&seen| seen >= start) {
                set[seen] = true;
                sets[seen].iter().zip(&mut set).for_each(|(&there, here)| *here |= there);
            }
            window.add(place, saw.into_iter());
            let oldest = (place + 1).saturating_sub(window.width()).max(start);
            let told: Vec<bool> = (oldest..place).map(|seen| window.saw(seen)).collect();
            assert_eq!(told, set[oldest..], "{least} {start} {place}");
            sets.push(set);
        }
    }
}
