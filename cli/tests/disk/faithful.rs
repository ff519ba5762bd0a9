//! Without a rule it is a disk like any other: what databases ask of one, they get.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::mounted::{Mounted, serve};

/// A mapping that two share, locks, appends, direct I/O, holes, a file without a name: each asserts what it sees.
const HABITS: &str = r#"
import errno, fcntl, mmap, os, struct
# A shared mapping and plain reads and writes see each other, and a sync brings it to the disk.
with open("map", "w+b") as f:
    f.truncate(1 << 20)
    m = mmap.mmap(f.fileno(), 1 << 20)
    m[5000:5005] = b"hello"
    assert os.pread(f.fileno(), 5, 5000) == b"hello"
    os.pwrite(f.fileno(), b"HELLO", 5000)
    assert m[5000:5005] == b"HELLO"
    m[9000] = 7
    m.flush(); os.fsync(f.fileno())
assert open("../below/map", "rb").read()[9000] == 7
# Appends go to the end, wherever that is by now.
a = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
b = os.open("log", os.O_WRONLY | os.O_APPEND)
for n in range(50):
    os.write(a, b"a"); os.write(b, b"b")
assert open("log").read() == "ab" * 50
# Direct, and synced with each write.
d = os.open("direct", os.O_RDWR | os.O_CREAT | os.O_DIRECT | os.O_DSYNC)
page = mmap.mmap(-1, 4096); page[:3] = b"abc"
assert os.write(d, page) == 4096
assert os.readv(d, [page]) == 0
os.lseek(d, 0, 0); assert os.readv(d, [page]) == 4096 and page[:3] == b"abc"
# Locks of both kinds keep another process out, and go with their owner.
l = os.open("lock", os.O_RDWR | os.O_CREAT)
fcntl.flock(l, fcntl.LOCK_EX | fcntl.LOCK_NB)
fcntl.lockf(l, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 5)
if (child := os.fork()) == 0:
    mine = os.open("lock", os.O_RDWR)
    for take in (lambda: fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB),
                 lambda: fcntl.lockf(mine, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 5)):
        try: take(); os._exit(1)
        except BlockingIOError: pass
    fcntl.lockf(mine, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 50)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
# Room, and holes.
r = os.open("room", os.O_RDWR | os.O_CREAT)
os.posix_fallocate(r, 0, 1 << 20)
assert os.fstat(r).st_size == 1 << 20 and os.fstat(r).st_blocks >= 2048
h = os.open("hole", os.O_RDWR | os.O_CREAT)
os.pwrite(h, b"x", 1 << 20)
assert os.lseek(h, 0, os.SEEK_DATA) > 0 and os.lseek(h, 0, os.SEEK_HOLE) == 0
# A file that has lost its name lives as long as somebody has it open, and can still grow.
u = os.open("gone", os.O_RDWR | os.O_CREAT)
os.write(u, b"still"); os.unlink("gone")
os.pwrite(u, b" here", 5); os.ftruncate(u, 9)
assert os.pread(u, 20, 0) == b"still her" and os.fstat(u).st_nlink == 0
# Written beside and put in place, with the folder synced: the way to replace a file.
with open("new", "w") as f:
    f.write("second"); f.flush(); os.fsync(f.fileno())
open("current", "w").write("first")
os.rename("new", "current")
folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
os.fsync(folder)
assert open("current").read() == "second" and not os.path.exists("new")
# Attributes, links, times, names in a large folder.
os.setxattr("current", "user.note", b"v")
assert os.getxattr("current", "user.note") == b"v" and os.listxattr("current") == ["user.note"]
os.symlink("current", "soft"); os.link("current", "hard")
assert open("soft").read() == "second" and os.stat("hard").st_ino == os.stat("current").st_ino
os.utime("current", ns=(1_000_000_001, 5_000_000_003))
assert os.stat("current").st_mtime_ns == 5_000_000_003
os.mkdir("many")
for n in range(3000): open(f"many/{n}", "w").close()
assert sorted(os.listdir("many"), key=int) == [str(n) for n in range(3000)]
assert sum(entry.stat().st_size == 0 for entry in os.scandir("many")) == 3000
assert os.statvfs(".").f_blocks == os.statvfs("../below").f_blocks
assert ".tribunal-probe" not in os.listdir(".")
print("all as it should be")
"#;

pub fn what_databases_do_with_files() {
    let Some(mounted) = Mounted::new() else { return };
    let Some(said) = mounted.python(HABITS) else { return };
    assert_eq!(said, "all as it should be\n");
}

/// As the user of a database that is not root.
const STRANGER: &str = r#"
import os
os.setgroups([]); os.setgid(4321); os.setuid(1234); os.umask(0o027)
os.mkdir("theirs/folder"); open("theirs/file", "w").close(); os.symlink("file", "theirs/link")
os.mkfifo("theirs/fifo", 0o666)
for forbidden in (lambda: open("roots", "w"), lambda: open("theirs/../new", "w"), lambda: os.chown("theirs/file", 0, 0)):
    try: forbidden()
    except PermissionError: continue
    raise SystemExit("it was not forbidden")
"#;

pub fn files_belong_to_who_made_them() {
    let Some(mounted) = Mounted::new() else { return };
    let theirs = mounted.data().join("theirs");
    std::fs::write(mounted.data().join("roots"), "").unwrap();
    std::fs::create_dir(&theirs).unwrap();
    std::os::unix::fs::chown(&theirs, Some(1234), Some(4321)).unwrap();
    // It must get there at all.
    let place = mounted.data().parent().unwrap().to_owned();
    std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o755)).unwrap();
    let Some(_) = mounted.python(STRANGER) else { return };
    let seen = |name: &str| {
        let of = |folder: std::path::PathBuf| {
            let it = folder.join("theirs").join(name).symlink_metadata().unwrap();
            (it.uid(), it.gid(), it.mode())
        };
        assert_eq!(of(mounted.data()), of(mounted.below()));
        of(mounted.data())
    };
    assert_eq!(seen("folder"), (1234, 4321, 0o40750));
    assert_eq!(seen("file"), (1234, 4321, 0o100_640));
    assert_eq!(seen("link"), (1234, 4321, 0o120_777));
    assert_eq!(seen("fifo"), (1234, 4321, 0o10_640));
}

/// Both journals of sqlite's; the second one is kept in a shared mapping.
const SQLITE: &str = r#"
import sqlite3, threading
for journal in ("delete", "wal"):
    name = journal + ".db"
    sqlite3.connect(name).executescript(f"pragma journal_mode={journal}; create table t(n integer primary key);")
    def add(worker):
        one = sqlite3.connect(name, timeout=30); one.execute("pragma synchronous=full")
        for n in range(40):
            with one: one.execute("insert into t values (?)", (worker * 1000 + n,))
    workers = [threading.Thread(target=add, args=(worker,)) for worker in range(4)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    one = sqlite3.connect(name)
    print(one.execute("select count(*) from t").fetchone()[0], one.execute("pragma integrity_check").fetchone()[0])
"#;

pub fn sqlite_keeps_what_it_committed() {
    let Some(mounted) = Mounted::new() else { return };
    let Some(said) = mounted.python(SQLITE) else { return };
    assert_eq!(said, "160 ok\n160 ok\n");
}

/// A member of its own, on ports that nobody has.
fn etcd(mounted: &Mounted, ports: (u16, u16)) -> std::io::Result<Child> {
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let (client, peer) = (url(ports.0), url(ports.1));
    let mut command = Command::new("etcd");
    command.args(["--name", "one", "--data-dir"]).arg(mounted.data().join("etcd"));
    command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
    command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
    command.args(["--initial-cluster", &format!("one={peer}")]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

fn etcdctl(ports: (u16, u16), words: &[&str]) -> Option<String> {
    let mut command = Command::new("etcdctl");
    command.env("ETCDCTL_API", "3").arg("--endpoints").arg(format!("127.0.0.1:{}", ports.0));
    let output = command.args(words).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub fn etcd_serves_and_remembers() {
    let Some(mounted) = Mounted::new() else { return };
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, other) = (free(), free());
    let ports = (one.local_addr().unwrap().port(), other.local_addr().unwrap().port());
    drop((one, other));
    let until = |words: &[&str]| {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            match etcdctl(ports, words) {
                Some(said) => return said,
                None => assert!(Instant::now() < deadline, "etcd does not answer {words:?}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    for round in 0..2 {
        let mut server = match etcd(&mounted, ports) {
            Ok(server) => server,
            Err(error) => return crate::runner::skip(format!("etcd cannot be run: {error}")),
        };
        if round == 0 {
            until(&["put", "key", "value"]);
        } else {
            assert_eq!(until(&["get", "--print-value-only", "key"]), "value");
        }
        server.kill().unwrap();
        server.wait().unwrap();
    }
}

pub fn a_killed_server_leaves_the_folder_whole() {
    let Some(mut mounted) = Mounted::new() else { return };
    let file = mounted.data().join("file");
    std::fs::write(&file, "whole").unwrap();
    mounted.kill_server();
    let dead = std::fs::read(&file).unwrap_err();
    assert_eq!(dead.raw_os_error(), Some(rustix::io::Errno::NOTCONN.raw_os_error()));
    mounted.uncover();
    assert_eq!(std::fs::read(&file).unwrap(), b"whole");
    // And it can be covered again.
    let socket = mounted.beside("again").join("socket");
    let mut server = serve(&mounted.data(), &socket);
    assert_eq!(std::fs::read(&file).unwrap(), b"whole");
    mounted.uncover();
    assert!(server.wait().unwrap().success());
}
