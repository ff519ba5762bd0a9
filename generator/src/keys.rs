//! Independent keys: many small objects instead of one large one.
//!
//! To judge a register costs more the more calls overlap on it, and a lost
//! write is seen only until the next one: so each key gets a bounded number of
//! calls, and then a fresh key takes its place. This is Jepsen's `independent`,
//! without its groups of threads: any worker calls any key.

use tribunal_history::{Event, Name};

use crate::{Boxed, Context, Generator, Next, Rng};

/// Calls on independent keys. See [`independent`].
pub struct Independent<F> {
    rng: Rng,
    make: F,
    calls_per_key: u64,
    /// How much hotter some keys are than others.
    skew: f64,
    /// The keys that are called on now.
    live: Vec<Key>,
    /// The number of the next fresh key.
    fresh: u64,
    /// Which of `live` the next call goes to, drawn and not yet used.
    turn: Option<usize>,
}

struct Key {
    name: Name,
    generator: Boxed,
    left: u64,
}

/// Calls on `at_once` keys at a time, each as likely. The calls on a key come
/// from the generator that `make` makes for its number, and are at most
/// `calls_per_key`; then a fresh key takes its place. Keys are numbered from 0,
/// and `"0"` is the call's key.
///
/// It never ends by itself; a generator of `make` that has no call at all would
/// keep it busy for ever.
pub fn independent<F>(rng: Rng, at_once: usize, calls_per_key: u64, make: F) -> Independent<F>
where
    F: FnMut(u64) -> Boxed + Send,
{
    assert!(at_once > 0 && calls_per_key > 0, "no call can be made on no key");
    let (live, skew) = (Vec::new(), 0.0);
    let mut keys = Independent { rng, make, calls_per_key, skew, live, fresh: 0, turn: None };
    keys.live = (0..at_once).map(|_| keys.fresh_key()).collect();
    keys
}

impl<F: FnMut(u64) -> Boxed + Send> Independent<F> {
    /// Makes some places hotter than others: the k-th gets `1 / k^exponent` of the first one's calls (Zipf).
    pub fn skewed(mut self, exponent: f64) -> Self {
        self.skew = exponent;
        self
    }

    fn fresh_key(&mut self) -> Key {
        let number = self.fresh;
        self.fresh += 1;
        let generator = (self.make)(number);
        Key { name: number.to_string().into(), generator, left: self.calls_per_key }
    }
}

impl<F: FnMut(u64) -> Boxed + Send> Generator for Independent<F> {
    fn next(&mut self, context: &Context) -> Next {
        loop {
            let turn = match self.turn {
                Some(turn) => turn,
                None => self.rng.zipf(self.live.len(), self.skew),
            };
            self.turn = Some(turn);
            let key = &mut self.live[turn];
            if key.left == 0 {
                self.live[turn] = self.fresh_key();
                continue;
            }
            match key.generator.next(context) {
                Next::Done => self.live[turn] = self.fresh_key(),
                Next::Wait(until) => return Next::Wait(until),
                Next::Call(process, call) => {
                    key.left -= 1;
                    self.turn = None;
                    return Next::Call(process, call.key(&*key.name));
                }
            }
        }
    }

    fn update(&mut self, context: &Context, event: &Event) {
        for key in &mut self.live {
            key.generator.update(context, event);
        }
    }
}
