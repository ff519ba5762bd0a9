//! What a daemon's processes read as their time, told from their memory: the patch in each vDSO
//! says how far it moves the clock. Nobody is stopped for it, unlike for a [`Reading`], so it can
//! be asked again and again while the database is under load.
//!
//! [`Reading`]: super::Reading

use std::io;

use super::super::processes::Session;
use super::vdso::Vdso;
use super::{find, hook, machine_clock};

/// How often a setting that moves under the look is looked at again.
const TRIES: usize = 4;

/// The node's clock, and the least and the most that a process of the daemon `pid` is ahead of it.
pub fn shown(pid: Option<u32>) -> (i64, Option<(i64, i64)>) {
    let slots = pid.and_then(|pid| slots(pid).ok());
    let now = machine_clock();
    let ahead = slots.and_then(|slots| {
        let ahead = slots.into_iter().map(|slot| hook::ahead_at(slot, now));
        ahead
            .map(|ahead| (ahead, ahead))
            .reduce(|(least, most), (one, _)| (least.min(one), most.max(one)))
    });
    (now, ahead)
}

/// The setting of every process of the daemon's session.
fn slots(pid: u32) -> io::Result<Vec<[u8; hook::SLOT]>> {
    let session = Session::led_by(pid)?;
    let mut slots = Vec::new();
    for process in session.processes()? {
        match slot(process.pid) {
            Ok(slot) => slots.push(slot),
            // One that ended meanwhile has no clock.
            Err(_) if super::super::processes::process(process.pid).is_none() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(slots)
}

/// The setting of one process; of one that was never patched, that of the machine's clock.
fn slot(pid: i32) -> io::Result<[u8; hook::SLOT]> {
    for _ in 0..TRIES {
        let vdso = Vdso::of(pid)?;
        let Some(block) = find(&vdso) else { return Ok([0; hook::SLOT]) };
        let index = vdso.image[block + hook::INDEX];
        let at = block + hook::SLOTS + hook::SLOT * usize::from(index & 1);
        let slot = vdso.image[at..at + hook::SLOT].try_into().expect("a slot's size");
        // The slot that an index names is filled anew only after the index has moved.
        let mut after = [0];
        vdso.read(&mut after, vdso.base + (block + hook::INDEX) as u64)?;
        if after[0] == index {
            return Ok(slot);
        }
    }
    Err(io::Error::other("its clock is set faster than it can be looked at"))
}
