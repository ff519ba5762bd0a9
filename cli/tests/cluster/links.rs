//! Bad links, as the nodes at their ends see them: datagrams are counted where they arrive.

use std::io::{BufRead, BufReader, Lines};
use std::net::IpAddr;
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;

use crate::runner::skip;
use crate::scene::{Scene, text};

/// Counts numbered datagrams until one says that it is the last; prints what came.
const RECEIVER: &str = r#"
import json, socket, sys, time, zlib
try:
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)  # takes both families
    s.bind(("::", 7070))
except OSError:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", 7070))
s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
s.settimeout(60)
print("ready", flush=True)
seen, late, last, doubled, altered, bytes_, first, delays = set(), 0, -1, 0, 0, 0, None, []
while True:
    data, sender = s.recvfrom(65536)
    now = time.monotonic()
    if data[:4] == b"last": break
    if b"%08x" % zlib.crc32(data[:-8]) != data[-8:]: altered += 1; continue
    number, sent = data[:8], data[8:28]
    number = int(number); bytes_ += len(data); first = first or now
    delays.append(now - int(sent) / 1e9)
    if number in seen: doubled += 1
    elif number < last: late += 1
    seen.add(number); last = max(last, number)
delays.sort()
print(json.dumps(dict(came=len(seen), doubled=doubled, late=late, altered=altered, bytes=bytes_,
    seconds=now - (first or now), least=delays[0] if delays else None)), flush=True)
"#;

/// Sends so many, so many a second.
const SENDER: &str = r#"
import socket, sys, time, zlib
address, count, rate, size = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
begun = time.monotonic()
for number in range(count):
    while time.monotonic() < begun + number / rate: pass
    text = b"%08d%020d" % (number, time.monotonic_ns()) + b"x" * size
    s.sendto(text + b"%08x" % zlib.crc32(text), (address, 7070))
time.sleep(float(sys.argv[5]))
for _ in range(20): s.sendto(b"last", (address, 7070))
"#;

/// What is sent from n1 to n2.
pub struct Traffic {
    pub count: u32,
    pub rate: u32,
    pub size: u32,
    /// How long to wait for the last of them, in seconds.
    pub wait: f32,
}

const TEN_THOUSAND: Traffic = Traffic { count: 10_000, rate: 5000, size: 100, wait: 0.5 };

/// Two nodes, of which one knows how to send and the other how to count.
fn two_nodes() -> Option<Scene> {
    nodes("2")
}

/// Nodes with Python.
pub fn nodes(count: &str) -> Option<Scene> {
    let scene = Scene::set()?;
    scene.ok(&["cluster", "up", "--nodes", count]);
    if !scene.tribunal(&["cluster", "exec", "n1", "--", "python3", "--version"]).status.success() {
        skip("python3 is not installed");
        return None;
    }
    Some(scene)
}

/// A fault by hand on the link from n1 to n2; healed when it is ended.
pub struct Held {
    child: Child,
    /// What it says; it must not find its output closed.
    _said: Lines<BufReader<ChildStdout>>,
}

impl Held {
    pub fn inject(scene: &Scene, fault: &str, options: &[&str]) -> Self {
        Self::with(scene, fault, &[&["links=pair"], options].concat())
    }

    /// Any fault.
    pub fn with(scene: &Scene, fault: &str, options: &[&str]) -> Self {
        let mut words = vec!["cluster", "fault", fault, "--for", "60s"];
        words.extend(options.iter().flat_map(|option| ["-o", *option]));
        let mut child = scene.command(&words).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        // The last line before it waits says for how long.
        let waits = said.by_ref().map_while(Result::ok).any(|line| line.contains("until Ctrl-C"));
        assert!(waits, "{fault} was not injected");
        Self { child, _said: said }
    }

    pub fn heal(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        assert!(self.child.wait().unwrap().success(), "it was not seen to act");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It has ended, unless the test has failed.
        let _ = self.child.kill();
    }
}

/// Counts on n2 what comes from n1.
struct Receiver {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Receiver {
    fn listen(scene: &Scene) -> Self {
        let mut command =
            scene.command(&["cluster", "exec", "n2", "--", "python3", "-c", RECEIVER]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(said.next().unwrap().unwrap(), "ready");
        Self { child, said }
    }

    /// What came, when the last of it has come.
    fn came(mut self) -> Value {
        let came = self.said.next().unwrap().unwrap();
        self.child.wait().unwrap();
        serde_json::from_str(&came).unwrap()
    }
}

/// Sends from n1 to n2.
fn send(scene: &Scene, traffic: &Traffic) {
    send_to(scene, scene.record("c1").nodes[1].ip.into(), traffic);
}

fn send_to(scene: &Scene, address: IpAddr, traffic: &Traffic) {
    let address = address.to_string();
    let numbers = [traffic.count, traffic.rate, traffic.size].map(|number| number.to_string());
    let wait = traffic.wait.to_string();
    let mut words = vec!["cluster", "exec", "n1", "--", "python3", "-c", SENDER, &address];
    words.extend(numbers.iter().map(String::as_str));
    words.push(&wait);
    scene.ok(&words);
}

/// Sends, and tells what came.
fn exchange(scene: &Scene, traffic: &Traffic) -> Value {
    exchange_by(scene, scene.record("c1").nodes[1].ip.into(), traffic)
}

/// The same by one of n2's addresses.
pub fn exchange_by(scene: &Scene, address: IpAddr, traffic: &Traffic) -> Value {
    let receiver = Receiver::listen(scene);
    send_to(scene, address, traffic);
    receiver.came()
}

fn number(came: &Value, field: &str) -> f64 {
    came[field].as_f64().unwrap_or_else(|| panic!("no {field}: {came}"))
}

fn assert_near(found: f64, wanted: f64, came: &Value) {
    assert!((found - wanted).abs() <= wanted * 0.1, "{found} instead of {wanted}: {came}");
}

pub fn shares_are_within_a_tenth_over_ten_thousand_packets() {
    let Some(scene) = two_nodes() else { return };
    let whole = exchange(&scene, &TEN_THOUSAND);
    let unharmed = (&whole["came"], &whole["doubled"], &whole["late"]);
    assert_eq!(unharmed, (&10_000.into(), &0.into(), &0.into()), "{whole}");
    let lossy = Held::inject(&scene, "link-lossy", &["loss=0.2"]);
    let came = exchange(&scene, &TEN_THOUSAND);
    assert_near(10_000.0 - number(&came, "came"), 2000.0, &came);
    lossy.heal();
    let duplicating = Held::inject(&scene, "link-duplicating", &["share=0.3"]);
    let came = exchange(&scene, &TEN_THOUSAND);
    assert_eq!(came["came"], 10_000);
    assert_near(number(&came, "doubled"), 3000.0, &came);
    duplicating.heal();
    let reordering = Held::inject(&scene, "link-reordering", &["share=0.2", "by_ms=20"]);
    let came = exchange(&scene, &TEN_THOUSAND);
    assert_eq!(came["came"], 10_000);
    assert_near(number(&came, "late"), 2000.0, &came);
    reordering.heal();
    let replaying = Held::inject(&scene, "link-replaying", &["share=0.2", "after_ms=100"]);
    assert_near(number(&exchange(&scene, &TEN_THOUSAND), "doubled"), 2000.0, &came);
    replaying.heal();
    assert_eq!(exchange(&scene, &TEN_THOUSAND)["came"], 10_000, "something outlived its fault");
}

/// A flipped bit is caught by the checksum, unless that is mended: then the receiver reads it.
pub fn altered_packets_are_read_and_corrupt_ones_are_not() {
    let Some(scene) = two_nodes() else { return };
    let corrupting = Held::inject(&scene, "link-corrupting", &["share=0.2"]);
    let came = exchange(&scene, &TEN_THOUSAND);
    assert_eq!(came["altered"], 0, "{came}");
    assert_near(10_000.0 - number(&came, "came"), 2000.0, &came);
    corrupting.heal();
    let altering = Held::inject(&scene, "link-altering", &["share=0.2"]);
    let came = exchange(&scene, &TEN_THOUSAND);
    // Those that say that they are the last may be altered, too.
    let all = number(&came, "came") + number(&came, "altered");
    assert!((10_000.0..10_020.0).contains(&all), "{came}");
    assert_near(number(&came, "altered"), 2000.0, &came);
    altering.heal();
}

pub fn delays_and_widths_are_within_a_tenth() {
    let Some(scene) = two_nodes() else { return };
    for (delay, count) in [("1", 2000), ("10", 1000), ("100", 500), ("1000", 200)] {
        let options = [&*format!("delay_ms={delay}"), "jitter_ms=0.001"];
        let slow = Held::inject(&scene, "link-slow", &options);
        let came = exchange(&scene, &Traffic { count, rate: 500, size: 100, wait: 1.5 });
        // Nodes of one machine have one monotonic clock. The fastest packet tells what the
        // wire adds; what a busy machine adds besides is not the wire's.
        let (least, asked) = (number(&came, "least") * 1000.0, delay.parse::<f64>().unwrap());
        assert!((asked..asked * 1.1).contains(&least), "{delay} ms: {came}");
        slow.heal();
    }
    // 1,042 bytes with their headers, 400 a second, are 3.3 Mbit/s; a third of them fits.
    let narrow = Held::inject(&scene, "link-narrow", &["kbit=1000"]);
    let came = exchange(&scene, &Traffic { count: 2000, rate: 400, size: 964, wait: 1.0 });
    let frames = number(&came, "came");
    assert_near(frames * 1042.0 * 8.0 / 5.2, 1e6, &came);
    narrow.heal();
}

/// As at GitHub in December 2012: nothing for a while, and then everything.
pub fn held_packets_come_when_the_fault_ends() {
    let Some(scene) = two_nodes() else { return };
    let held = Held::inject(&scene, "link-held", &[]);
    let mut receiver = Receiver::listen(&scene);
    // The last one included.
    send(&scene, &Traffic { count: 500, rate: 1000, size: 100, wait: 0.0 });
    assert!(receiver.child.try_wait().unwrap().is_none(), "something came through");
    held.heal();
    let came = receiver.came();
    assert_eq!((&came["came"], &came["late"]), (&500.into(), &0.into()), "{came}");
}

/// Only what n2 says to n1 is lost.
pub fn a_link_is_chosen_by_its_name() {
    let Some(scene) = two_nodes() else { return };
    let lossy = Held::with(&scene, "link-lossy", &[r#"links=["n2>n1"]"#, "loss=1"]);
    let came = exchange(&scene, &Traffic { count: 1000, rate: 1000, size: 10, wait: 0.5 });
    assert_eq!(came["came"], 1000, "{came}");
    lossy.heal();
    let lossy = Held::with(&scene, "link-lossy", &[r#"links=["n1>n2"]"#, "loss=1"]);
    let receiver = Receiver::listen(&scene);
    send(&scene, &Traffic { count: 100, rate: 1000, size: 10, wait: 0.0 });
    lossy.heal();
    // It ends with what comes now.
    send(&scene, &Traffic { count: 1, rate: 1000, size: 10, wait: 0.5 });
    assert_eq!(receiver.came()["came"], 1);
}

/// Whoever imposes rules is killed: the wire lifts them by itself.
pub fn a_killed_controllers_links_are_whole_again() {
    let Some(scene) = two_nodes() else { return };
    let mut lossy = Held::inject(&scene, "link-lossy", &["loss=1"]);
    lossy.child.kill().unwrap();
    lossy.child.wait().unwrap();
    let came = exchange(&scene, &Traffic { count: 1000, rate: 1000, size: 10, wait: 0.5 });
    assert_eq!(came["came"], 1000, "{came}");
}

pub fn nonsense_is_refused_in_a_sentence() {
    let Some(scene) = Scene::set() else { return };
    scene.ok(&["cluster", "up", "--nodes", "2"]);
    let refused = |words: &[&str]| scene.fails(64, &[&["cluster", "fault"], words].concat());
    let said = refused(&["link-lossy", "-o", "loss=1.5"]);
    assert!(said.contains("loss = 1.5: it must be a share"), "{said}");
    let said = refused(&["link-slow", "-o", "links=some"]);
    assert!(said.contains("it must be one, pair, node, all, or a list of links"), "{said}");
    let said = refused(&["link-slow", "-o", r#"links=["n1>n9"]"#]);
    assert!(said.ends_with("there is no node `n9` among n1 n2"), "{said}");
    let said = refused(&["link-slwo"]);
    assert!(said.contains("there is no fault `link-slwo`"), "{said}");
    let said = refused(&["link-slow", "--on", "n1"]);
    assert!(said.contains("needs at least 2 nodes"), "{said}");
    let said = refused(&["partition-given"]);
    assert!(said.contains("`partition-given` needs the option `cuts`: groups of nodes"), "{said}");
    let said = refused(&["partition-given", "-o", r#"cuts=["n1>n9"]"#]);
    assert!(said.ends_with("there is no node `n9` among n1 n2"), "{said}");
    let said = refused(&["partition-given", "-o", r#"cuts=[["n1","n2"],["n2"]]"#]);
    assert!(said.ends_with("n2 is in it twice"), "{said}");
    let said = refused(&["partition-halves", "-o", "ports=peer"]);
    assert!(said.contains("names of ports are known in the run of a test file"), "{said}");
    let said = refused(&["link-slow", "--on", "n1,n9"]);
    assert!(said.contains("n9"), "{said}");
    let output = scene.tribunal(&["cluster", "fault", "pause", "--for", "1s"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("no database was started"), "{}", text(&output.stderr));
}
