//! Reads the wall clock for each line on its standard input.

use std::time::SystemTime;

fn main() {
    for _ in std::io::stdin().lines() {
        let now = SystemTime::UNIX_EPOCH.elapsed().expect("the clock is past 1970");
        println!("{}.{:09}", now.as_secs(), now.subsec_nanos());
    }
}
