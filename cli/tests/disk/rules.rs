//! What each rule does to a program that uses the disk, seen from inside it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use tribunal_nemesis::disk::{Access, Harm, PROBE, Reply, Request, Rule, Tally};

use crate::mounted::{Mounted, impose, lift, rule};

const EIO: Harm = Harm::Fail { errno: libc::EIO };

fn open(mounted: &Mounted, name: &str) -> File {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(mounted.data().join(name)).unwrap()
}

fn errno<T>(result: io::Result<T>) -> Option<i32> {
    result.err().and_then(|error| error.raw_os_error())
}

pub fn reads_fail_even_of_what_was_cached() {
    let Some(mounted) = Mounted::new() else { return };
    let (file, mut line) = (open(&mounted, "0.log"), mounted.line());
    file.write_all_at(&[7; 10_000], 0).unwrap();
    let other = open(&mounted, "other");
    other.write_all_at(b"as ever", 0).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 5000).unwrap();
    let files = Some("*.log".to_owned());
    impose(&mut line, Rule { files, ..rule(&[Access::Read], EIO) });
    assert_eq!(errno(file.read_exact_at(&mut byte, 5000)), Some(libc::EIO));
    // A mapping dies of it.
    let Some(output) = crate::mounted::python(
        "import mmap\nf = open('0.log', 'rb')\nmmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)[4096]",
        &mounted.data(),
    ) else {
        return;
    };
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert_eq!(signal, Some(libc::SIGBUS));
    // Files that the pattern does not name, and writes, go on.
    other.read_exact_at(&mut byte, 0).unwrap();
    file.write_all_at(b"x", 0).unwrap();
    let tally = lift(&mut line);
    assert!(tally.harmed >= 2 && tally.met == tally.harmed, "{tally:?}");
    file.read_exact_at(&mut byte, 5000).unwrap();
    assert_eq!(byte, [7]);
}

pub fn writes_fail_and_change_nothing() {
    let Some(mounted) = Mounted::new() else { return };
    let (file, mut line) = (open(&mounted, "file"), mounted.line());
    file.write_all_at(b"before", 0).unwrap();
    impose(&mut line, rule(&[Access::Write], EIO));
    assert_eq!(errno(file.write_all_at(b"after!", 0)), Some(libc::EIO));
    assert_eq!(std::fs::read(mounted.below().join("file")).unwrap(), b"before");
    // What was written into a mapping is refused on its way back, and the sync says so.
    let program = "import mmap, os\nf = open('file', 'r+b')\nm = mmap.mmap(f.fileno(), 6)\nm[0] = 65\n\
                   try: m.flush()\nexcept OSError as e: print(e.errno)";
    let Some(said) = mounted.python(program) else { return };
    assert_eq!(said, format!("{}\n", libc::EIO));
    assert_eq!(std::fs::read(mounted.below().join("file")).unwrap(), b"before");
    assert!(lift(&mut line).harmed >= 2);
    file.write_all_at(b"after!", 0).unwrap();
    assert_eq!(std::fs::read(mounted.below().join("file")).unwrap(), b"after!");
}

pub fn syncs_fail() {
    let Some(mounted) = Mounted::new() else { return };
    let (file, mut line) = (open(&mounted, "file"), mounted.line());
    let folder = File::open(mounted.data()).unwrap();
    impose(&mut line, rule(&[Access::Sync], EIO));
    file.write_all_at(b"written", 0).unwrap();
    assert_eq!(errno(file.sync_data()), Some(libc::EIO));
    assert_eq!(errno(file.sync_all()), Some(libc::EIO));
    assert_eq!(errno(folder.sync_all()), Some(libc::EIO));
    // A file that is synced with each write, too.
    let program = "import os\nf = os.open('d', os.O_WRONLY | os.O_CREAT | os.O_DSYNC)\n\
                   try: os.write(f, b'x')\nexcept OSError as e: print(e.errno)";
    let Some(said) = mounted.python(program) else { return };
    assert_eq!(said, format!("{}\n", libc::EIO));
    assert_eq!(lift(&mut line), Tally { met: 4, harmed: 4 });
    file.sync_all().unwrap();
    // A share of them: of a thousand, with this seed, always the same.
    let some = || {
        let mut line = mounted.line();
        impose(&mut line, Rule { share: 0.1, ..rule(&[Access::Sync], EIO) });
        let failed: Vec<usize> = (0..200).filter(|_| file.sync_data().is_err()).collect();
        lift(&mut line);
        failed
    };
    let failed = some();
    assert!((5..40).contains(&failed.len()), "{failed:?}");
    assert_eq!(some(), failed);
}

/// How many bits of two contents differ.
fn differ(one: &[u8], other: &[u8]) -> u32 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones()).sum()
}

pub fn bits_flip_on_the_way_to_the_reader() {
    let Some(mounted) = Mounted::new() else { return };
    let (mut line, content) = (mounted.line(), vec![0x5a; 1 << 20]);
    let path = mounted.data().join("file");
    std::fs::write(&path, &content).unwrap();
    impose(&mut line, rule(&[Access::Read], Harm::Flip));
    let flipped = differ(&std::fs::read(&path).unwrap(), &content);
    assert!(flipped > 0);
    assert_eq!(std::fs::read(mounted.below().join("file")).unwrap(), content);
    assert_eq!(lift(&mut line).harmed, u64::from(flipped));
    assert_eq!(std::fs::read(&path).unwrap(), content);
}

pub fn bits_flip_for_good() {
    let Some(mounted) = Mounted::new() else { return };
    let (mut line, content) = (mounted.line(), vec![0x5a; 8192]);
    let path = mounted.data().join("file");
    impose(&mut line, rule(&[Access::Write], Harm::Flip));
    std::fs::write(&path, &content).unwrap();
    // The page cache has what was written; the disk has not.
    assert_eq!(std::fs::read(&path).unwrap(), content);
    let below = std::fs::read(mounted.below().join("file")).unwrap();
    let flipped = differ(&below, &content);
    assert!(flipped > 0);
    assert_eq!(lift(&mut line).harmed, u64::from(flipped));
    assert_eq!(std::fs::read(&path).unwrap(), below, "whoever reads it from the disk sees it");
}

pub fn operations_are_late_by_as_much_as_asked() {
    let Some(mounted) = Mounted::new() else { return };
    let (file, mut line) = (open(&mounted, "file"), mounted.line());
    file.write_all_at(&[1; 64 << 10], 0).unwrap();
    let asked = Duration::from_millis(50);
    let slow = Harm::Slow { delay_ns: asked.as_nanos() as u64, jitter_ns: 0 };
    let mut byte = [0];
    // The best of a few: this machine may be busy with others.
    let mut late = |on: Access, work: &mut dyn FnMut()| {
        let seen = (0..8).map(|_| {
            impose(&mut line, rule(&[on], slow.clone()));
            let begun = Instant::now();
            work();
            let late = begun.elapsed();
            lift(&mut line);
            assert!(late >= asked, "{on:?}: {late:?}");
            late
        });
        let best = seen.min().unwrap();
        eprintln!("{on:?}: {best:?} for {asked:?}");
        assert!(best < asked * 12 / 10, "{on:?}: {best:?}");
    };
    late(Access::Write, &mut || file.write_all_at(b"x", 0).unwrap());
    late(Access::Sync, &mut || file.sync_data().unwrap());
    late(Access::Read, &mut || file.read_exact_at(&mut byte, 5000).unwrap());
    // Many at once are each as late as one, and nobody else waits for them.
    // Later than a busy machine makes anybody.
    let asked = asked * 10;
    let slow = Harm::Slow { delay_ns: asked.as_nanos() as u64, jitter_ns: 0 };
    let files: Vec<File> = (0..16).map(|number| open(&mounted, &number.to_string())).collect();
    impose(&mut line, rule(&[Access::Sync], slow));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for file in &files {
            scope.spawn(|| file.sync_data().unwrap());
        }
        let quick = Instant::now();
        std::fs::write(mounted.data().join("other"), "x").unwrap();
        assert!(quick.elapsed() < asked, "{:?}", quick.elapsed());
    });
    assert!(begun.elapsed() < asked * 8, "{:?}", begun.elapsed());
    assert_eq!(lift(&mut line).harmed, 16);
}

pub fn no_room_is_left() {
    let Some(mounted) = Mounted::new() else { return };
    let (file, mut line) = (open(&mounted, "file"), mounted.line());
    let full = Harm::Fail { errno: libc::ENOSPC };
    impose(&mut line, rule(&[Access::Write, Access::Allocate], full));
    assert_eq!(errno(file.write_all_at(b"x", 0)), Some(libc::ENOSPC));
    assert_eq!(errno(File::create(mounted.data().join("new"))), Some(libc::ENOSPC));
    assert_eq!(errno(std::fs::create_dir(mounted.data().join("folder"))), Some(libc::ENOSPC));
    // What is there can still be read, and removed.
    let mut text = String::new();
    File::open(mounted.data().join("file")).unwrap().read_to_string(&mut text).unwrap();
    std::fs::remove_file(mounted.data().join("file")).unwrap();
    assert_eq!(lift(&mut line).harmed, 3);
    File::create(mounted.data().join("new")).unwrap();
}

pub fn rules_end_with_who_imposed_them() {
    let Some(mounted) = Mounted::new() else { return };
    let (file, mut line) = (open(&mounted, "file"), mounted.line());
    impose(&mut line, rule(&[Access::Write], EIO));
    // An agent that looks sees the rule act, and changes no fate by it.
    let probe = OpenOptions::new().read(true).write(true).open(mounted.data().join(PROBE)).unwrap();
    assert_eq!(errno(probe.write_all_at(b"x", 0)), Some(libc::EIO));
    assert_eq!(line.ask(&Request::Look { fault: 1 }).unwrap(), Reply::Seen(Tally::default()));
    drop(line);
    let deadline = Instant::now() + Duration::from_secs(5);
    while file.write_all_at(b"x", 0).is_err() {
        assert!(Instant::now() < deadline, "the rule outlives its line");
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut line = mounted.line();
    let bad = Rule { files: Some("***".into()), ..rule(&[Access::Write], EIO) };
    let refused = line.ask(&Request::Impose { fault: 1, rule: bad }).unwrap_err().to_string();
    assert!(refused.starts_with("the pattern \"***\": "), "{refused}");
}
