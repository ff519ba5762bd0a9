//! The structures beneath the checkers, by themselves. They are nobody's to use but the checkers', so they
//! are taken from their files: to compile the whole library a second time, with its tests inside, takes minutes.

// What only other parts of the library need.
#[allow(dead_code, unused_imports, unreachable_pub)]
mod inner;

mod fan;
mod range_min;
mod window;
