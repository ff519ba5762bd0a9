//! A node's sshd: its settings, its start, and the moment it listens.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::filesystem::{folder, replace};

/// Where a node keeps what Tribunal's sshd reads.
const SETTINGS: &str = "/etc/ssh/tribunal";
const PID_FILE: &str = "tribunal-sshd.pid";

/// Settings without which hundreds of commands a second are refused or slow.
const CONFIG: &str = "\
Port 22
HostKey /etc/ssh/tribunal/host_key
AuthorizedKeysFile /etc/ssh/tribunal/authorized_keys
PidFile /run/tribunal-sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
X11Forwarding no
PrintMotd no
PrintLastLog no
MaxStartups 100:30:200
MaxSessions 1000
Subsystem sftp internal-sftp
";

/// The programs that may be called sshd.
pub(super) fn program() -> Option<PathBuf> {
    super::find_program("sshd")
}

/// Writes keys and settings into the node's root, from outside.
pub(super) fn configure(root: &Path, host_key: &[u8], user_key: &[u8]) -> Result<(), String> {
    let settings = root.join(&SETTINGS[1..]);
    folder(&settings, 0o700)?;
    let config = format!("{CONFIG}SetEnv PATH={} LANG=C.UTF-8\n", super::PATH);
    replace(&settings.join("host_key"), host_key, 0o600)?;
    replace(&settings.join("authorized_keys"), user_key, 0o600)?;
    replace(&settings.join("sshd_config"), config.as_bytes(), 0o600)?;
    // Where sshd separates its privileges.
    folder(&root.join("run/sshd"), 0o755)
}

/// Starts sshd in this (the node's own) root and waits until it listens.
pub(super) fn start() -> Result<Pid, String> {
    let program = program().ok_or("no sshd on the node")?;
    let _ = std::fs::remove_file(Path::new("/run").join(PID_FILE));
    // sshd writes its pid file right after it has begun to listen.
    let watch = watch(Path::new("/run")).map_err(|error| format!("cannot watch /run: {error}"))?;
    let log = File::options().create(true).append(true).open("/var/log/tribunal-sshd.log");
    let log = log.map_err(|error| format!("/var/log/tribunal-sshd.log: {error}"))?;
    let child = Command::new(program)
        .args(["-D", "-e", "-f"])
        .arg(format!("{SETTINGS}/sshd_config"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    let child = child.map_err(|error| format!("sshd: {error}"))?;
    let pid = Pid::from_child(&child);
    match await_listening(&watch, pid) {
        Ok(true) => Ok(pid),
        Ok(false) => Err(format!("sshd exited: {}", last_words())),
        Err(error) => Err(format!("sshd: {error}")),
    }
}

fn watch(folder: &Path) -> rustix::io::Result<rustix::fd::OwnedFd> {
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC)?;
    inotify::add_watch(&watch, folder, inotify::WatchFlags::CLOSE_WRITE)?;
    Ok(watch)
}

/// True when the pid file has been written, false when sshd has ended before.
fn await_listening(watch: &rustix::fd::OwnedFd, pid: Pid) -> rustix::io::Result<bool> {
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut written = inotify::Reader::new(watch, &mut buffer);
    loop {
        // One read brings several files, and of those that it brought poll says nothing.
        if written.is_buffer_empty() {
            let mut events =
                [PollFd::new(watch, PollFlags::IN), PollFd::new(&process, PollFlags::IN)];
            poll(&mut events, None)?;
            if !events[1].revents().is_empty() {
                return Ok(false);
            }
        }
        if written.next()?.file_name().is_some_and(|name| name.to_bytes() == PID_FILE.as_bytes()) {
            return Ok(true);
        }
    }
}

fn last_words() -> String {
    let log: io::Result<String> = std::fs::read_to_string("/var/log/tribunal-sshd.log");
    let log = log.unwrap_or_default();
    log.lines().rev().take(3).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_that_is_written_right_after_another_file_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let watch = watch(folder.path()).unwrap();
        for name in ["utmp", PID_FILE] {
            std::fs::write(folder.path().join(name), "7").unwrap();
        }
        // Who misses it hears of this one's end.
        let mut sshd = Command::new("sleep").arg("5").spawn().unwrap();
        let listens = await_listening(&watch, Pid::from_child(&sshd));
        sshd.kill().unwrap();
        sshd.wait().unwrap();
        assert_eq!(listens, Ok(true));
    }
}
