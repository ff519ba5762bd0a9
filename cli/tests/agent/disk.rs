//! Disks of our own under the data of a daemon, in a mount namespace that the test made.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tribunal_nemesis::agent::GROUND;
use tribunal_nemesis::agent::protocol::{Filesystem, Ground, Harm, Image, Reply, Request};

use crate::process::{Agent, Piped, compile, heal, is_root, states, wait_until};

/// A mount namespace, with a folder for everything.
pub struct World {
    /// Holds the namespace.
    holder: Child,
    folder: TempDir,
    pub enter: String,
    victim: PathBuf,
}

impl World {
    pub fn new() -> Option<Self> {
        if !is_root() {
            return None;
        }
        if !Path::new("/dev/loop-control").exists() {
            crate::runner::skip("this machine has no loop devices");
            return None;
        }
        let folder = TempDir::new().unwrap();
        let victim = compile("writer.rs", folder.path())?;
        let mut command = Command::new("unshare");
        // It ends with its standard input, whatever becomes of the test.
        command.args(["--mount", "--propagation", "private", "cat"]);
        let holder = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let own = std::fs::read_link("/proc/self/ns/mnt").unwrap();
        let of_holder = format!("/proc/{}/ns/mnt", holder.id());
        wait_until("the namespace is there", || {
            std::fs::read_link(&of_holder).is_ok_and(|namespace| namespace != own)
        });
        Some(Self { holder, folder, enter: format!("--mount={of_holder}"), victim })
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn agent(&self, tenant: &str, lease: u64) -> Agent {
        Agent::start_for(tenant, &self.state(), lease, &["nsenter", &self.enter])
    }

    /// Starts the victim, which has written both its files when this returns.
    fn victim(&self) -> Piped {
        let mut command = Command::new("setsid");
        command.args(["nsenter", &self.enter]).arg(&self.victim).arg(self.data());
        let mut victim = Piped::start(command).unwrap();
        assert_eq!(victim.hear(), "written\n");
        victim
    }

    /// A place as it is seen in the namespace.
    pub fn inside(&self, place: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(place.strip_prefix("/").unwrap())
    }

    pub fn is_laid(&self) -> bool {
        let mounts = std::fs::read_to_string(format!("/proc/{}/mountinfo", self.holder.id()));
        let folder = self.folder.path().to_str().unwrap();
        mounts.unwrap().contains(folder) || !attached(folder).is_empty()
    }

    pub fn assert_clean(&self) {
        assert!(!self.is_laid(), "a mount or a loop device is left");
        assert!(!self.state().join("ground").exists());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Of a test that failed: a frozen disk would stay for ever once its folder is gone.
        let disk = self.state().join("ground/disk");
        let mut thaw = Command::new("nsenter");
        thaw.arg(&self.enter).args(["fsfreeze", "-u"]).arg(disk).stderr(Stdio::null());
        let _ = thaw.status();
        self.holder.stdin.take();
        let _ = self.holder.wait();
    }
}

/// The loop devices whose content lies in a folder.
fn attached(folder: &str) -> String {
    let devices = std::fs::read_dir("/sys/block").unwrap().flatten();
    let file = |device: std::fs::DirEntry| {
        std::fs::read_to_string(device.path().join("loop/backing_file")).ok()
    };
    devices.filter_map(file).filter(|file| file.contains(folder)).collect()
}

fn lay(agent: &mut Agent, world: &World, tenant: &str) {
    lay_of(Filesystem::Ext4, agent, world, tenant);
}

fn lay_of(filesystem: Filesystem, agent: &mut Agent, world: &World, tenant: &str) {
    // Less is no xfs.
    let size_mb = if filesystem == Filesystem::Xfs { 320 } else { 64 };
    let ground = Ground::Image(Image { size_mb, filesystem });
    let (at, tenant) = (world.data(), tenant.to_owned());
    agent.inject(GROUND, Harm::Lay { ground, at, tenant });
    assert!(world.is_laid());
}

pub fn what_was_not_synced_is_gone_and_what_was_is_there() {
    lose_power_on(Filesystem::Ext4);
}

pub fn it_is_so_on_xfs() {
    let (program, package) = Filesystem::Xfs.maker();
    match tribunal_harness::cluster::local::find_program(program) {
        Some(_) => lose_power_on(Filesystem::Xfs),
        None => crate::runner::skip(format!("there is no {program}: apt-get install {package}")),
    }
}

fn lose_power_on(filesystem: Filesystem) {
    let Some(world) = World::new() else { return };
    let mut agent = world.agent("a", 10);
    let off = |pid| Harm::PowerOff { pid };
    match agent.ask(Request::Inject { fault: 0, harm: off(std::process::id()) }) {
        Reply::Failed { why } => assert!(why.contains("use this fault in a run"), "{why}"),
        other => panic!("{other:?}"),
    }
    lay_of(filesystem, &mut agent, &world, "a");
    assert_eq!(std::fs::read_dir(world.inside(&world.data())).unwrap().count(), 0);
    for fault in 1..=3 {
        let mut victim = world.victim();
        let size = |name: &str| {
            let path = world.inside(&world.data().join(name));
            std::fs::read(path).map_or(0, |content| content.iter().filter(|it| **it == 7).count())
        };
        assert_eq!([size("synced"), size("unsynced")], [1 << 20, 1 << 20]);
        agent.inject(fault, off(victim.child.id()));
        assert!(!victim.child.wait().unwrap().success(), "its power is off");
        let (observed, seen) = agent.observe(fault);
        assert_eq!(size("synced"), 1 << 20);
        assert!(size("unsynced") < 1 << 20, "{} bytes", size("unsynced"));
        assert!(
            observed && seen.starts_with("of 64 KiB written without fsync 0 are there"),
            "{seen}"
        );
        assert_eq!(agent.heal(fault), "");
        println!("{seen}");
    }
    agent.heal(GROUND);
    world.assert_clean();
}

pub fn a_successor_leaves_the_database_its_ground() {
    let Some(world) = World::new() else { return };
    let mut agent = world.agent("a", 10);
    lay(&mut agent, &world, "a");
    let mut victim = world.victim();
    // Killed; told to end, as by a successor; its input closed, as by a torn line.
    drop(agent);
    let agent = world.agent("a", 10);
    let agent = {
        let next = world.agent("a", 10);
        drop(agent);
        next
    };
    assert_eq!(agent.process.close(), Some(0));
    let mut agent = world.agent("a", 10);
    assert_eq!(agent.undone, [] as [&str; 0]);
    assert!(world.is_laid() && victim.child.try_wait().unwrap().is_none());
    assert_eq!(agent.ask(Request::HealAll), Reply::Left { left: Vec::new() });
    agent.inject(1, Harm::PowerOff { pid: victim.child.id() });
    assert!(agent.observe(1).0);
    // Another controller's agent wants the node as it was.
    let mut victim = world.victim();
    let other = world.agent("b", 10);
    assert_eq!(other.undone.len(), 1, "{:?}", other.undone);
    assert!(!victim.child.wait().unwrap().success(), "its ground is gone");
    world.assert_clean();
}

pub fn ground_that_nobody_comes_for_is_lifted() {
    let Some(world) = World::new() else { return };
    // The guard, when its agent is killed; the agent, when it hears nothing; `heal`, of both.
    let mut agent = world.agent("a", 3);
    lay(&mut agent, &world, "a");
    let mut victim = world.victim();
    drop(agent);
    assert!(!victim.child.wait().unwrap().success());
    wait_until("the guard lifts it", || !world.is_laid());
    let mut agent = world.agent("a", 3);
    lay(&mut agent, &world, "a");
    assert_eq!(agent.process.child.wait().unwrap().code(), Some(0));
    world.assert_clean();
    let mut agent = world.agent("a", 100);
    lay(&mut agent, &world, "a");
    agent.kill_with_guard();
    assert!(world.is_laid());
    let healed = heal(&world.state(), &["nsenter", &world.enter]);
    assert!(healed.starts_with("undone: a disk of ours under "), "{healed}");
    world.assert_clean();
}

/// Writes 64 KiB with fsync into a new file of the disk, as a database would; what it is told.
fn write(world: &World, name: &str) -> std::process::Output {
    let path = world.data().join(name);
    let mut command = Command::new("nsenter");
    command.arg(&world.enter).args(["dd", "if=/dev/zero", "bs=64k", "count=1", "conv=fsync"]);
    command.arg(format!("of={}", path.display())).output().unwrap()
}

pub fn a_full_disk_takes_no_byte() {
    let Some(world) = World::new() else { return };
    let mut agent = world.agent("a", 100);
    lay(&mut agent, &world, "a");
    assert!(write(&world, "before").status.success());
    agent.inject(1, Harm::Fill);
    let told = write(&world, "during");
    let said = String::from_utf8_lossy(&told.stderr);
    assert!(!told.status.success() && said.contains("No space left on device"), "{said}");
    let (observed, seen) = agent.observe(1);
    assert!(observed && seen.contains("No space left on device"), "{seen}");
    assert!(agent.heal(1).ends_with(" MiB are free again"));
    assert!(write(&world, "after").status.success());
    // A successor makes room, too, and the disk stays.
    agent.inject(2, Harm::Fill);
    assert!(!write(&world, "again").status.success());
    agent.kill_with_guard();
    let mut agent = world.agent("a", 100);
    assert_eq!(agent.undone.len(), 1, "{:?}", agent.undone);
    assert!(write(&world, "later").status.success());
    agent.heal(GROUND);
    world.assert_clean();
}

/// Writes in the world, and does not wait for its end.
fn writer(world: &World) -> Child {
    let mut command = Command::new("nsenter");
    command.arg(&world.enter).arg("touch").arg(world.data().join("touched"));
    command.stdin(Stdio::null()).spawn().unwrap()
}

pub fn a_hung_disk_holds_every_write_until_somebody_thaws_it() {
    let Some(world) = World::new() else { return };
    let mut agent = world.agent("a", 100);
    lay(&mut agent, &world, "a");
    agent.inject(1, Harm::Freeze);
    let mut hangs = writer(&world);
    wait_until("the write hangs", || states(hangs.id()) == "D");
    let (observed, seen) = agent.observe(1);
    assert!(observed && seen.starts_with("a write has not come back after "), "{seen}");
    assert!(hangs.try_wait().unwrap().is_none());
    let healed = agent.heal(1);
    assert!(healed.starts_with("a write comes back after "), "{healed}");
    assert!(hangs.wait().unwrap().success());
    assert_eq!(agent.heal(1), "", "undoing it twice does no harm");
    // The guard of a killed agent thaws it at once; the disk waits for a successor.
    agent.inject(2, Harm::Freeze);
    let mut hangs = writer(&world);
    wait_until("the write hangs", || states(hangs.id()) == "D");
    drop(agent);
    assert!(hangs.wait().unwrap().success(), "its guard thaws it");
    assert!(world.is_laid());
    // Nobody is left but `heal`.
    let mut agent = world.agent("a", 100);
    agent.inject(3, Harm::Freeze);
    let mut hangs = writer(&world);
    wait_until("the write hangs", || states(hangs.id()) == "D");
    agent.kill_with_guard();
    assert!(hangs.try_wait().unwrap().is_none());
    heal(&world.state(), &["nsenter", &world.enter]);
    assert!(hangs.wait().unwrap().success());
    world.assert_clean();
}
