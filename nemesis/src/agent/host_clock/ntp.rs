//! Who keeps the host's clock right, and would soon have undone the harm: stopped before it, and
//! started again afterwards.

use std::io;
use std::process::{Command, Stdio};

use super::super::processes;

/// The services that there are, as the distributions call them.
const SERVICES: [&str; 7] =
    ["systemd-timesyncd", "chronyd", "chrony", "ntpd", "ntp", "ntpsec", "openntpd"];
/// What they run, as `/proc` shows it (15 characters at most).
const PROGRAMS: [&str; 4] = ["systemd-timesyn", "chronyd", "ntpd", "openntpd"];

/// The services that run here. An error where a program runs that no service accounts for.
pub fn running() -> io::Result<Vec<String>> {
    let active = match systemctl(&["is-active"], &SERVICES) {
        Ok(output) => active(&output),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    if active.is_empty()
        && let Some(name) = processes::names()?.iter().find(|name| PROGRAMS.contains(&&***name))
    {
        let why = format!(
            "{name} keeps this host's clock, and no systemd service of it is there to be stopped; \
             stop it for the run"
        );
        return Err(io::Error::other(why));
    }
    Ok(active)
}

/// Stops them, until they have ended.
pub fn stop(services: &[String]) -> io::Result<()> {
    order("stop", &[], services)
}

/// Starts them again. That they serve again is theirs: it may take as long as a server is away.
pub fn start(services: &[String]) -> io::Result<()> {
    order("start", &["--no-block"], services)
}

fn order(verb: &str, options: &[&str], services: &[String]) -> io::Result<()> {
    if services.is_empty() {
        return Ok(());
    }
    let words: Vec<&str> = [verb].iter().chain(options).copied().collect();
    let services: Vec<&str> = services.iter().map(String::as_str).collect();
    systemctl(&words, &services).and_then(|output| match output.success {
        true => Ok(()),
        false => Err(io::Error::other(format!("systemctl {verb}: {}", output.stderr.trim()))),
    })
}

struct Said {
    success: bool,
    stdout: String,
    stderr: String,
}

fn systemctl(words: &[&str], services: &[&str]) -> io::Result<Said> {
    let mut command = Command::new("systemctl");
    command.args(words).args(services).stdin(Stdio::null()).env("LC_ALL", "C");
    let output = command.output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    Ok(Said { success: output.status.success(), stdout, stderr })
}

/// `is-active` says one word a service, in their order.
fn active(said: &Said) -> Vec<String> {
    let states = said.stdout.lines().map(str::trim).zip(SERVICES);
    let runs = |state: &str| matches!(state, "active" | "activating" | "reloading");
    states.filter(|(state, _)| runs(state)).map(|(_, service)| service.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_known_by_their_place() {
        let stdout = "inactive\nactive\nactive\nunknown\nfailed\ninactive\nactivating\n".to_owned();
        let said = Said { success: false, stdout, stderr: String::new() };
        assert_eq!(active(&said), ["chronyd", "chrony", "openntpd"]);
        let said = Said { success: false, stdout: "offline\n".to_owned(), stderr: String::new() };
        assert_eq!(active(&said), [""; 0]);
    }
}
