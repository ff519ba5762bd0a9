//! Writes a mebibyte with fsync and another one without, says so, and waits for its end.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("a folder"));
    let mebibyte = vec![7; 1 << 20];
    let mut synced = File::create(folder.join("synced")).unwrap();
    synced.write_all(&mebibyte).unwrap();
    synced.sync_all().unwrap();
    File::open(&folder).unwrap().sync_all().unwrap();
    // A file that is cut to nothing is written to the disk as soon as anybody closes it (ext4's
    // auto_da_alloc), so it must be a new one.
    let _ = std::fs::remove_file(folder.join("unsynced"));
    let mut unsynced = File::create(folder.join("unsynced")).unwrap();
    unsynced.write_all(&mebibyte).unwrap();
    println!("written");
    loop {
        std::thread::park();
    }
}
