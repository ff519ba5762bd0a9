//! Pauses, seen in /proc, and the three ways in which they end by themselves.

use std::path::Path;

use tempfile::TempDir;
use tribunal_nemesis::agent::protocol::{Harm, Reply, Request};

use crate::process::{Agent, Piped, compile, daemon, heal, states, wait_until};

/// A daemon of two processes and several spinning threads.
fn victim(folder: &TempDir) -> Option<Piped> {
    let mut victim = daemon(&compile("clocks.c", folder.path())?, &[]);
    // Its answer means that all of it is there.
    victim.say("now");
    victim.hear();
    Some(victim)
}

fn stopped(pid: u32) -> bool {
    states(pid).chars().all(|state| state == 'T')
}

pub fn no_thread_runs_until_it_is_healed() {
    let folder = TempDir::new().unwrap();
    let Some(mut victim) = victim(&folder) else { return };
    let pid = victim.child.id();
    let mut agent = Agent::start(&folder.path().join("state"), 10, &[]);
    agent.inject(0, Harm::Pause { pid });
    assert!(stopped(pid), "{}", states(pid));
    assert_eq!(agent.observe(0), (true, "5 of 5 threads stopped".to_owned()));
    assert_eq!(agent.heal(0), "5 of 5 threads go on");
    assert!(!stopped(pid));
    victim.say("now");
    assert!(!victim.hear().is_empty());
    // Once more is no error.
    assert_eq!(agent.heal(0), "");
    assert_eq!(agent.process.close(), Some(0));
}

/// Starts one process that leaves the session and its parent, and one that leaves the session and drops
/// the mark, as PostgreSQL under Patroni does; they say who they are.
const SCATTERED: &str = "export TRIBUNAL_DAEMON=$$
    setsid --fork sh -c 'echo $$; exec sleep 60'
    env -i setsid sh -c 'echo $$; exec sleep 60' &
    read -r line";

pub fn who_has_left_the_session_is_paused_and_killed_too() {
    let folder = TempDir::new().unwrap();
    let mut victim = daemon(Path::new("sh"), &["-c", SCATTERED]);
    let pid = victim.child.id();
    let scattered: [u32; 2] = [victim.hear(), victim.hear()].map(|it| it.trim().parse().unwrap());
    let mut agent = Agent::start(&folder.path().join("state"), 10, &[]);
    agent.inject(0, Harm::Pause { pid });
    for pid in scattered {
        assert!(stopped(pid), "{}", states(pid));
    }
    assert_eq!(agent.observe(0), (true, "3 of 3 threads stopped".to_owned()));
    assert_eq!(agent.heal(0), "3 of 3 threads go on");
    agent.inject(1, Harm::Kill { pid });
    for pid in scattered {
        // Until its end is seen, it is a zombie.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        assert!(stat.is_err() || stat.is_ok_and(|stat| stat.contains(") Z ")), "{pid} lives");
    }
    assert_eq!(agent.process.close(), Some(0));
}

pub fn a_daemon_that_is_gone_is_named() {
    let folder = TempDir::new().unwrap();
    let Some(victim) = victim(&folder) else { return };
    let pid = victim.child.id();
    drop(victim);
    let mut agent = Agent::start(&folder.path().join("state"), 10, &[]);
    let reply = agent.ask(Request::Inject { fault: 0, harm: Harm::Pause { pid } });
    assert_eq!(reply, Reply::Failed { why: format!("the daemon (pid {pid}) is gone") });
    let own = std::process::id();
    let reply = agent.ask(Request::Inject { fault: 1, harm: Harm::Pause { pid: own } });
    let Reply::Failed { why } = reply else { panic!("{reply:?}") };
    assert!(why.contains("leads no session"), "{why}");
}

pub fn a_lost_controller_ends_the_pause() {
    let folder = TempDir::new().unwrap();
    let Some(victim) = victim(&folder) else { return };
    let pid = victim.child.id();
    // Silent, but still there: the lease runs out.
    let mut agent = Agent::start(&folder.path().join("state"), 3, &[]);
    agent.inject(0, Harm::Pause { pid });
    wait_until("the lease ends the pause", || !stopped(pid));
    assert_eq!(agent.process.child.wait().unwrap().code(), Some(0));
    // Gone: its end of the pipe closes.
    let mut agent = Agent::start(&folder.path().join("state"), 100, &[]);
    agent.inject(0, Harm::Pause { pid });
    assert_eq!(agent.process.close(), Some(0));
    assert!(!stopped(pid));
}

pub fn a_killed_agent_is_undone_by_heal() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let Some(victim) = victim(&folder) else { return };
    let pid = victim.child.id();
    let mut agent = Agent::start(&state, 100, &[]);
    agent.inject(0, Harm::Pause { pid });
    agent.kill_with_guard();
    assert!(stopped(pid));
    let undone = format!("undone: a pause of the daemon (pid {pid})\n");
    assert_eq!(heal(&state, &[]), undone);
    assert!(!stopped(pid));
    assert_eq!(heal(&state, &[]), "");
}

pub fn a_second_agent_takes_the_node_over() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let Some(victim) = victim(&folder) else { return };
    let pid = victim.child.id();
    let mut first = Agent::start(&state, 100, &[]);
    first.inject(0, Harm::Pause { pid });
    let second = Agent::start(&state, 100, &[]);
    assert_eq!(second.undone, [] as [&str; 0], "the first one undid it before it left");
    assert!(!stopped(pid));
    assert_eq!(first.process.child.wait().unwrap().code(), Some(0));
}

/// Agent and controller are both gone; the agent's guard is not.
pub fn a_killed_agents_guard_undoes() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let Some(program) = compile("clocks.c", folder.path()) else { return };
    let mut victim = daemon(&program, &[]);
    victim.say("now");
    victim.hear();
    let pid = victim.child.id();
    let mut agent = Agent::start(&state, 100, &[]);
    agent.inject(0, Harm::Pause { pid });
    assert!(states(pid).chars().all(|state| state == 'T'));
    drop(agent); // kill -9
    wait_until("the victim goes on", || !states(pid).contains('T'));
    // Whoever comes next finds nothing to undo.
    wait_until("the journal is empty", || {
        std::fs::read_to_string(state.join("journal.jsonl")).is_ok_and(|text| text.is_empty())
    });
    assert_eq!(heal(&state, &[]), "");
}
