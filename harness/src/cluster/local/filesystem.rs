//! What a node sees of this machine's files: an overlay of all of it, so that
//! whatever is installed here is installed there, and whatever is written there
//! stays there.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change,
    mount_remount, unmount,
};

const OVERLAY: &str = "xino=off,redirect_dir=off,index=off";
const NO_PROGRAMS: MountFlags =
    MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOEXEC);

/// The kernel's settings that no namespace separates. A node may read them.
const SHARED_SETTINGS: [&str; 5] =
    ["proc/sys/kernel", "proc/sys/vm", "proc/sys/fs", "proc/sysrq-trigger", "proc/irq"];

/// The character devices of a node: name, major, minor.
const DEVICES: [(&str, u32, u32); 8] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
    ("fuse", 10, 229),
    ("net/tun", 10, 200),
];

/// Mounts the node's root at `directory`/merged; `hidden` (other clusters' keys
/// and files) is empty in there. The mount namespace must be the node's own.
pub(super) fn build(directory: &Path, hidden: &Path) -> Result<PathBuf, String> {
    make_private()?;
    let root = directory.join("merged");
    overlay_all(directory, &root)?;
    mount_kernel_filesystems(&root)?;
    mount_private_directories(directory, &root, hidden)?;
    devices(&root)?;
    Ok(root)
}

/// Mounts the overlay of `/` in `directory` and nothing else: whether it can be done.
pub(super) fn try_overlay(directory: &Path) -> Result<(), String> {
    make_private()?;
    overlay(Path::new("/"), directory, &directory.join("merged"))
}

/// From here on no mount reaches the namespace that this one was copied from.
fn make_private() -> Result<(), String> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(|error| format!("cannot make / private: {error}"))
}

/// Makes `root` this process' whole world.
pub(super) fn enter(root: &Path) -> Result<(), String> {
    let pivot = || -> rustix::io::Result<()> {
        rustix::process::chdir(root)?;
        // With both arguments the same, the old root ends up on top of the new one.
        rustix::process::pivot_root(".", ".")?;
        unmount(".", UnmountFlags::DETACH)?;
        rustix::process::chdir("/")
    };
    pivot().map_err(|error| format!("cannot enter {}: {error}", root.display()))
}

/// The overlay of `/`, and one more for each further disk filesystem below it:
/// submounts do not come along by themselves.
fn overlay_all(directory: &Path, root: &Path) -> Result<(), String> {
    overlay(Path::new("/"), directory, root)?;
    let table = fs::read_to_string("/proc/self/mountinfo").map_err(|error| error.to_string())?;
    for (number, place) in disk_mounts(&table).into_iter().enumerate() {
        let target = root.join(place.strip_prefix("/").unwrap_or(&place));
        if place.is_dir() && target.is_dir() {
            let layer = directory.join(format!("disk{number}"));
            for part in ["upper", "work"] {
                fs::create_dir_all(layer.join(part)).map_err(|error| error.to_string())?;
            }
            overlay(&place, &layer, &target)?;
        }
    }
    Ok(())
}

fn overlay(lower: &Path, layer: &Path, target: &Path) -> Result<(), String> {
    // Relative to the layer, since a path in the options may hold no comma or colon.
    rustix::process::chdir(layer).map_err(|error| format!("{}: {error}", layer.display()))?;
    let options = format!("lowerdir={},upperdir=upper,workdir=work,{OVERLAY}", lower.display());
    let options = CString::new(options).map_err(|error| error.to_string())?;
    mount("tribunal", target, "overlay", MountFlags::empty(), options.as_c_str()).map_err(|error| {
        format!("cannot mount an overlay of {} in {}: {error}", lower.display(), layer.display())
    })
}

/// The mount points of disk filesystems in a mountinfo table, but for `/` and
/// for places of which a node has its own.
fn disk_mounts(table: &str) -> Vec<PathBuf> {
    const DISK: [&str; 8] = ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs"];
    const OWN: [&str; 8] = ["/proc", "/sys", "/dev", "/run", "/tmp", "/root", "/boot", "/mnt"];
    let place = |line: &str| {
        let (mount, filesystem) = line.split_once(" - ")?;
        let place = mount.split(' ').nth(4)?.replace("\\040", " ");
        let wanted = DISK.contains(&filesystem.split(' ').next()?)
            && place != "/"
            && !place.contains([',', ':', '\\'])
            && !OWN.iter().any(|own| Path::new(&place).starts_with(own));
        wanted.then(|| PathBuf::from(place))
    };
    table.lines().filter_map(place).collect()
}

fn mount_kernel_filesystems(root: &Path) -> Result<(), String> {
    let at = |place: &str| root.join(place);
    new_mount("proc", &at("proc"), NO_PROGRAMS, c"")?;
    new_mount("sysfs", &at("sys"), NO_PROGRAMS | MountFlags::RDONLY, c"")?;
    for place in SHARED_SETTINGS {
        let place = at(place);
        if place.exists() {
            let sealed = mount_bind(&place, &place).and_then(|()| {
                mount_remount(&place, MountFlags::BIND | MountFlags::RDONLY | NO_PROGRAMS, c"")
            });
            sealed.map_err(|error| format!("cannot seal {}: {error}", place.display()))?;
        }
    }
    Ok(())
}

fn mount_private_directories(directory: &Path, root: &Path, hidden: &Path) -> Result<(), String> {
    let at = |place: &str| root.join(place);
    new_mount("tmpfs", &at("run"), MountFlags::NOSUID | MountFlags::NODEV, c"mode=755,size=64m")?;
    folder(&at("run/lock"), 0o1777)?;
    // A clean home: a line in somebody's .bashrc is paid for at every ssh command.
    for (mine, place, mode) in [("tmp", "tmp", 0o1777), ("home", "root", 0o700)] {
        let mine = directory.join(mine);
        folder(&mine, mode)?;
        mount_bind(&mine, at(place)).map_err(|error| format!("cannot mount /{place}: {error}"))?;
    }
    let hidden = root.join(hidden.strip_prefix("/").unwrap_or(hidden));
    if hidden.is_dir() {
        new_mount("tmpfs", &hidden, NO_PROGRAMS | MountFlags::RDONLY, c"mode=700,size=4k")?;
    }
    Ok(())
}

fn devices(root: &Path) -> Result<(), String> {
    let dev = root.join("dev");
    new_mount("tmpfs", &dev, MountFlags::NOSUID, c"mode=755,size=1m")?;
    for name in ["pts", "shm", "net"] {
        folder(&dev.join(name), 0o755)?;
    }
    new_mount(
        "devpts",
        &dev.join("pts"),
        MountFlags::NOSUID | MountFlags::NOEXEC,
        c"newinstance,ptmxmode=0666,mode=620,gid=5",
    )?;
    new_mount("tmpfs", &dev.join("shm"), MountFlags::NOSUID | MountFlags::NODEV, c"mode=1777")?;
    for (name, major, minor) in DEVICES {
        let path = dev.join(name);
        let mode = Mode::from_raw_mode(0o666);
        mknodat(CWD, &path, FileType::CharacterDevice, mode, makedev(major, minor))
            .map_err(|error| format!("cannot make /dev/{name}: {error}"))?;
        chmod(&path, 0o666)?;
    }
    for (name, target) in [
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        symlink(target, dev.join(name)).map_err(|error| format!("/dev/{name}: {error}"))?;
    }
    Ok(())
}

fn new_mount(kind: &str, target: &Path, flags: MountFlags, options: &CStr) -> Result<(), String> {
    mount(kind, target, kind, flags, options)
        .map_err(|error| format!("cannot mount {kind} at {}: {error}", target.display()))
}

/// A folder with exactly this mode, whatever the umask.
pub(super) fn folder(path: &Path, mode: u32) -> Result<(), String> {
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
    chmod(path, mode)
}

/// A file in place of whatever has its name, be it a link out of here.
pub(super) fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), String> {
    let removed = match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    removed
        .and_then(|()| fs::write(path, content))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    chmod(path, mode)
}

fn chmod(path: &Path, mode: u32) -> Result<(), String> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_disks_come_along_and_special_places_do_not() {
        let table = "\
            22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            23 22 8:2 / /usr rw,noatime shared:1 - xfs /dev/sda2 rw\n\
            24 22 0:5 / /proc rw - proc proc rw\n\
            25 22 8:3 / /opt/my\\040data rw - ext4 /dev/sdb1 rw\n\
            26 22 8:4 / /boot/efi rw - ext4 /dev/sdc1 rw\n\
            27 22 8:5 / /home rw - tmpfs tmpfs rw\n";
        assert_eq!(disk_mounts(table), [PathBuf::from("/usr"), PathBuf::from("/opt/my data")]);
    }
}
