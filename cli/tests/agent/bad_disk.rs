//! Rules on the disk under a daemon, in a mount namespace that the test made: seen by the daemon itself.

use std::process::Command;

use tribunal_nemesis::agent::GROUND;
use tribunal_nemesis::agent::protocol::{Ground, Harm, Reply, Request};
use tribunal_nemesis::disk::{self, Access, Order, Rule};

use crate::disk::World;
use crate::process::{Agent, Piped, heal, wait_until};

/// Writes and syncs whenever it is told to, and says which error it got.
const VICTIM: &str = "import os, sys
file = os.open(sys.argv[1] + '/file', os.O_RDWR | os.O_CREAT)
for line in sys.stdin:
    try:
        os.pwrite(file, b'x' * 4096, 0); os.fsync(file); print(0, flush=True)
    except OSError as error: print(error.errno, flush=True)";

fn world() -> Option<World> {
    if let Err(why) = disk::available() {
        crate::runner::skip(why);
        return None;
    }
    World::new()
}

fn victim(world: &World) -> Piped {
    let mut command = Command::new("setsid");
    command.args(["nsenter", &world.enter, "python3", "-c", VICTIM]).arg(world.data());
    Piped::start(command).expect("python3")
}

fn said(victim: &mut Piped) -> i32 {
    victim.say("go");
    victim.hear().trim().parse().unwrap()
}

fn lay(agent: &mut Agent, world: &World) {
    let (at, tenant) = (world.data(), "a".to_owned());
    agent.inject(GROUND, Harm::Lay { ground: Ground::Fuse, at, tenant });
    assert!(world.is_laid());
}

fn failing_syncs(victim: &Piped) -> Harm {
    let (on, harm) = (vec![Access::Sync], disk::Harm::Fail { errno: libc::EIO });
    let rule = Rule { seed: 1, on, files: None, share: 1.0, harm };
    Harm::BadDisk { pid: victim.child.id(), rule, order: Order::Kept }
}

fn refused(agent: &mut Agent, harm: Harm) -> String {
    match agent.ask(Request::Inject { fault: 9, harm }) {
        Reply::Failed { why } => why,
        other => panic!("{other:?}"),
    }
}

pub fn a_daemons_syncs_fail_until_it_is_healed() {
    let Some(world) = world() else { return };
    let mut agent = world.agent("a", 10);
    std::fs::create_dir_all(world.data()).unwrap();
    let mut early = victim(&world);
    assert_eq!(said(&mut early), 0);
    let why = refused(&mut agent, failing_syncs(&early));
    assert!(why.contains("use this fault in a run"), "{why}");
    lay(&mut agent, &world);
    let mut victim = victim(&world);
    assert_eq!(said(&mut victim), 0);
    agent.inject(1, failing_syncs(&victim));
    let (observed, seen) = agent.observe(1);
    assert!(observed, "{seen}");
    assert!(seen.starts_with("sync 1 of the agent's own failed: Input/output error"), "{seen}");
    assert_eq!(said(&mut victim), libc::EIO);
    assert_eq!(agent.heal(1), "1 of 1 operations of the database harmed");
    assert_eq!(said(&mut victim), 0);
    // The rule ends with its agent; the ground does not.
    agent.inject(2, failing_syncs(&victim));
    drop(agent);
    let mut agent = world.agent("a", 10);
    assert_eq!(said(&mut victim), 0);
    assert!(world.is_laid());
    // Whoever still uses the ground when it is lifted is killed; its files are there.
    agent.heal(GROUND);
    assert!(!victim.child.wait().unwrap().success());
    world.assert_clean();
    let content = std::fs::read(world.inside(&world.data().join("file"))).unwrap();
    assert_eq!(content, [b'x'; 4096]);
}

pub fn a_dead_server_gives_the_folder_back() {
    let Some(world) = world() else { return };
    let mut agent = world.agent("a", 100);
    lay(&mut agent, &world);
    let mut user = victim(&world);
    assert_eq!(said(&mut user), 0);
    agent.inject(1, failing_syncs(&user));
    let server = std::fs::read_to_string(world.state().join("ground/server")).unwrap();
    let server: serde_json::Value = serde_json::from_str(&server).unwrap();
    let server = rustix::process::Pid::from_raw(server["leader"].as_i64().unwrap() as i32);
    rustix::process::kill_process(server.unwrap(), rustix::process::Signal::KILL).unwrap();
    assert_ne!(said(&mut user), 0, "nothing behind it any more");
    let told = agent.heal(1);
    assert!(told.contains("has no server any more"), "{told}");
    assert!(!user.child.wait().unwrap().success(), "what it has open is gone for good");
    let mut user = victim(&world);
    assert_eq!(said(&mut user), 0);
    let why = refused(&mut agent, failing_syncs(&user));
    assert!(why.contains("has no server any more"), "{why}");
    agent.heal(GROUND);
    world.assert_clean();
    // Agent and guard killed, with a rule in force.
    let mut agent = world.agent("a", 100);
    lay(&mut agent, &world);
    let mut user = victim(&world);
    assert_eq!(said(&mut user), 0);
    agent.inject(1, failing_syncs(&user));
    agent.kill_with_guard();
    assert!(world.is_laid());
    let healed = heal(&world.state(), &["nsenter", &world.enter]);
    assert!(healed.contains("undone: a disk of ours under "), "{healed}");
    world.assert_clean();
    // Agent killed, and no successor in sight: its guard.
    let mut agent = world.agent("a", 3);
    lay(&mut agent, &world);
    let mut user = victim(&world);
    assert_eq!(said(&mut user), 0);
    agent.inject(1, failing_syncs(&user));
    drop(agent);
    assert!(!user.child.wait().unwrap().success());
    wait_until("the guard lifts it", || !world.is_laid());
}
