//! What the filesystem costs where no rule is in force, beside a plain folder of the same disk. The figures of
//! docs/faults.md come from here; what is asserted is only that they are of the right order.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use crate::mounted::Mounted;

/// Small synced writes a second, small writes a second, and megabytes read a second that no cache has.
fn figures(folder: &Path) -> [f64; 3] {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(true);
    let file = file.open(folder.join("costs")).unwrap();
    let each = |count: u64, work: &mut dyn FnMut(u64)| {
        let begun = Instant::now();
        (0..count).for_each(work);
        count as f64 / begun.elapsed().as_secs_f64()
    };
    let synced = each(300, &mut |n| {
        file.write_all_at(&[1; 512], n * 512).unwrap();
        file.sync_data().unwrap();
    });
    let written = each(5000, &mut |n| file.write_all_at(&[1; 512], n * 512).unwrap());
    let mebibyte = vec![3; 1 << 20];
    (0..64).for_each(|n| file.write_all_at(&mebibyte, n << 20).unwrap());
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    drop(file);
    let file = File::open(folder.join("costs")).unwrap();
    let mut bytes = vec![0; 1 << 20];
    let read = each(64, &mut |n| file.read_exact_at(&mut bytes, n << 20).unwrap());
    std::fs::remove_file(folder.join("costs")).unwrap();
    [synced, written, read]
}

pub fn what_it_costs() {
    let Some(mounted) = Mounted::new() else { return };
    let plain = figures(&mounted.beside("plain"));
    let served = figures(&mounted.data());
    let loaded = std::fs::read_to_string("/proc/loadavg").unwrap();
    for (what, (plain, served)) in
        ["synced writes/s", "writes/s", "MiB/s read"].into_iter().zip(plain.into_iter().zip(served))
    {
        eprintln!("{what}: {plain:.0} plain, {served:.0} served; load {}", loaded.trim());
        assert!(served > 20.0, "{what}: {served}");
    }
}
