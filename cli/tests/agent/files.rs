//! Files that are damaged, and a folder that is put back, under a daemon that is down by then.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tribunal_nemesis::agent::protocol::{Damage, Harm, Reply, Request};

use crate::process::{Agent, Piped, daemon, is_root};

/// A data folder, with a daemon that does nothing with it.
struct Scene {
    folder: TempDir,
    daemon: Piped,
}

impl Scene {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let daemon = daemon(Path::new("cat"), &[]);
        let scene = Self { folder, daemon };
        fs::create_dir_all(scene.data().join("wal")).unwrap();
        for (name, byte) in [("meta", 1), ("wal/1.log", 2), ("wal/2.log", 3), ("wal/3.tmp", 4)] {
            fs::write(scene.data().join(name), vec![byte; 10_000]).unwrap();
        }
        fs::write(scene.data().join("empty"), "").unwrap();
        scene
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn agent(&self) -> Agent {
        Agent::start(&self.folder.path().join("state"), 100, &[])
    }

    fn harm(&self, damage: Damage, files: &str, restore: bool) -> Harm {
        let (pid, at, files) = (Some(self.daemon.child.id()), self.data(), files.to_owned());
        Harm::Damage { pid, at, files, damage, seed: 5, restore }
    }

    fn content(&self) -> BTreeMap<&'static str, Vec<u8>> {
        let names = ["meta", "wal/1.log", "wal/2.log", "wal/3.tmp", "empty"];
        let read = |name| Some((name, fs::read(self.data().join(name)).ok()?));
        names.into_iter().filter_map(read).collect()
    }

    fn copies(&self) -> usize {
        let entries = fs::read_dir(self.folder.path().join("state")).unwrap().flatten();
        entries.filter(|it| it.file_name().to_string_lossy().starts_with("copies-")).count()
    }
}

const EVERY: [Damage; 4] = [Damage::Truncate, Damage::Flip { bits: 3 }, Damage::Lose, Damage::Swap];

pub fn damage_is_found_when_it_wakes_up() {
    for damage in EVERY {
        let mut scene = Scene::new();
        let mut agent = scene.agent();
        let before = scene.content();
        agent.inject(1, scene.harm(damage, "wal/*.log", false));
        assert!(!scene.daemon.child.wait().unwrap().success(), "it is killed first");
        let (observed, seen) = agent.observe(1);
        assert!(observed && seen.starts_with("wal/"), "{seen}");
        agent.heal(1);
        let after = scene.content();
        // What it found is what it finds: nothing heals, and nobody else is harmed.
        for name in ["meta", "wal/3.tmp", "empty"] {
            assert_eq!(before[name], after[name]);
        }
        let logs = ["wal/1.log", "wal/2.log"];
        let harmed: Vec<&str> =
            logs.into_iter().filter(|name| before.get(name) != after.get(name)).collect();
        assert_eq!(harmed.len(), if damage == Damage::Swap { 2 } else { 1 }, "{seen}");
        let (was, is) = (&before[harmed[0]], after.get(harmed[0]));
        match damage {
            Damage::Truncate => assert!(is.unwrap().len() < 10_000),
            Damage::Flip { .. } => {
                let bits = was.iter().zip(is.unwrap()).map(|(was, is)| (was ^ is).count_ones());
                assert_eq!(bits.sum::<u32>(), 3);
            }
            Damage::Lose => assert_eq!(is, None),
            Damage::Swap => {
                assert_eq!(
                    [&after[logs[0]], &after[logs[1]]],
                    [&before[logs[1]], &before[logs[0]]]
                );
            }
        }
        assert_eq!(scene.copies(), 0);
        println!("{seen}");
    }
    let scene = Scene::new();
    let mut agent = scene.agent();
    match agent.ask(Request::Inject { fault: 1, harm: scene.harm(Damage::Lose, "*.sst", false) }) {
        Reply::Failed { why } => assert!(why.ends_with("is `*.sst`"), "{why}"),
        other => panic!("{other:?}"),
    }
}

pub fn what_is_put_back_is_as_it_was() {
    for damage in EVERY {
        let scene = Scene::new();
        let mut agent = scene.agent();
        let before = scene.content();
        agent.inject(1, scene.harm(damage, "wal/*.log", true));
        assert_ne!(before, scene.content());
        assert!(agent.heal(1).contains("is as it was"));
        assert_eq!(before, scene.content());
        // A successor puts back what a killed agent kept.
        let scene = Scene::new();
        let mut agent = scene.agent();
        agent.inject(1, scene.harm(damage, "**/*", true));
        assert_ne!(before, scene.content());
        agent.kill_with_guard();
        drop(scene.agent());
        assert_eq!(before, scene.content());
        assert_eq!(scene.copies(), 0);
    }
    // A database that lives on what it found keeps it.
    let scene = Scene::new();
    let mut agent = scene.agent();
    agent.inject(1, scene.harm(Damage::Truncate, "meta", true));
    let harmed = scene.content();
    let database = fs::File::open(scene.data().join("wal/1.log")).unwrap();
    assert_eq!(agent.heal(1), "meta is left as it is: the database lives on it");
    drop(database);
    assert_eq!(harmed, scene.content());
    assert_eq!(scene.copies(), 0);
}

pub fn a_folder_is_put_back_as_it_was_before() {
    if !is_root() {
        return;
    }
    let mut scene = Scene::new();
    let mut agent = scene.agent();
    let before = scene.content();
    let harm = |scene: &Scene, after_ms| Harm::RollBack {
        pid: scene.daemon.child.id(),
        at: scene.data(),
        after_ms,
    };
    agent.inject(1, harm(&scene, 2000));
    assert_eq!(agent.observe(1), (false, "a copy of 5 files was taken".to_owned()));
    assert!(scene.daemon.child.try_wait().unwrap().is_none(), "it goes on");
    fs::write(scene.data().join("meta"), "later").unwrap();
    fs::write(scene.data().join("new"), "later").unwrap();
    fs::remove_file(scene.data().join("wal/1.log")).unwrap();
    assert!(!scene.daemon.child.wait().unwrap().success(), "it is killed when the time has come");
    let seen = agent.heal(1);
    assert_eq!(seen, "put back after 2 s: 3 files had changed since");
    assert_eq!(before, scene.content());
    assert!(!scene.data().join("new").exists());
    assert_eq!(scene.copies(), 0);
    // Healed, or killed, before its time: nothing has happened, and the copy is gone.
    let mut scene = Scene::new();
    let mut agent = scene.agent();
    agent.inject(1, harm(&scene, 60_000));
    fs::write(scene.data().join("meta"), "later").unwrap();
    assert!(agent.heal(1).starts_with("healed before the copy was 60 s old"));
    agent.inject(2, harm(&scene, 60_000));
    agent.kill_with_guard();
    drop(scene.agent());
    assert!(scene.daemon.child.try_wait().unwrap().is_none());
    assert_eq!(scene.content()["meta"], b"later");
    assert_eq!(scene.copies(), 0);
}
