//! `tribunal cluster` from outside: what the nodes are, what they keep to
//! themselves, and that nothing is left of them.
//!
//! Every test has a state folder of its own, and looks for what is left by that
//! folder, by the namespaces' numbers and by the interface's alias, since other
//! clusters may come and go on the machine meanwhile. Without root, or on a
//! kernel that lacks something, the tests say so and are skipped.

mod cgroups;
mod hung;
mod ipv6;
mod links;
#[path = "../runner/mod.rs"]
mod runner;
mod scene;
mod traces;

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use scene::{Scene, text};
use traces::{Traces, assert_no_uplink, assert_nothing_names};
use tribunal_harness::cluster::local::ProcessId;
use tribunal_harness::cluster::{Node, Session, SessionError, SshOptions, hosts};

fn nodes_have_names_and_addresses_of_their_own_and_reach_each_other() {
    let Some(scene) = Scene::set() else { return };
    let said = scene.ok(&["cluster", "up", "--nodes", "3"]);
    assert!(said.starts_with("cluster c1: 3 nodes answer"), "{said}");
    let machine_ids: BTreeSet<String> = (1..=3)
        .map(|number| {
            let node = format!("n{number}");
            assert_eq!(scene.on(&node, "hostname"), node);
            scene.on(&node, "cat /etc/machine-id")
        })
        .collect();
    assert_eq!(machine_ids.len(), 3);
    // n1 reaches the others' sshd, by name, over TCP; and the controller does.
    for number in [2, 3] {
        let banner = format!("exec 3<>/dev/tcp/n{number}/22; read -r banner <&3; echo $banner");
        let banner = scene.ok(&["cluster", "exec", "c1", "n1", "--", "bash", "-c", &banner]);
        assert!(banner.starts_with("SSH-2.0-"), "{banner}");
    }
    let config = scene.directory("c1").join("ssh_config");
    let plain =
        Command::new("ssh").arg("-F").arg(config).args(["n2", "hostname"]).output().unwrap();
    assert_eq!(text(&plain.stdout).trim(), "n2", "{}", text(&plain.stderr));
    assert_eq!(
        scene.on("n3", "cat < /dev/null > /dev/tcp/nowhere || echo no bash tcp"),
        "no bash tcp"
    );
    let table = scene.ok(&["cluster", "ps"]);
    let line: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(line[..2], ["c1", "3/3"]);
    assert_eq!(line[3..5], ["kept", "up"]);
}

fn what_a_node_writes_stays_there_and_the_clock_is_out_of_its_reach() {
    let Some(scene) = Scene::set() else { return };
    scene.ok(&["cluster", "up", "--nodes", "2"]);
    let mark = format!("tribunal-test-{}", std::process::id());
    for place in ["/var/lib", "/tmp", "/root", "/etc", "/run", "/dev/shm"] {
        let file = format!("{place}/{mark}");
        scene.on("n1", &format!("echo mine > {file}"));
        assert_eq!(scene.on("n1", &format!("cat {file}")), "mine");
        assert_eq!(scene.on("n2", &format!("ls {file} 2>/dev/null || echo none")), "none");
        assert!(!Path::new(&file).exists(), "{file} is on this machine");
    }
    // Bits 25 (CAP_SYS_TIME) and 16 (CAP_SYS_MODULE), of every set of an ssh command.
    let status = scene.on("n1", "grep ^Cap /proc/self/status");
    for line in status.lines() {
        let set = u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap();
        assert_eq!(set & (1 << 25 | 1 << 16), 0, "{line}");
    }
    // Settings of the whole machine, and the keys of the cluster.
    let writable = "for f in /proc/sys/kernel/pid_max /proc/sysrq-trigger; do \
                    test ! -e $f || ! (: >> $f) 2>/dev/null || echo $f; done";
    assert_eq!(scene.on("n1", writable), "");
    let clusters = scene.state.path().join("clusters");
    assert_eq!(scene.on("n1", &format!("ls -A {}", clusters.display())), "");
}

fn two_clusters_stand_side_by_side_and_each_goes_without_a_trace() {
    let Some(scene) = Scene::set() else { return };
    let ups = ["left", "right"].map(|name| {
        scene
            .command(&["cluster", "up", name, "--nodes", "2"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    });
    for mut up in ups {
        assert!(up.wait().unwrap().success());
    }
    let (left, right) = (Traces::of(&scene, "left"), Traces::of(&scene, "right"));
    assert_ne!(left.record.subnet, right.record.subnet);
    assert!(left.namespaces.is_disjoint(&right.namespaces));
    assert_eq!(left.namespaces.len(), 2 * 5);
    let other = scene.record("right").nodes[0].ip;
    let unreachable = format!("cat < /dev/tcp/{other}/22");
    let output =
        scene.tribunal(&["cluster", "exec", "left", "n1", "--", "bash", "-c", &unreachable]);
    assert!(!output.status.success(), "the wires are one");

    let said = scene.fails(64, &["cluster", "exec", "n1", "--", "true"]);
    assert!(said.contains("left, right"), "{said}");
    assert_eq!(scene.ok(&["cluster", "down", "left"]), "cluster left is gone");
    left.assert_gone();
    assert_eq!(scene.ok(&["cluster", "exec", "right", "n2", "--", "hostname"]), "n2");
    assert_eq!(scene.ok(&["cluster", "down"]), "cluster right is gone");
    right.assert_gone();
    assert_eq!(scene.ok(&["cluster", "down"]), "there is no cluster");
    assert!(!scene.state.path().exists(), "an empty state folder is left");
}

fn an_up_that_is_killed_midway_leaves_nothing_that_down_does_not_find() {
    let Some(scene) = Scene::set() else { return };
    for stage in
        ["cluster.json", "nodes/n1/log", "nodes/n2/merged/etc", "known_hosts", "nodes/n2/home"]
    {
        let mut up = scene.command(&["cluster", "up", "--nodes", "3"]);
        let mut up = up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let reached = scene.directory("c1").join(stage);
        while !reached.exists() && up.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        up.kill().unwrap();
        up.wait().unwrap();
        let record = scene.record("c1");
        assert_eq!(scene.ok(&["cluster", "down"]), "cluster c1 is gone", "{stage}");
        assert!(!scene.directory("c1").exists(), "{stage}");
        assert_no_uplink(&record);
        assert_nothing_names(&scene.directory("c1"));
    }
}

fn a_cluster_in_use_is_left_alone_and_an_orphan_is_not() {
    let Some(scene) = Scene::set() else { return };
    scene.ok(&["cluster", "up", "mine", "--nodes", "1"]);
    let traces = Traces::of(&scene, "mine");
    let owned_by = |owner: ProcessId| {
        let mut record = scene.record("mine");
        record.owner = tribunal_harness::cluster::local::Owner::Process(owner);
        record.write(&scene.directory("mine")).unwrap();
    };
    let this = ProcessId::current().unwrap();
    owned_by(this);
    let said = scene.ok(&["cluster", "down"]);
    assert_eq!(said, format!("cluster mine is in use by process {} and stays", this.pid));
    let said = scene.ok(&["heal"]);
    let spared = format!("cluster mine is in use by process {} and stays as it is; ", this.pid);
    assert!(said.starts_with(&spared), "{said}");
    assert_eq!(scene.ok(&["heal", "mine"]), "mine: 1 nodes healed");
    let pause = ["pause", "--daemon", "n1=1", "--for", "1s"];
    let said = scene.fails(64, &[&["cluster", "fault"], &pause[..]].concat());
    let used = format!("cluster mine is in use by process {}, which would lose its ", this.pid);
    assert!(said.contains(&used), "{said}");
    assert_eq!(scene.on("n1", "hostname"), "n1");
    // The same number, another start: somebody else's process.
    owned_by(ProcessId { start: this.start + 1, ..this });
    assert!(scene.ok(&["cluster", "ps"]).contains("nobody"));
    assert_eq!(scene.ok(&["cluster", "down"]), "cluster mine is gone");
    traces.assert_gone();
}

fn one_that_cannot_be_reached_does_not_keep_the_others_from_being_healed() {
    let Some(scene) = Scene::set() else { return };
    for (name, nodes) in [("closed", "1"), ("dead", "1"), ("half", "2"), ("whole", "1")] {
        scene.ok(&["cluster", "up", name, "--nodes", nodes]);
    }
    let init = scene.record("dead").nodes[0].init.unwrap();
    kill_process(Pid::from_raw(init.pid as i32).unwrap(), Signal::KILL).unwrap();
    while init.alive() {
        std::thread::sleep(Duration::from_millis(20));
    }
    // Whoever has a journal gets an agent that reads it.
    let (journal, agents) = ("/var/lib/tribunal-agent", "ls /var/lib/tribunal-agent");
    let on = |cluster: &str, node: &str, script: &str| {
        scene.ok(&["cluster", "exec", cluster, node, "--", "sh", "-c", script])
    };
    on("half", "n2", &format!("mkdir -p {journal} && touch {journal}/journal.jsonl"));
    std::fs::write(scene.directory("closed").join("key"), "not a key").unwrap();
    let config = scene.directory("half").join("ssh_config");
    let whole = std::fs::read_to_string(&config).unwrap();
    let first = scene.record("half").nodes[0].ip.to_string();
    assert!(whole.contains(&first), "{whole}");
    std::fs::write(&config, whole.replace(&first, "127.0.0.1\n  Port 1")).unwrap();

    let healed = scene.tribunal(&["heal"]);
    assert_eq!(healed.status.code(), Some(3));
    let said = text(&healed.stdout);
    let dead = "no node of cluster dead is alive, so there is nothing to heal; ";
    assert!(said.starts_with(dead) && said.ends_with("\nwhole: 1 nodes healed\n"), "{said}");
    let told = text(&healed.stderr);
    let refused: Vec<&str> = told.lines().collect();
    assert_eq!(refused.len(), 2, "{told}");
    assert!(refused[0].starts_with("tribunal: closed: node n1 (n1) refuses SSH: "), "{told}");
    assert!(refused[1].starts_with("tribunal: half: node n1 (n1) refuses SSH: "), "{told}");
    assert!(on("half", "n2", agents).contains("tribunal-"), "nobody has looked at n2");
}

fn exec_passes_the_exit_code_and_the_streams_on() {
    let Some(scene) = Scene::set() else { return };
    scene.ok(&["cluster", "up", "--nodes", "1"]);
    for (script, code) in
        [("true", 0), ("exit 42", 42), ("no-such-program", 127), ("kill -9 $$", 255)]
    {
        let output = scene.tribunal(&["cluster", "exec", "n1", "--", "sh", "-c", script]);
        assert_eq!(output.status.code(), Some(code), "{script}: {}", text(&output.stderr));
    }
    let output =
        scene.tribunal(&["cluster", "exec", "n1", "--", "sh", "-c", "echo out; echo err >&2"]);
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("out\n".into(), "err\n".into()));
    // The exit code arrives before the output does.
    let late = "(sleep 0.3; echo out; echo err >&2) & exit 3";
    let output = scene.tribunal(&["cluster", "exec", "n1", "--", "sh", "-c", late]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("out\n".into(), "err\n".into()));
    // A reader that has had enough ends the writer.
    let mut yes = scene.command(&["cluster", "exec", "n1", "--", "yes"]);
    let mut yes = yes.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    yes.stdout.take().unwrap().read_exact(&mut [0; 4]).unwrap();
    assert_eq!(yes.wait().unwrap().code(), Some(255), "yes dies of SIGPIPE");
    let spaced =
        scene.ok(&["cluster", "exec", "n1", "--", "printf", "[%s]", "a  b", "$HOME", "it's!"]);
    assert_eq!(spaced, "[a  b][$HOME][it's!]");
}

fn bad_requests_get_one_sentence() {
    let Some(scene) = Scene::set() else { return };
    let missing = scene.fails(64, &["cluster", "down", "nobody"]);
    assert!(missing.contains("no cluster named nobody"), "{missing}");
    scene.fails(64, &["cluster", "down", "../etc"]);
    scene.fails(64, &["cluster", "up", "1st"]);
    scene.fails(64, &["cluster", "up", "--nodes", "0"]);
    scene.fails(64, &["cluster", "exec", "n1", "--", "true"]);
    scene.ok(&["cluster", "up", "taken", "--nodes", "1"]);
    let taken = scene.fails(3, &["cluster", "up", "taken", "--nodes", "1"]);
    assert!(taken.contains("a cluster named taken exists already"), "{taken}");
    let node = scene.fails(64, &["cluster", "exec", "taken", "n7", "--", "true"]);
    assert!(node.contains("cluster taken has no node n7: it has n1"), "{node}");
    // A node whose sshd lets nobody in.
    std::fs::write(scene.directory("taken").join("key"), "not a key").unwrap();
    let refused = scene.fails(3, &["cluster", "exec", "n1", "--", "true"]);
    assert!(refused.contains("node n1 (n1) refuses SSH"), "{refused}");
    assert_eq!(scene.ok(&["cluster", "down"]), "cluster taken is gone");
}

fn sessions_carry_files_and_say_which_node_broke() {
    let Some(scene) = Scene::set() else { return };
    scene.ok(&["cluster", "up", "--nodes", "1"]);
    let record = scene.record("c1");
    let node: Node = record.nodes().remove(0);
    let directory = scene.directory("c1");
    let options = SshOptions {
        config: Some(directory.join("ssh_config")),
        control_directory: Some(directory.join("control")),
        ..SshOptions::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let session = Session::connect(&node, &options).await.unwrap();
        let content: Vec<u8> =
            (0..10_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        session.upload(&content, "/opt/new folder/it's", 0o755).await.unwrap();
        let sent = session.run_ok("stat -c '%s %a' \"/opt/new folder/it's\"").await.unwrap();
        assert_eq!(sent.trim(), "10000000 755");
        let error =
            session.upload(b"x", "/proc/nothing/here", 0o644).await.unwrap_err().to_string();
        assert!(
            error.starts_with("node n1: `write /proc/nothing/here` exited with code"),
            "{error}"
        );
        let output = session.run("echo out; echo err >&2; exit 127").await.unwrap();
        assert_eq!((output.code, &*output.stdout, &*output.stderr), (Some(127), "out\n", "err\n"));
        let output = session.run("echo out; kill -9 $$").await.unwrap();
        assert_eq!((output.code, &*output.stdout), (None, "out\n"));
        // The controller's master is killed: a clear error, and a new session works.
        let socket = session.ssh().control_socket().to_owned();
        let killed =
            Command::new("ssh").arg("-S").arg(&socket).args(["-O", "exit", "n1"]).output().unwrap();
        assert!(killed.status.success(), "{}", text(&killed.stderr));
        let error = session.run("true").await.unwrap_err();
        assert!(matches!(error, SessionError::Session { .. }), "{error}");
        assert!(error.to_string().starts_with("node n1: the SSH session failed: "), "{error}");
        Session::connect(&node, &options).await.unwrap().run_ok("true").await.unwrap();
    });
    // A master that outlives its controller is found and ended.
    let traces = Traces::of(&scene, "c1");
    let session = runtime.block_on(Session::connect(&node, &options)).unwrap();
    std::mem::forget(session);
    scene.ok(&["cluster", "down", "c1"]);
    traces.assert_gone();
}

fn hosts_are_reached_by_address_and_only_with_the_right_key() {
    let Some(scene) = Scene::set() else { return };
    scene.ok(&["cluster", "up", "--nodes", "2"]);
    let (record, directory) = (scene.record("c1"), scene.directory("c1"));
    let ssh = |known_hosts: &str| SshOptions {
        identity: Some(directory.join("key")),
        known_hosts: Some(directory.join(known_hosts)),
        control_directory: Some(directory.join("control")),
        ..SshOptions::default()
    };
    let file = scene.state.path().join("hosts.txt");
    let (first, second) = (record.nodes[0].ip, record.nodes[1].ip);
    std::fs::write(&file, format!("# two\nroot@{first}\n\ndb2=root@{second}:22 # a port\n"))
        .unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let cluster = hosts::from_file(&file, ssh("known_hosts")).await.unwrap();
        let sessions = cluster.connect().await.unwrap();
        assert_eq!(*cluster.nodes[0].id, *first.to_string());
        assert_eq!(sessions[0].run_ok("hostname").await.unwrap(), "n1\n");
        assert_eq!(*cluster.nodes[1].id, *"db2");
        assert_eq!(sessions[1].run_ok("hostname").await.unwrap(), "n2\n");

        let refused = |list: String, known_hosts: &'static str| async move {
            let cluster = hosts::from_list(&list, ssh(known_hosts)).await.unwrap();
            cluster.connect().await.unwrap_err().to_string()
        };
        let error = refused(format!("root@{first},db2=root@127.0.0.1:1"), "known_hosts").await;
        assert!(error.starts_with("node db2 (ssh://root@127.0.0.1:1) refuses SSH: "), "{error}");
        assert!(error.contains("Connection refused"), "{error}");
        let keys = std::fs::read_to_string(directory.join("known_hosts")).unwrap();
        // The first node's address with the second one's key.
        let names_and_key = |line: &str| {
            line.split_once(' ').map(|(names, key)| (names.to_owned(), key.to_owned()))
        };
        let mut known = keys.lines().filter_map(names_and_key);
        let (_, key) = known.find(|(names, _)| names.contains(&second.to_string())).unwrap();
        std::fs::write(directory.join("exchanged"), format!("{first} {key}\n")).unwrap();
        let error = refused(format!("root@{first}"), "exchanged").await;
        assert!(error.contains("Host key verification failed"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    });
}

fn what_the_machine_lacks_is_said_in_one_sentence_and_nothing_stays() {
    let Some(scene) = Scene::set() else { return };
    // In a mount namespace of its own, where `script` takes something away first.
    let up_after = |script: &str, state: &Path| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-e", "-c", &format!("{script}; exec \"$@\""), "sh"]);
        command.args([env!("CARGO_BIN_EXE_tribunal"), "cluster", "up", "--nodes", "2"]);
        let output = command.env("TRIBUNAL_STATE", state).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    };
    let sshd = tribunal_harness::cluster::local::find_program("sshd").unwrap();
    assert_eq!(
        up_after(&format!("mount --bind /dev/null {}", sshd.display()), scene.state.path()),
        "tribunal: there is no `sshd` on this machine: apt-get install openssh-server\n"
    );
    // An overlay cannot be written to through another one.
    let state = scene.state.path().join("merged");
    let said = up_after(
        &format!(
            "cd {}; mkdir upper work merged; \
             mount -t overlay none merged -o lowerdir=/usr/games,upperdir=upper,workdir=work",
            scene.state.path().display()
        ),
        &state,
    );
    assert!(
        said.starts_with("tribunal: node n1 did not come up: cannot mount an overlay of /"),
        "{said}"
    );
    assert!(!scene.state.path().join("upper/clusters").exists(), "a failed cluster is left");
    assert_nothing_names(&state);
}

fn main() -> std::process::ExitCode {
    runner::run(&[
        ("cgroups::a_node_lives_in_groups_of_its_own", cgroups::a_node_lives_in_groups_of_its_own),
        (
            "cgroups::a_node_with_a_frozen_process_goes_at_once",
            cgroups::a_node_with_a_frozen_process_goes_at_once,
        ),
        (
            "nodes_have_names_and_addresses_of_their_own_and_reach_each_other",
            nodes_have_names_and_addresses_of_their_own_and_reach_each_other,
        ),
        (
            "what_a_node_writes_stays_there_and_the_clock_is_out_of_its_reach",
            what_a_node_writes_stays_there_and_the_clock_is_out_of_its_reach,
        ),
        (
            "hung::a_node_whose_disk_hangs_goes_nevertheless",
            hung::a_node_whose_disk_hangs_goes_nevertheless,
        ),
        (
            "two_clusters_stand_side_by_side_and_each_goes_without_a_trace",
            two_clusters_stand_side_by_side_and_each_goes_without_a_trace,
        ),
        (
            "an_up_that_is_killed_midway_leaves_nothing_that_down_does_not_find",
            an_up_that_is_killed_midway_leaves_nothing_that_down_does_not_find,
        ),
        (
            "a_cluster_in_use_is_left_alone_and_an_orphan_is_not",
            a_cluster_in_use_is_left_alone_and_an_orphan_is_not,
        ),
        (
            "one_that_cannot_be_reached_does_not_keep_the_others_from_being_healed",
            one_that_cannot_be_reached_does_not_keep_the_others_from_being_healed,
        ),
        (
            "exec_passes_the_exit_code_and_the_streams_on",
            exec_passes_the_exit_code_and_the_streams_on,
        ),
        ("bad_requests_get_one_sentence", bad_requests_get_one_sentence),
        (
            "sessions_carry_files_and_say_which_node_broke",
            sessions_carry_files_and_say_which_node_broke,
        ),
        (
            "hosts_are_reached_by_address_and_only_with_the_right_key",
            hosts_are_reached_by_address_and_only_with_the_right_key,
        ),
        (
            "what_the_machine_lacks_is_said_in_one_sentence_and_nothing_stays",
            what_the_machine_lacks_is_said_in_one_sentence_and_nothing_stays,
        ),
        (
            "links::shares_are_within_a_tenth_over_ten_thousand_packets",
            links::shares_are_within_a_tenth_over_ten_thousand_packets,
        ),
        (
            "links::altered_packets_are_read_and_corrupt_ones_are_not",
            links::altered_packets_are_read_and_corrupt_ones_are_not,
        ),
        (
            "links::delays_and_widths_are_within_a_tenth",
            links::delays_and_widths_are_within_a_tenth,
        ),
        (
            "links::held_packets_come_when_the_fault_ends",
            links::held_packets_come_when_the_fault_ends,
        ),
        ("links::a_link_is_chosen_by_its_name", links::a_link_is_chosen_by_its_name),
        (
            "links::a_killed_controllers_links_are_whole_again",
            links::a_killed_controllers_links_are_whole_again,
        ),
        ("links::nonsense_is_refused_in_a_sentence", links::nonsense_is_refused_in_a_sentence),
        (
            "ipv6::a_name_means_one_address_and_both_families_are_reached",
            ipv6::a_name_means_one_address_and_both_families_are_reached,
        ),
        ("ipv6::packets_stop_one_way_and_come_back", ipv6::packets_stop_one_way_and_come_back),
        (
            "ipv6::links_harm_it_and_leave_the_finding_of_neighbours_alone",
            ipv6::links_harm_it_and_leave_the_finding_of_neighbours_alone,
        ),
    ])
}
