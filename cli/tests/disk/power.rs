//! The power goes: what was written and not synced is torn or gone, and what was synced only by word, too.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tribunal_nemesis::disk::{Access, Harm, Line, Lost, Order, Reply, Request, Torn};

use crate::mounted::{Mounted, impose, lift, rule};

/// Writes 8 KiB of one number after the other over the same place, each time synced; says which is certain.
const VICTIM: &str = r#"
import os, time
f = os.open("file", os.O_RDWR | os.O_CREAT)
for n in range(1, 251):
    os.pwrite(f, bytes([n]) * 8192, 0)
    os.fsync(f)
    os.pwrite(1, b"%d\n" % n, 0)
    time.sleep(0.01)
"#;

/// Runs the victim until the power goes, and kills it as one who has lost it; what it was sure of.
fn crash(
    mounted: &Mounted,
    line: &mut Line,
    seed: u64,
    order: Order,
) -> Option<(u8, Option<Torn>, Lost)> {
    let said = mounted.beside("said").join("number");
    let said_by = OpenOptions::new().create(true).truncate(true).write(true).read(true).open(&said);
    let mut command = Command::new("python3");
    command.arg("-c").arg(VICTIM).current_dir(mounted.data());
    command.stdout(said_by.unwrap()).stderr(Stdio::null());
    let mut victim = match command.spawn() {
        Ok(victim) => victim,
        Err(error) => {
            crate::runner::skip(format!("python3 cannot be run: {error}"));
            return None;
        }
    };
    let certain = || {
        std::fs::read_to_string(&said).unwrap().lines().next().map_or(0, |it| it.parse().unwrap())
    };
    while certain() < 3 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let Reply::Cut { torn } = line.ask(&Request::Cut { seed, patience_ms: 3000 }).unwrap() else {
        panic!()
    };
    kill_process(Pid::from_child(&victim), Signal::KILL).unwrap();
    assert_eq!(line.ask(&Request::Release).unwrap(), Reply::Done);
    victim.wait().unwrap();
    let certain = certain();
    let Reply::Lost(lost) = line.ask(&Request::Lose { seed, order }).unwrap() else { panic!() };
    Some((certain, torn, lost))
}

pub fn a_write_is_torn_where_the_power_goes() {
    let Some(mounted) = Mounted::new() else { return };
    let mut line = mounted.line();
    for seed in 1..4 {
        let _ = std::fs::remove_file(mounted.data().join("file"));
        impose(&mut line, rule(&[Access::Sync], Harm::Volatile { lie: false }));
        // Nothing more is lost than the write in flight.
        let Some((certain, torn, _)) = crash(&mounted, &mut line, seed, Order::Kept) else {
            return;
        };
        let torn = torn.expect("it was writing all the time");
        assert_eq!(torn.sectors, 16);
        assert!((1..16).contains(&torn.written));
        let content = std::fs::read(mounted.data().join("file")).unwrap();
        let (new, old) = content.split_at(torn.written as usize * 512);
        assert!(new.iter().all(|&byte| byte == certain + 1), "{certain} {new:?}");
        assert!(old.iter().all(|&byte| byte == certain), "{certain} {old:?}");
        assert_eq!(content.len(), 8192);
        lift(&mut line);
        // The disk works again.
        std::fs::write(mounted.data().join("after"), "x").unwrap();
    }
}

pub fn what_a_lying_disk_had_synced_is_gone() {
    let Some(mounted) = Mounted::new() else { return };
    let mut line = mounted.line();
    let file = mounted.data().join("file");
    std::fs::write(&file, [200; 8192]).unwrap();
    std::fs::File::open(&file).unwrap().sync_all().unwrap();
    impose(&mut line, rule(&[Access::Sync], Harm::Volatile { lie: true }));
    let Some((certain, _, lost)) = crash(&mounted, &mut line, 1, Order::Lost) else { return };
    assert!(certain >= 3 && lost.unsynced >= 3 && lost.lost == lost.unsynced, "{certain} {lost:?}");
    // As it was before the disk began to lie: for who reads it here, and below.
    assert_eq!(std::fs::read(&file).unwrap(), [200; 8192]);
    assert_eq!(std::fs::read(mounted.below().join("file")).unwrap(), [200; 8192]);
    lift(&mut line);
}
