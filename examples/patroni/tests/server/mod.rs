//! A PostgreSQL of its own, on the loopback network, with the tables of the workloads.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use substrate::trial::eventually;

const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// Killed, and its data deleted, when this is dropped.
pub struct Server {
    pub address: SocketAddr,
    folder: PathBuf,
    process: Child,
}

impl Server {
    /// Ready to serve; `None`, saying so, where PostgreSQL is not installed.
    pub fn start() -> Option<Self> {
        if !Path::new(PROGRAMS).join("postgres").exists() {
            eprintln!("skipped: no {PROGRAMS}/postgres (apt-get install postgresql-15)");
            return None;
        }
        let address =
            TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
        let folder = std::env::temp_dir().join(format!("patroni-test-{}", address.port()));
        fs::create_dir(&folder).expect("a folder");
        run(Command::new("chown").arg("postgres").arg(&folder));
        let path = folder.to_str().expect("UTF-8");
        run(as_postgres("initdb").args(["--auth", "trust", "--no-sync", "--pgdata", path]));
        let process = as_postgres("postgres")
            .args(["-D", path, "-k", path, "-h", "127.0.0.1", "-p", &address.port().to_string()])
            // What it shares lies in its folder, and goes with that.
            .args(["-c", "dynamic_shared_memory_type=mmap"])
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let server = Self { address, folder, process };
        eventually("it serves", || server.sql("SELECT 1").then_some(()));
        assert!(server.sql(include_str!("../../src/tables.sql")), "the tables are made");
        Some(server)
    }

    /// Kills it and waits until nobody listens any more.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // The processes of its connections end by themselves when they miss it.
        eventually("nobody listens", || std::net::TcpStream::connect(self.address).err());
    }

    /// The System V segment that tells others of it: who is killed leaves that behind. The seventh line
    /// of its file has the key and the number.
    fn segment(&self) -> Option<String> {
        let file = fs::read_to_string(self.folder.join("postmaster.pid")).ok()?;
        file.lines().nth(6)?.split_whitespace().nth(1).map(str::to_owned)
    }

    fn sql(&self, text: &str) -> bool {
        let done = Command::new("psql")
            .args(["-h", "127.0.0.1", "-p", &self.address.port().to_string()])
            .args(["-U", "postgres", "-qc", text])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        done.expect("psql comes with the server").success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if let Some(segment) = self.segment() {
            run(Command::new("ipcrm").args(["-m", &segment]));
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// PostgreSQL does not run as root.
fn as_postgres(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]);
    command.arg(Path::new(PROGRAMS).join(program)).stdout(Stdio::null());
    command
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status().expect("it can be run");
    assert!(status.success(), "{command:?}: {status}");
}
