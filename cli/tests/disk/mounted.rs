//! A folder with the real server over it, as a child process of the test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use rustix::thread::UnshareFlags;
use tempfile::TempDir;
use tribunal_nemesis::disk::{Access, Harm, Line, Reply, Request, Rule, Tally};

/// From here on this process has mounts of its own: they end with it, however it ends.
pub fn keep_mounts_here() {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    // SAFETY: no other thread has begun, and nothing is shared that another one leans on.
    let alone = unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) };
    // Where it is forbidden nothing can be mounted, either, and every test says so.
    let _ = alone.and_then(|()| mount_change("/", private));
}

/// A folder that is served.
pub struct Mounted {
    place: TempDir,
    server: Child,
}

impl Mounted {
    /// Serves a new folder; `None`, with the reason told, where it cannot be done.
    pub fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            crate::runner::skip("only root may mount");
            return None;
        }
        if let Err(why) = tribunal_nemesis::disk::available() {
            crate::runner::skip(why);
            return None;
        }
        // On a disk, and not on a tmpfs, where there is one: it is a disk that is played here.
        let place = TempDir::new_in("/var/tmp").unwrap();
        std::fs::create_dir(place.path().join("data")).unwrap();
        std::fs::create_dir(place.path().join("below")).unwrap();
        let (data, below) = (place.path().join("data"), place.path().join("below"));
        rustix::mount::mount_bind(&data, &below).unwrap();
        let server = serve(&data, &place.path().join("socket"));
        Some(Self { place, server })
    }

    /// As the database sees it.
    pub fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    /// What is really there, past the server.
    pub fn below(&self) -> PathBuf {
        self.place.path().join("below")
    }

    /// A folder beside it, on the same disk.
    pub fn beside(&self, name: &str) -> PathBuf {
        let beside = self.place.path().join(name);
        std::fs::create_dir_all(&beside).unwrap();
        beside
    }

    /// A line to the server.
    pub fn line(&self) -> Line {
        Line::open(&self.place.path().join("socket")).unwrap()
    }

    /// SIGKILL to the server.
    pub fn kill_server(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Takes the mount away.
    pub fn uncover(&self) {
        unmount(self.data(), UnmountFlags::DETACH).unwrap();
    }

    /// Runs a program of Python's; what it printed.
    pub fn python(&self, program: &str) -> Option<String> {
        let output = python(program, &self.data())?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(String::from_utf8(output.stdout).unwrap())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = unmount(self.data(), UnmountFlags::DETACH);
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.server.try_wait().is_ok_and(|ended| ended.is_none()) {
            if Instant::now() > deadline {
                let _ = self.server.kill();
                let _ = self.server.wait();
                assert!(std::thread::panicking(), "the server outlives its mount");
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = unmount(self.below(), UnmountFlags::DETACH);
    }
}

/// Starts a server and waits until it serves.
pub fn serve(folder: &Path, socket: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
    command.arg("disk").arg(folder).arg(socket).stdout(Stdio::piped());
    let mut server = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    server
}

/// Runs a program in a folder; `None`, with the reason told, where there is no Python.
pub fn python(program: &str, folder: &Path) -> Option<Output> {
    let mut command = Command::new("python3");
    match command.arg("-c").arg(program).current_dir(folder).output() {
        Ok(output) => Some(output),
        Err(error) => {
            crate::runner::skip(format!("python3 cannot be run: {error}"));
            None
        }
    }
}

/// A rule about all of some operations.
pub fn rule(on: &[Access], harm: Harm) -> Rule {
    Rule { seed: 1, on: on.to_vec(), files: None, share: 1.0, harm }
}

pub fn impose(line: &mut Line, rule: Rule) {
    assert_eq!(line.ask(&Request::Impose { fault: 1, rule }).unwrap(), Reply::Done);
}

pub fn lift(line: &mut Line) -> Tally {
    match line.ask(&Request::Lift { fault: 1 }).unwrap() {
        Reply::Seen(tally) => tally,
        other => panic!("{other:?}"),
    }
}
