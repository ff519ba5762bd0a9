//! Filesystems of a node that somebody froze, and did not live to thaw: what waits for one cannot be
//! killed, and so the node would never end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::ioctl::{Opcode, Setter, ioctl};

use crate::cluster::process::ProcessId;

/// linux/fs.h.
const FITHAW: Opcode = 0xc004_5878;
/// The major number of loop devices.
const LOOP: &str = "7:";

/// Thaws every disk in a file that a node has mounted. Nobody else's: the disks of this machine
/// are not mounted in a node, only overlays of them.
pub(super) fn thaw_all(init: ProcessId) {
    let process = PathBuf::from(format!("/proc/{}", init.pid));
    if !init.alive() {
        return;
    }
    let table = fs::read_to_string(process.join("mountinfo")).unwrap_or_default();
    for place in table.lines().filter_map(disk) {
        let root = process.join("root");
        if let Ok(folder) = File::open(root.join(place.strip_prefix("/").unwrap_or(&place))) {
            // SAFETY: the request takes a pointer to a number and ignores it.
            let thaw = || unsafe { ioctl(&folder, Setter::<FITHAW, u32>::new(0)) };
            // As often as it was frozen; an error says that it is not, or not any more.
            while thaw().is_ok() {}
        }
    }
}

/// Where a disk in a file is mounted, by a line of the table.
fn disk(line: &str) -> Option<PathBuf> {
    let mut fields = line.split(' ').skip(2);
    let (device, place) = (fields.next()?, fields.nth(1)?);
    let plain = device.starts_with(LOOP) && !place.contains('\\');
    plain.then(|| Path::new(place).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_disks_in_files_are_thawed() {
        let table = "22 1 0:40 / / rw - overlay tribunal rw\n23 22 8:1 / /boot rw - ext4 /dev/sda rw\n\
                     731 22 7:3 /data /var/lib/db rw,relatime - ext4 /dev/loop3 rw\n";
        let found: Vec<PathBuf> = table.lines().filter_map(disk).collect();
        assert_eq!(found, [PathBuf::from("/var/lib/db")]);
    }
}
