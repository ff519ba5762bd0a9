//! What is mounted here, by `/proc/self/mountinfo`, and how it is unmounted although somebody
//! uses it.
//!
//! Nothing here looks at a file in a mount: a filesystem whose server has died, or that is
//! frozen, would hold whoever does.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use rustix::mount::UnmountFlags;
use rustix::process::{Pid, Signal, kill_process};

use crate::agent::processes;

/// How long the users of a mount get to die.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries.
const LOOK: Duration = Duration::from_millis(5);

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    id: String,
    /// Major and minor.
    pub device: (u32, u32),
    point: PathBuf,
    /// What filesystem it is of.
    pub kind: String,
}

/// The mount that one sees at a place: the last one there.
pub fn at(place: &Path) -> io::Result<Option<Mount>> {
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    Ok(table.lines().filter_map(parse).rfind(|mount| mount.point == place))
}

fn parse(line: &str) -> Option<Mount> {
    let mut fields = line.split(' ');
    let id = fields.next()?.to_owned();
    let device = device(fields.nth(1)?, 10)?;
    let point = PathBuf::from(OsStr::from_bytes(&unescape(fields.nth(1)?.as_bytes())));
    let kind = line.split_once(" - ")?.1.split(' ').next()?.to_owned();
    Some(Mount { id, device, point, kind })
}

/// Blanks, tabs, newlines and backslashes stand as three octal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let code = (*first == b'\\').then(|| tail.get(..3)).flatten();
        let code = code.and_then(|code| u8::from_str_radix(str::from_utf8(code).ok()?, 8).ok());
        plain.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[3..] } else { tail };
    }
    plain
}

/// Unmounts what is at a place. Whoever uses it is killed: who they were, in words.
pub fn unmount(place: &Path) -> io::Result<Vec<String>> {
    let deadline = Instant::now() + PATIENCE;
    let mut killed = Vec::new();
    while let Some(mount) = at(place)? {
        match rustix::mount::unmount(place, UnmountFlags::NOFOLLOW) {
            Ok(()) => return Ok(killed),
            Err(rustix::io::Errno::BUSY) if Instant::now() < deadline => {}
            Err(rustix::io::Errno::BUSY) => {
                let users: Vec<String> = users(&mount)?.into_iter().map(|it| it.1).collect();
                let text = format!("{} is still used by {}", place.display(), users.join(", "));
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
            }
            Err(error) => {
                let text = format!("{} is not unmounted: {error}", place.display());
                return Err(io::Error::new(io::Error::from(error).kind(), text));
            }
        }
        for (pid, name) in users(&mount)? {
            let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::KILL));
            if !killed.contains(&name) {
                killed.push(name);
            }
        }
        thread::sleep(LOOK);
    }
    Ok(killed)
}

/// Everybody but this process who has something of a mount open.
fn users(mount: &Mount) -> io::Result<Vec<(i32, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let pid = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
        let Some(pid) = pid.filter(|&pid| pid != std::process::id() as i32) else { continue };
        if uses(pid, mount) {
            let name = processes::process(pid).map(|it| it.name).unwrap_or_default();
            found.push((pid, format!("process {pid} ({name})")));
        }
    }
    Ok(found)
}

fn uses(pid: i32, mount: &Mount) -> bool {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    // By device, and not by name: the same name may mean another place to another process.
    let leads_there = |link: &str| {
        let asked = statx(CWD, proc.join(link), AtFlags::STATX_DONT_SYNC, StatxFlags::empty());
        asked.is_ok_and(|it| (it.stx_dev_major, it.stx_dev_minor) == mount.device)
    };
    ["cwd", "root", "exe"].into_iter().any(leads_there)
        || has_open(&proc.join("fdinfo"), mount)
        || has_mapped(&proc.join("maps"), mount)
}

fn has_open(fdinfo: &Path, mount: &Mount) -> bool {
    let of_mount = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let id = text.lines().find_map(|line| line.strip_prefix("mnt_id:"));
        id.is_some_and(|id| id.trim() == mount.id)
    };
    fs::read_dir(fdinfo).is_ok_and(|entries| entries.flatten().any(of_mount))
}

/// A mapping tells the filesystem's device, not the mount.
fn has_mapped(maps: &Path, mount: &Mount) -> bool {
    let text = fs::read(maps).unwrap_or_default();
    let mut lines = str::from_utf8(&text).unwrap_or_default().lines();
    lines.any(|line| {
        let field = line.split_ascii_whitespace().nth(3);
        field.and_then(|field| device(field, 16)) == Some(mount.device)
    })
}

/// A device's two numbers.
fn device(text: &str, base: u32) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    let number = |text: &str| u32::from_str_radix(text, base).ok();
    Some((number(major)?, number(minor)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_may_hold_a_blank() {
        let line = r"731 40 7:3 /data /var/lib/my\040db rw,relatime shared:9 - ext4 /dev/loop3 rw";
        let mount = Mount {
            id: "731".into(),
            device: (7, 3),
            point: "/var/lib/my db".into(),
            kind: "ext4".into(),
        };
        assert_eq!(parse(line), Some(mount));
        assert_eq!(unescape(br"a\134b\01"), br"a\b\01");
    }
}
