//! One harm on one node, at work, and the table of all: what an agent is asked for, as something
//! that can be done, looked at and undone.
//!
//! How an act is undone is known before it is done, and is no part of it: an
//! [`Undo`] is plain data, which a successor performs as well.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tribunal_history::Effect;

use super::damage::Kept;
use super::ground::{self, Laid};
use super::journal::Undo;
use super::protocol::Harm;
use super::{
    bad_disk, clock, cpu, cut, damage, file_limit, fill, freeze, freezer, host_clock, kill, memory,
    netem, pause, power, process_limit, rollback,
};

/// A harm that is about to be done, and then is held. What keeps it up (a thread, an open file)
/// ends when it is dropped.
pub(super) trait Act {
    /// What will take it back.
    fn undo(&self) -> Undo;
    /// Does it, and confirms it. On an error it is undone, so half of it may stay.
    fn perform(&mut self) -> io::Result<()>;
    /// Looks, from inside, whether it acts.
    fn look(&mut self) -> io::Result<Effect>;
    /// A last look, just before it is undone; for harms that count what they do.
    fn last_look(&mut self) -> Effect {
        Effect::default()
    }
}

/// Where an act is to be: the agent's folder, and the ground that it has laid.
pub(super) struct Place<'a> {
    pub directory: &'a Path,
    pub ground: Option<&'a Laid>,
}

impl Place<'_> {
    /// Where a fault keeps copies of files.
    fn copies(&self, fault: u64) -> PathBuf {
        self.directory.join(format!("copies-{fault}"))
    }

    /// The ground, without which there are no harms of disks.
    fn ground(&self) -> io::Result<Laid> {
        self.ground.cloned().ok_or_else(ground::missing)
    }
}

/// The act of a harm, on behalf of a fault. What is not there to be harmed is an error.
pub(super) fn of(fault: u64, harm: Harm, place: &Place<'_>) -> io::Result<Box<dyn Act>> {
    Ok(match harm {
        Harm::Cut { sources, ports } => Box::new(cut::Cut { fault, sources, ports }),
        Harm::Pause { pid } => Box::new(pause::Pause::of(pid)?),
        Harm::Kill { pid } => Box::new(kill::Kill::of(pid)?),
        Harm::Clock { pid, offset_ns, ppm, strobe_ms } => {
            Box::new(clock::Shift::of(pid, offset_ns, ppm, strobe_ms)?)
        }
        Harm::Links { links } => Box::new(netem::Netem::of(links)?),
        Harm::HostClock { controller, offset_ns, ppm, strobe_ms } => {
            let strobe = (strobe_ms > 0).then(|| Duration::from_millis(strobe_ms));
            let to = host_clock::Setting { offset_ns, ppm, strobe };
            Box::new(host_clock::HostClock::of(controller, to)?)
        }
        Harm::Freezer { pid } => Box::new(freezer::Freezer::of(fault, pid)?),
        Harm::CpuLimit { pid, part, core_ppm } => {
            Box::new(cpu::CpuLimit::of(fault, pid, part, core_ppm)?)
        }
        Harm::MemoryLimit { pid, room, limit } => {
            Box::new(memory::MemoryLimit::of(fault, pid, room, limit)?)
        }
        Harm::ProcessLimit { pid, room } => {
            Box::new(process_limit::ProcessLimit::of(fault, pid, room)?)
        }
        Harm::FileLimit { pid, room } => Box::new(file_limit::FileLimit::of(pid, room)?),
        Harm::Lay { ground, at, tenant } => {
            Box::new(ground::Lay::under(&at, ground, tenant, place.directory)?)
        }
        Harm::PowerOff { pid } => Box::new(power::PowerOff::of(pid, place.ground()?)?),
        Harm::BadDisk { pid, rule, order } => {
            Box::new(bad_disk::BadDisk::of(fault, pid, rule, order, place.ground()?)?)
        }
        Harm::Fill => Box::new(fill::Fill::of(fault, &place.ground()?)),
        Harm::Freeze => Box::new(freeze::Freeze::of(&place.ground()?)),
        Harm::Damage { pid, at, files, damage, seed, restore } => {
            let kept = Kept { at, copies: restore.then(|| place.copies(fault)) };
            Box::new(damage::Act::of(pid, kept, &files, damage, seed)?)
        }
        Harm::RollBack { pid, at, after_ms } => {
            Box::new(rollback::RollBack::of(pid, at, place.copies(fault), after_ms)?)
        }
    })
}
