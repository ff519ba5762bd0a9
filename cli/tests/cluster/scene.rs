//! A stage for one test: the command with a state folder of its own.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tribunal_harness::cluster::local::Record;

/// A state folder of its own; what is left in there when it goes is taken down.
pub struct Scene {
    pub state: tempfile::TempDir,
}

impl Scene {
    pub fn set() -> Option<Self> {
        // Not in /tmp, of which a node has its own: it must not see this folder elsewhere either.
        let state = tempfile::Builder::new().prefix("trb").tempdir_in("/var/tmp").unwrap();
        let scene = Self { state };
        let doctor = scene.tribunal(&["doctor"]);
        if doctor.status.success() {
            return Some(scene);
        }
        crate::runner::skip(format!("no local nodes here:\n{}", text(&doctor.stdout)));
        None
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
        command.args(arguments).env("TRIBUNAL_STATE", self.state.path()).stdin(Stdio::null());
        command
    }

    pub fn tribunal(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The command must succeed; its standard output, trimmed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.tribunal(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }

    /// The command must fail with `code`; its standard error, one line.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.tribunal(arguments);
        let said = text(&output.stderr).trim().to_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    }

    pub fn on(&self, node: &str, script: &str) -> String {
        self.ok(&["cluster", "exec", node, "--", "sh", "-c", script])
    }

    pub fn directory(&self, name: &str) -> PathBuf {
        self.state.path().join("clusters").join(name)
    }

    pub fn record(&self, name: &str) -> Record {
        Record::read(&self.directory(name)).unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.tribunal(&["cluster", "down", "--all"]);
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
