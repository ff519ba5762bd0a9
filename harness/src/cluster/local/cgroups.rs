//! The control groups of a node: one in every hierarchy that a fault may need, in which all its
//! processes live, and which look from within as if they were the machine's.
//!
//! They are planned with the cluster, so that its record knows them before they are there; the
//! node's first process makes and enters them; whoever takes the cluster down thaws and removes
//! them, with whatever groups an agent left within. A machine that has none to give is no
//! obstacle: the faults that need them say so when their time comes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Access, access};
use rustix::mount::{MountFlags, mount, mount_bind, mount_remount};
use rustix::thread::UnshareFlags;

use crate::cluster::cgroup::{Controller, Hierarchy, Version, has};

/// Where programs look for them.
const MOUNT: &str = "/sys/fs/cgroup";
/// The group below a node's own in which its processes live where a group with processes may have
/// no groups with controllers below (version 2).
const LEAF: &str = "processes";
/// How long a group that its last process has just left may still be busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a node's groups will be.
pub(super) fn plan(name: &str) -> Vec<PathBuf> {
    let all = Hierarchy::all().unwrap_or_default();
    all.iter().filter_map(|hierarchy| Some(parent(hierarchy)?.join(name))).collect()
}

/// The group to make a node's in: this process' own, so that whatever it is allowed holds for the
/// node, too. In version 2 the nearest that can give controllers.
fn parent(hierarchy: &Hierarchy) -> Option<PathBuf> {
    let own = hierarchy.group_of("self").ok()?;
    if hierarchy.version == Version::One {
        let wanted = |controller: &Controller| hierarchy.is_for(*controller);
        return Controller::ALL.iter().any(wanted).then_some(own);
    }
    let above = own.ancestors().take_while(|group| group.starts_with(&hierarchy.mount));
    let free: Vec<&Path> = above.filter(|group| may_give(group)).collect();
    let with_all = |list: &str| {
        let all = |group: &Path| LIMITS.iter().all(|&it| has(&group.join(list), it));
        free.iter().find(|group| all(group))
    };
    let nearest = with_all("cgroup.subtree_control").or_else(|| with_all("cgroup.controllers"));
    Some(nearest.or(free.first()).map_or(own.clone(), |group| group.to_path_buf()))
}

/// Version 2: whether a group may give controllers to those below. The first of all groups, which
/// has no type, may have processes of its own as well.
fn may_give(group: &Path) -> bool {
    let procs = fs::read_to_string(group.join("cgroup.procs"));
    !group.join("cgroup.type").exists() || procs.is_ok_and(|procs| procs.is_empty())
}

/// The controllers that version 2 gives to groups one by one; freezing is part of every group.
const LIMITS: [Controller; 3] = [Controller::Cpu, Controller::Memory, Controller::Pids];

/// What a node's groups would have here, and of which version.
pub(super) fn offered() -> Vec<(Controller, Option<Version>)> {
    let all: Vec<_> = Hierarchy::all()
        .unwrap_or_default()
        .into_iter()
        .filter_map(|hierarchy| Some((parent(&hierarchy)?, hierarchy)))
        .filter(|(parent, _)| access(parent.as_path(), Access::WRITE_OK).is_ok())
        .collect();
    let offer = |controller: Controller| {
        let offers = |(parent, hierarchy): &(PathBuf, Hierarchy)| {
            let gives = |list: &str| has(&parent.join(list), controller);
            match hierarchy.version {
                Version::One => hierarchy.is_for(controller),
                Version::Two => {
                    controller == Controller::Freezer
                        || gives("cgroup.subtree_control")
                        || gives("cgroup.controllers") && may_give(parent)
                }
            }
        };
        let versions = all.iter().filter(|it| offers(it)).map(|(_, hierarchy)| hierarchy.version);
        // The second one's freezer is preferred; everything else is in one version only.
        versions.max_by_key(|version| *version == Version::Two)
    };
    Controller::ALL.map(|controller| (controller, offer(controller))).into()
}

/// Makes this process' groups, enters them, and takes them for all there is. What cannot be had
/// comes back as a sentence.
pub(super) fn enter(groups: &[PathBuf]) -> Vec<String> {
    let mut lacking = Vec::new();
    for group in groups {
        let entered = fs::create_dir_all(group).and_then(|()| join(group));
        lacking.extend(entered.err().map(|error| format!("{}: {error}", group.display())));
    }
    // SAFETY: no file descriptors are unshared, and this process has one thread.
    let unshared = unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWCGROUP) };
    lacking.extend(unshared.err().map(|error| format!("no cgroup namespace: {error}")));
    for group in groups.iter().filter(|group| group.join("cgroup.controllers").exists()) {
        lacking.extend(give(group).err().map(|error| format!("{}: {error}", group.display())));
    }
    lacking
}

fn join(group: &Path) -> io::Result<()> {
    fs::write(group.join("cgroup.procs"), "0")
}

/// Version 2: lets a group have groups below with controllers of their own.
fn give(group: &Path) -> io::Result<()> {
    let leaf = group.join(LEAF);
    fs::create_dir_all(&leaf)?;
    join(&leaf)?;
    for controller in LIMITS {
        for above in [group.parent().unwrap_or(group), group] {
            // What it does not have (a hierarchy of version 1 has it) it cannot give.
            if has(&above.join("cgroup.controllers"), controller) {
                let name = format!("+{}", controller.name());
                fs::write(above.join("cgroup.subtree_control"), name)?;
            }
        }
    }
    Ok(())
}

/// Shows a node its own groups where the machine's would be, in the root that is built for it.
pub(super) fn show(groups: &[PathBuf], root: &Path) -> Result<(), String> {
    let below = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
    let failed = |place: &Path, error: rustix::io::Errno| {
        format!("cannot mount control groups at {}: {error}", place.display())
    };
    let all = Hierarchy::all().map_err(|error| format!("/proc/self/mountinfo: {error}"))?;
    let shown: Vec<_> = groups
        .iter()
        .filter(|group| group.is_dir())
        .filter_map(|group| {
            Some((group, &all.iter().find(|it| group.starts_with(&it.mount))?.mount))
        })
        .filter(|(_, mount)| mount.starts_with(MOUNT))
        .collect();
    let place = below(Path::new(MOUNT));
    if shown.is_empty() || !place.is_dir() {
        return Ok(());
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("tmpfs", &place, "tmpfs", flags, c"mode=755,size=64k")
        .map_err(|it| failed(&place, it))?;
    for (group, mount) in &shown {
        let place = below(mount);
        fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
        mount_bind(*group, &place).map_err(|it| failed(&place, it))?;
    }
    if shown.iter().any(|(_, mount)| mount.as_path() == Path::new(MOUNT)) {
        return Ok(());
    }
    let sealed = mount_remount(&place, MountFlags::BIND | MountFlags::RDONLY | flags, c"");
    sealed.map_err(|it| failed(&place, it))
}

/// Lets whatever is frozen in there go on: version 1 lets nobody end who is frozen.
pub(super) fn thaw(groups: &[PathBuf]) {
    for group in groups.iter().flat_map(|group| within(group)) {
        for (file, word) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")] {
            let file = group.join(file);
            if file.exists() {
                // What is not to be thawed is told by the process that does not end.
                let _ = fs::write(file, word);
            }
        }
    }
}

/// Removes them, once nobody is in there any more.
pub(super) fn remove(groups: &[PathBuf]) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    for group in groups.iter().flat_map(|group| within(group)) {
        loop {
            match fs::remove_dir(&group) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
                removed => {
                    removed.map_err(|error| format!("{}: {error}", group.display()))?;
                    break;
                }
            }
        }
    }
    Ok(())
}

/// A group and all below it, the innermost first.
fn within(group: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    let below = entries.filter(|entry| entry.file_type().is_ok_and(|it| it.is_dir()));
    let mut found: Vec<PathBuf> = below.flat_map(|entry| within(&entry.path())).collect();
    found.push(group.to_owned());
    found
}
