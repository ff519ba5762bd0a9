//! Control groups (cgroups, cgroups(7)) as one process sees them: which hierarchies are mounted,
//! of version 1 or 2, which group a process is in, and where a new one can be made for it.
//! It looks, and changes nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a group can do to its processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Controller {
    /// Stop them.
    Freezer,
    /// Give them so much time of the processors, and no more.
    Cpu,
    /// So much memory.
    Memory,
    /// So many processes and threads.
    Pids,
}

impl Controller {
    /// All that are of use here.
    pub const ALL: [Self; 4] = [Self::Freezer, Self::Cpu, Self::Memory, Self::Pids];

    /// As the kernel names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Freezer => "freezer",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Pids => "pids",
        }
    }
}

/// The two interfaces of control groups, which differ in their files and rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Version {
    /// A hierarchy for every controller, or a few.
    One,
    /// One hierarchy for all; groups that hold processes have no groups with controllers below.
    Two,
}

impl std::fmt::Display for Version {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::One => "1",
            Self::Two => "2",
        })
    }
}

/// A hierarchy that is mounted, and can be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    /// Which interface.
    pub version: Version,
    /// Where.
    pub mount: PathBuf,
    /// The group that is mounted there: `/` for all of it.
    root: PathBuf,
    /// Version 1: its controllers, and what else is said of it.
    options: Vec<String>,
}

impl Hierarchy {
    /// Every hierarchy of this process.
    pub fn all() -> io::Result<Vec<Self>> {
        Ok(mounted(&fs::read_to_string("/proc/self/mountinfo")?))
    }

    /// Whether it is version 1, and for this.
    pub fn is_for(&self, controller: Controller) -> bool {
        self.options.iter().any(|option| option == controller.name())
    }

    /// The folder of the group that a process is in (`self` for this one).
    pub fn group_of(&self, process: &str) -> Result<PathBuf, String> {
        let table = format!("/proc/{process}/cgroup");
        let text = fs::read_to_string(&table).map_err(|error| format!("{table}: {error}"))?;
        let path = self.path_in(&text).ok_or_else(|| format!("{table} does not name its group"))?;
        let below = path.strip_prefix(&self.root).map_err(|_| {
            format!(
                "its group {} is outside of what is mounted at {}",
                path.display(),
                self.mount.display()
            )
        })?;
        // Joined with nothing, a path would end in a slash.
        Ok(if below.as_os_str().is_empty() { self.mount.clone() } else { self.mount.join(below) })
    }

    /// The group's path by a table like `/proc/self/cgroup`.
    fn path_in<'t>(&self, table: &'t str) -> Option<&'t Path> {
        table.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
            let here = match self.version {
                Version::Two => number == "0",
                Version::One => {
                    let mut all = controllers.split(',').filter(|it| !it.is_empty()).peekable();
                    all.peek().is_some() && all.all(|it| self.options.iter().any(|has| has == it))
                }
            };
            here.then(|| Path::new(path))
        })
    }
}

/// The hierarchies of a table like `/proc/self/mountinfo`.
fn mounted(table: &str) -> Vec<Hierarchy> {
    table.lines().filter_map(hierarchy).collect()
}

fn hierarchy(line: &str) -> Option<Hierarchy> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(3);
    let (root, place, flags) = (fields.next()?, fields.next()?, fields.next()?);
    let mut filesystem = filesystem.split(' ');
    let version = match filesystem.next()? {
        "cgroup" => Version::One,
        "cgroup2" => Version::Two,
        _ => return None,
    };
    let options = match version {
        Version::One => filesystem.nth(1)?.split(',').map(str::to_owned).collect(),
        Version::Two => Vec::new(),
    };
    let writable = flags.split(',').any(|flag| flag == "rw");
    let [mount, root] = [place, root].map(|path| PathBuf::from(path.replace("\\040", " ")));
    writable.then_some(Hierarchy { version, mount, root, options })
}

/// Where a group can be made for a process: below `parent`, in the hierarchy of a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which interface its files are of.
    pub version: Version,
    /// The group that the process is in now.
    pub origin: PathBuf,
    /// The group to make one in.
    pub parent: PathBuf,
}

impl Place {
    /// Finds it; the error is a sentence about what lacks.
    pub fn find(controller: Controller, process: &str) -> Result<Self, String> {
        let all = Hierarchy::all().map_err(|error| format!("/proc/self/mountinfo: {error}"))?;
        let mut second = all.iter().filter(|it| it.version == Version::Two);
        let mut first = all.iter().filter(|it| it.is_for(controller));
        if controller == Controller::Freezer
            && let Some(hierarchy) = second.clone().next()
        {
            // Part of version 2 itself, in any group. A process that is frozen there can be killed.
            let origin = hierarchy.group_of(process)?;
            return Ok(Self { version: Version::Two, parent: origin.clone(), origin });
        }
        if let Some(hierarchy) = first.next() {
            let origin = hierarchy.group_of(process)?;
            return Ok(Self { version: Version::One, parent: origin.clone(), origin });
        }
        let Some(hierarchy) = second.next() else {
            return Err(format!(
                "no cgroup hierarchy with `{}` is mounted here that can be written to: \
                 mount -t cgroup2 none /sys/fs/cgroup, or start the container with --privileged",
                controller.name()
            ));
        };
        let origin = hierarchy.group_of(process)?;
        let giving = |group: &&Path| has(&group.join("cgroup.subtree_control"), controller);
        let above = origin.ancestors().take_while(|group| group.starts_with(&hierarchy.mount));
        let parent = above.clone().find(giving).map(Path::to_owned).ok_or_else(|| {
            format!(
                "cgroup version 2 gives `{}` to no group around {}: \
                 echo +{0} >{}/cgroup.subtree_control",
                controller.name(),
                origin.display(),
                hierarchy.mount.display()
            )
        })?;
        Ok(Self { version: Version::Two, origin, parent })
    }
}

/// Whether a list of controllers names this one.
pub fn has(list: &Path, controller: Controller) -> bool {
    let text = fs::read_to_string(list).unwrap_or_default();
    text.split_ascii_whitespace().any(|name| name == controller.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "\
        31 20 0:27 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755\n\
        32 31 0:28 /jobs/a /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n\
        33 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
        34 31 0:30 / /sys/fs/cgroup/pids ro,relatime - cgroup cgroup rw,pids\n\
        35 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 none rw,nsdelegate\n";

    #[test]
    fn hierarchies_are_those_that_can_be_written_to() {
        let all = mounted(FIRST);
        let mounts: Vec<_> = all.iter().map(|it| it.mount.to_str().unwrap()).collect();
        let below = ["memory", "cpu,cpuacct", "unified"].map(|it| format!("/sys/fs/cgroup/{it}"));
        assert_eq!(mounts, below);
        assert_eq!(all[0].version, Version::One);
        assert!(all[0].is_for(Controller::Memory) && !all[0].is_for(Controller::Cpu));
        assert!(all[1].is_for(Controller::Cpu));
        assert_eq!((all[2].version, all[2].options.len()), (Version::Two, 0));
    }

    #[test]
    fn a_process_group_is_found_in_its_own_hierarchy() {
        let table = "9:pids:/p\n8:memory:/jobs/a/b\n3:cpu,cpuacct:/c:d\n1:name=systemd:/s\n0::/u\n";
        let paths: Vec<_> = mounted(FIRST).iter().map(|it| it.path_in(table).unwrap()).collect();
        assert_eq!(paths, ["/jobs/a/b", "/c:d", "/u"].map(Path::new));
    }

    #[test]
    fn this_process_is_in_every_hierarchy_there_is() {
        for hierarchy in Hierarchy::all().unwrap() {
            if let Ok(group) = hierarchy.group_of("self") {
                let own = std::process::id().to_string();
                let listed = fs::read_to_string(group.join("cgroup.procs")).unwrap();
                assert!(listed.lines().any(|pid| pid == own), "{}", group.display());
            }
        }
    }
}
