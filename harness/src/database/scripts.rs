//! The shell scripts that start a database's daemon on its node, and end all its processes. They are only
//! written here; who runs them, and when, is [`declared`](super::declared)'s.

use std::time::Duration;

use super::MARK;

/// The daemon's process id and when it started: the number alone may be
/// somebody else's by the time a later run reads it.
pub(super) const PID_FILE: &str = "/run/tribunal-db.pid";

/// How long a database has to end by itself before it is killed.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// How often a node looks, every ten milliseconds, whether the daemon's first process is there: ten seconds,
/// and as much longer as the node is busy.
const LOOKS: u32 = 1000;

/// A script that starts `command` as a daemon that prints to `output`, and tells its process id and when it
/// started, by way of `pid_file`. Where that cannot be, it says why.
///
/// setsid gives the database a session of its own, and the variable is a mark: every process that it starts can
/// be found by one or the other, and outlives this SSH command.
pub(super) fn start_session(command: &str, pid_file: &str, output: &str) -> String {
    // Who may not write there is told so at once; who cannot begin in so many looks never will.
    format!(
        r#"rm -f {pid_file}; mkdir -p "$(dirname {output})" "$(dirname {pid_file})"
true >>{output} && true >{pid_file} || exit 1
setsid sh -c 'read -r stat </proc/$$/stat; set -- $stat
echo "$$ ${{22}}" >{pid_file}; export {MARK}=$$; set --; eval "$0"' {command} >>{output} 2>&1 </dev/null &
looks={LOOKS}
while [ ! -s {pid_file} ]; do
  looks=$((looks - 1))
  [ $looks -gt 0 ] || {{ echo "no process has begun; the end of its log: $(tail -n 3 {output})" >&2; exit 1; }}
  sleep 0.01
done
cat {pid_file}"#,
        command = quote(command)
    )
}

/// A script that ends the database of a run whose controller was killed: it
/// would keep the ports of the next one.
pub(super) fn end_left_behind() -> String {
    format!(
        r#"[ -s {PID_FILE} ] && read -r sid start < {PID_FILE} || exit 0
stat=$(cat "/proc/$sid/stat" 2>/dev/null); set -- ${{stat##*) }}
[ "${{20:-$start}}" = "$start" ] || exit 0
{end}
rm -f {PID_FILE}"#,
        end = end_session("$sid", GRACE)
    )
}

/// A script that ends every process of the daemon `sid`: SIGTERM, and after
/// `grace` SIGKILL; SIGCONT besides, as a stopped process does not end.
///
/// Its processes are those of its session, those that carry its mark, all that these have started, and
/// whoever was one of them before those ended. One that shows as a zombie while its other threads go on (the
/// 18th field from the state is how many there are) has not ended: it still has its files and its ports.
pub(super) fn end_session(sid: &str, grace: Duration) -> String {
    format!(
        r#"look() {{
  found=" $(grep -lszx "{MARK}={sid}" /proc/[0-9]*/environ | tr -dc '0-9\n' | tr '\n' ' ') "
  until [ "$found" = "$before" ]; do
    before=$found
    for stat in /proc/[0-9]*/stat; do
      read -r line 2>/dev/null < "$stat" || continue
      pid=${{stat#/proc/}}; pid=${{pid%/stat}}
      set -- ${{line##*) }}
      case "$1${{18}}" in Z[01]|X*) continue; esac
      case "$found" in *" $pid "*) continue; esac
      [ "$4" = {sid} ] && found="$found$pid " && continue
      case "$found" in *" $2 "*) found="$found$pid "; continue; esac
      case "$known" in *" $pid "*) found="$found$pid "; esac
    done
  done
  known=$found
  for pid in $found; do return 0; done
  return 1
}}
tell() {{ look; for pid in $found; do kill -"$1" "$pid"; kill -CONT "$pid"; done 2>/dev/null; }}
known=; tell TERM; tries={tries}
while look; do
  tries=$((tries - 1)); [ $tries -gt 0 ] || tell KILL
  [ $tries -gt -{tries} ] || {{ echo "it outlives SIGKILL:" $found >&2; exit 1; }}
  sleep 0.02
done"#,
        tries = grace.as_millis() / 20
    )
}

/// `text` as one word of a shell command.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::*;

    /// A daemon of three: one of them has left its session and its parent, one its session and its mark.
    const SCATTERED: &str = "export TRIBUNAL_DAEMON=$$
        setsid --fork sh -c 'echo $$; exec sleep 60'
        env -i setsid sh -c 'echo $$; exec sleep 60' &
        exec sleep 60";

    /// What the shell says to the start of this command, and whether it succeeds.
    fn start(path: &str, folder: &Path, pid_file: &str) -> (bool, String) {
        let [pid_file, output] = [pid_file, "log"].map(|name| folder.join(name));
        let script = start_session("exit", pid_file.to_str().unwrap(), output.to_str().unwrap());
        let done =
            Command::new("/bin/sh").args(["-c", &script]).env("PATH", path).output().unwrap();
        let said = if done.status.success() { done.stdout } else { done.stderr };
        (done.status.success(), String::from_utf8(said).unwrap())
    }

    #[test]
    fn who_may_not_note_its_process_is_told_so() {
        let (folder, path) = (tempfile::tempdir().unwrap(), std::env::var("PATH").unwrap());
        let (started, printed) = start(&path, folder.path(), "pid");
        let numbers: Vec<u64> = printed.split_whitespace().map(|it| it.parse().unwrap()).collect();
        assert!(started && numbers.len() == 2, "{printed}");
        // Where a folder has the name, not even root writes a file.
        std::fs::create_dir(folder.path().join("taken")).unwrap();
        let (started, said) = start(&path, folder.path(), "taken");
        assert!(!started && said.contains("taken"), "{said}");
    }

    #[test]
    fn a_daemon_that_never_begins_is_not_waited_for_without_end() {
        // A node without setsid, on which time flies.
        let folder = tempfile::tempdir().unwrap();
        for program in ["rm", "mkdir", "dirname", "tail", "cat"] {
            let real = crate::cluster::local::find_program(program).unwrap();
            std::os::unix::fs::symlink(real, folder.path().join(program)).unwrap();
        }
        let truth = crate::cluster::local::find_program("true").unwrap();
        std::os::unix::fs::symlink(truth, folder.path().join("sleep")).unwrap();
        let (started, said) = start(folder.path().to_str().unwrap(), folder.path(), "pid");
        assert!(!started, "{said}");
        let why = "no process has begun; the end of its log: ";
        assert!(said.contains(why) && said.contains("setsid: not found"), "{said}");
    }

    /// The first thread ends, and another goes on.
    const HEADLESS: &str = "import ctypes, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
print('begun', flush=True)
ctypes.CDLL(None).pthread_exit(None)";

    #[test]
    fn who_has_lost_only_its_first_thread_has_not_ended() {
        let Some(python) = crate::cluster::local::find_program("python3") else {
            eprintln!("skipped: python3 is not installed");
            return;
        };
        let mut daemon = Command::new("setsid")
            .arg(python)
            .args(["-c", HEADLESS])
            .stdout(Stdio::piped())
            .spawn()
            .expect("setsid");
        let begun = BufReader::new(daemon.stdout.take().expect("piped")).lines().next();
        assert_eq!(begun.expect("a line").unwrap(), "begun");
        let pid = daemon.id().to_string();
        while state(&pid).as_deref() != Some("Z") {
            std::thread::yield_now();
        }
        let ended =
            Command::new("sh").args(["-c", &end_session(&pid, GRACE)]).output().expect("sh");
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!(threads, 1, "the thread goes on");
    }

    fn state(pid: &str) -> Option<String> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().next().map(str::to_owned)
    }

    #[test]
    fn who_has_left_the_session_ends_too_even_if_stopped() {
        let mut daemon = Command::new("setsid")
            .args(["sh", "-c", SCATTERED])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("setsid");
        let mut lines = BufReader::new(daemon.stdout.take().expect("piped")).lines();
        let scattered = [lines.next(), lines.next()].map(|line| line.unwrap().unwrap());
        let stop = format!("kill -STOP {}", scattered.join(" "));
        assert!(Command::new("sh").args(["-c", &stop]).status().unwrap().success());
        let script = end_session(&daemon.id().to_string(), GRACE);
        let ended = Command::new("sh").args(["-c", &script]).output().unwrap();
        // Nobody may have seen its end yet.
        let lives = |pid: &&String| state(pid).is_some_and(|state| state != "Z");
        let left: Vec<&String> = scattered.iter().filter(lives).collect();
        for pid in &left {
            let _ = Command::new("kill").args(["-9", pid]).status();
        }
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        assert!(left.is_empty(), "{left:?}");
        daemon.wait().unwrap();
    }
}
