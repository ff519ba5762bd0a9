//! A disk that hangs: whoever writes waits, uninterruptible, until it goes on.
//!
//! A process that waits so cannot be killed, and holds everything it has open. So the agent itself
//! never writes to a disk that hangs; a [`touch`] of its own process does, with nothing in its hands.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tribunal_history::Effect;

use super::act::Act;
use super::ground::{self, Disk, Laid};
use super::journal::Undo;
use super::processes;

/// How long a write is watched: one that gets through is done by then.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// A disk that hangs.
pub struct Freeze {
    disk: PathBuf,
    /// A write, and when it began.
    probe: Option<(Child, Instant)>,
}

impl Freeze {
    /// The disk of this ground.
    pub fn of(laid: &Laid) -> Self {
        Self { disk: ground::disk_of(laid), probe: None }
    }
}

impl Act for Freeze {
    fn undo(&self) -> Undo {
        Undo::Thaw(self.disk.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        Disk::open(&self.disk)?.freeze()?;
        let mut command = Command::new("/proc/self/exe");
        command.args(["agent", "--touch"]).arg(self.disk.join("probe"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.probe = Some((command.spawn()?, Instant::now()));
        Ok(())
    }

    /// The probe waits for the disk, and is nowhere near an end.
    fn look(&mut self) -> io::Result<Effect> {
        let Some((child, began)) = &mut self.probe else { return Ok(Effect::default()) };
        let until = Instant::now() + PATIENCE;
        let mut hangs = false;
        while !hangs && child.try_wait()?.is_none() && Instant::now() < until {
            thread::sleep(LOOK);
            hangs = processes::thread_state(child.id() as i32) == Some('D');
        }
        // It must be seen to stay so.
        hangs = hangs && {
            thread::sleep(10 * LOOK);
            child.try_wait()?.is_none()
        };
        let after = began.elapsed().as_millis();
        let evidence = match hangs {
            true => format!("a write has not come back after {after} ms"),
            false => format!("a write does not hang ({after} ms)"),
        };
        Ok(Effect { observed: hangs, evidence: vec![evidence] })
    }
}

impl Drop for Freeze {
    /// The probe ends when the disk goes on, which is soon.
    fn drop(&mut self) {
        if let Some((mut child, _)) = self.probe.take() {
            thread::spawn(move || child.wait());
        }
    }
}

/// Lets a disk go on, and confirms it by a write.
pub fn thaw(disk: &Path) -> io::Result<Vec<String>> {
    match Disk::open(disk) {
        Ok(disk) => disk.thaw()?,
        // It was taken away, and what hung on it went on to its end.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    let began = Instant::now();
    // Beside the probe, which goes on as well.
    touch(&disk.join("thawed"))?;
    Ok(vec![format!("a write comes back after {:.1} ms", began.elapsed().as_secs_f64() * 1e3)])
}

/// What a probe does: writes a file to the disk's end, and removes it.
pub fn touch(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(b"here")?;
    file.sync_all()?;
    fs::remove_file(path)
}
