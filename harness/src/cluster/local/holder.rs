//! A process that holds namespaces: this very executable, started again inside
//! them under a hidden subcommand.
//!
//! Controller and holder talk in lines over the holder's standard input and
//! output while the cluster is being made. A holder whose controller dies
//! before it has said [`STAY`] sees the end of its input and exits, and what it
//! holds goes with it: a half-made cluster dissolves by itself.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::thread::UnshareFlags;

use crate::cluster::process::{self, ProcessId};

/// The word that makes a holder outlive its controller.
pub(super) const STAY: &str = "stay";
/// The word that means all went well.
pub(super) const READY: &str = "ready";

/// How long one holder may be silent. A node is made in a second, and two hundred on a busy machine in minutes,
/// all at once.
const PATIENCE: Duration = Duration::from_secs(120);

/// The controller's end of one holder.
pub(super) struct Holder {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    log: PathBuf,
}

impl Holder {
    /// Starts `tribunal SUBCOMMAND DIRECTORY [ARGUMENT]` in new namespaces of
    /// the kinds `unshare`; what it says on standard error goes to `log`.
    pub fn start(
        unshare: UnshareFlags,
        subcommand: &str,
        directory: &Path,
        argument: Option<&str>,
        log: &Path,
    ) -> io::Result<Self> {
        let mut command = Command::new(executable());
        command
            .arg0("tribunal")
            .arg(subcommand)
            .arg(directory)
            .args(argument)
            .current_dir("/")
            .env_clear()
            .env("PATH", super::PATH)
            .env("HOME", "/root")
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?);
        let mut child = spawn_unshared(unshare, command)?;
        let input = child.stdin.take().expect("stdin is piped");
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Ok(Self { child, input, output, log: log.to_owned() })
    }

    /// Its pid, which also names its namespaces.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its identity, unless it is dead already.
    pub fn id(&self) -> Option<ProcessId> {
        ProcessId::of(self.pid())
    }

    /// Tells it something.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        self.input.write_all(format!("{line}\n").as_bytes())
    }

    /// Waits for its [`READY`]; anything else is why it failed.
    pub fn await_ready(&mut self) -> Result<(), String> {
        match line_within(PATIENCE, &mut self.output) {
            Ok(Some(line)) if line == READY => Ok(()),
            Ok(Some(line)) if line.is_empty() => {
                Err(format!("its first process died: {}", self.last_words()))
            }
            Ok(Some(line)) => Err(line),
            Ok(None) => Err(format!(
                "its first process said nothing within {} s: {}",
                PATIENCE.as_secs(),
                self.last_words()
            )),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Holder {
    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        match log.trim() {
            "" => "without a word".to_owned(),
            words => words.replace('\n', "; "),
        }
    }
}

/// The next line, without its end; empty at the end of the output, and `None` where there is none in time.
fn line_within(
    patience: Duration,
    output: &mut BufReader<ChildStdout>,
) -> io::Result<Option<String>> {
    let deadline = Instant::now() + patience;
    // A holder writes whole lines: where there is a byte, the line is.
    if output.buffer().is_empty() && !process::readable_by(output.get_ref(), deadline)? {
        return Ok(None);
    }
    let mut line = String::new();
    output.read_line(&mut line)?;
    Ok(Some(line.trim_end().to_owned()))
}

/// Starts `command` in new namespaces, by way of a thread that unshares them and
/// ends: `fork` puts a child into the namespaces of the thread that calls it.
fn spawn_unshared(unshare: UnshareFlags, mut command: Command) -> io::Result<Child> {
    let thread = std::thread::Builder::new().name("unshare".to_owned());
    let birth = thread.spawn(move || {
        // SAFETY: no file descriptors are unshared, and no other code ever runs in this thread.
        unsafe { rustix::thread::unshare_unsafe(unshare) }?;
        command.spawn()
    })?;
    birth.join().unwrap_or_else(|_| Err(io::Error::other("the starting thread panicked")))
}

/// The command itself. Inside a Rust test, which is not the command, the
/// variable `TRIBUNAL_EXECUTABLE` names it.
fn executable() -> PathBuf {
    match std::env::var_os("TRIBUNAL_EXECUTABLE") {
        Some(path) => path.into(),
        // Not its path: the file may have been replaced since.
        None => PathBuf::from("/proc/self/exe"),
    }
}

/// The holder's end: what it hears from its controller and says to it.
pub(super) struct Controller {
    input: io::Lines<io::StdinLock<'static>>,
}

impl Controller {
    /// The controller that started this process, which leaves its terminal and
    /// lets go of every file that came with it.
    pub fn of_this_process() -> io::Result<Self> {
        rustix::process::setsid()?;
        close_inherited_files()?;
        Ok(Self { input: io::stdin().lines() })
    }

    /// The next line, or an error when the controller is gone.
    pub fn hear(&mut self) -> Result<String, String> {
        match self.input.next() {
            Some(Ok(line)) => Ok(line),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("the controller is gone".to_owned()),
        }
    }

    /// Says one line.
    pub fn say(&self, line: &str) -> Result<(), String> {
        let line = format!("{}\n", line.replace('\n', "; "));
        let mut output = io::stdout().lock();
        output.write_all(line.as_bytes()).and_then(|()| output.flush()).map_err(|e| e.to_string())
    }

    /// Waits for [`STAY`] and lets go of the pipes.
    pub fn await_stay(mut self) -> Result<(), String> {
        match self.hear()?.as_str() {
            STAY => {}
            other => return Err(format!("unexpected word `{other}`")),
        }
        drop(self);
        let null = File::options().read(true).write(true).open("/dev/null");
        let null = null.map_err(|error| format!("/dev/null: {error}"))?;
        rustix::stdio::dup2_stdin(&null).map_err(|error| error.to_string())?;
        rustix::stdio::dup2_stdout(&null).map_err(|error| error.to_string())
    }
}

/// A node may live for weeks; it must not hold a lock or a pipe of the shell
/// that happened to start it.
fn close_inherited_files() -> io::Result<()> {
    let listed: Vec<i32> = std::fs::read_dir("/proc/self/fd")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    // The listing's own descriptor is in the list, and closed by now.
    let open =
        |descriptor: &i32| std::fs::symlink_metadata(format!("/proc/self/fd/{descriptor}")).is_ok();
    for descriptor in listed.into_iter().filter(|&descriptor| descriptor > 2).filter(open) {
        // SAFETY: it is open, and nothing in this process has opened a file of its own yet.
        unsafe { rustix::io::close(descriptor) };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is heard of a shell with this script.
    fn heard(script: &str, patience: Duration) -> Option<String> {
        let mut shell =
            Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(shell.stdout.take().unwrap());
        let line = line_within(patience, &mut output).unwrap();
        shell.kill().unwrap();
        shell.wait().unwrap();
        line
    }

    #[test]
    fn a_first_process_that_says_nothing_is_not_waited_for_without_end() {
        assert_eq!(heard("exec sleep 60", Duration::ZERO), None);
        assert_eq!(heard("echo ready; exec sleep 60", PATIENCE).as_deref(), Some(READY));
        assert_eq!(heard("exit 1", PATIENCE).as_deref(), Some(""));
    }
}
