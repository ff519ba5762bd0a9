//! A filesystem of ours between a database and its folder: [`crate::disk`], served by a process of its own.
//!
//! The folder itself stays where it is and what it is: the mount covers it. Whatever ends the server, the
//! folder is there again as soon as the dead mount is taken away.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Laid, mounts};
use crate::agent::kill::kill;
use crate::agent::processes::Session;
use crate::disk::{self, Line};

/// How long the server gets to begin, and to end.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(2);

/// Where the server listens.
pub fn socket(laid: &Laid) -> PathBuf {
    laid.home.join("socket")
}

/// Who serves it.
fn note(laid: &Laid) -> PathBuf {
    laid.home.join("server")
}

/// A line to the server. The error says that there is none any more.
pub fn line(laid: &Laid) -> io::Result<Line> {
    Line::open(&socket(laid)).map_err(|error| {
        let text = format!("the disk under {} has no server any more: {error}", laid.at.display());
        io::Error::new(error.kind(), text)
    })
}

pub fn lay(laid: &Laid) -> io::Result<()> {
    fs::create_dir_all(&laid.home)?;
    let mut command = Command::new("/proc/self/exe");
    command.arg("disk").arg(&laid.at).arg(socket(laid));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = command.spawn()?;
    let said = BufReader::new(server.stdout.take().expect("it is piped")).lines().next();
    if said.and_then(Result::ok).as_deref() != Some(disk::READY) {
        return Err(why(server));
    }
    let session = Session::led_by(server.id())?;
    // It may outlive this agent, so nobody waits for it; and it says nothing more.
    fs::write(note(laid), serde_json::to_vec(&session)?)
}

/// Why a server did not begin.
fn why(mut server: Child) -> io::Error {
    let mut said = String::new();
    let _ = server.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said));
    let _ = server.wait();
    let said = said.trim().trim_start_matches("Error: ").replace('\n', "; ");
    io::Error::other(format!("no disk can be served: {said}"))
}

/// The server is told nothing: it ends when its mount does. One that is just beginning finds its socket gone.
pub fn lift(laid: &Laid) -> io::Result<Vec<String>> {
    let killed = uncover(laid)?;
    let server = fs::read(note(laid)).ok();
    let server: Option<Session> = server.and_then(|text| serde_json::from_slice(&text).ok());
    if let Some(server) = server {
        end(&server)?;
    }
    Ok(killed)
}

/// Takes the mount away, dead or alive; who used it is killed.
pub fn uncover(laid: &Laid) -> io::Result<Vec<String>> {
    // The folder may be a mount by itself: only ours is taken away.
    if covered(laid)? { mounts::unmount(&laid.at) } else { Ok(Vec::new()) }
}

fn covered(laid: &Laid) -> io::Result<bool> {
    Ok(mounts::at(&laid.at)?.is_some_and(|mount| mount.kind == disk::KIND))
}

/// Waits until it has ended, and kills one that does not. One that outlives even that, in the kernel's hands, is
/// told of and not waited for.
fn end(server: &Session) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !server.processes()?.is_empty() {
        if Instant::now() > deadline {
            return kill(server);
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

pub fn stands(laid: &Laid) -> io::Result<bool> {
    Ok(covered(laid)? && line(laid).is_ok())
}
