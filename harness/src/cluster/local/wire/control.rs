//! The wire's end of the connections that ask something of it: lines in, lines out,
//! and how long each may be silent. What is asked, it does not do itself.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use super::protocol::{Answered, Asked, Reply, Request};

/// Nobody asks for more in one line.
const LONGEST: usize = 4 << 20;
/// How long a connection may be silent if it does not say.
const LEASE: Duration = Duration::from_secs(10);
/// How long it may take to take an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// All connections.
pub struct Control {
    listener: UnixListener,
    connections: BTreeMap<u64, Connection>,
    next: u64,
}

/// Somebody who asks.
pub struct Connection {
    stream: UnixStream,
    read: Vec<u8>,
    heard: Instant,
    lease: Duration,
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// A line that was heard.
pub struct Line {
    /// The number for the reply.
    pub id: u64,
    /// What is asked; or why that is not known.
    pub request: Result<Request, String>,
}

impl Control {
    /// Nobody is connected yet.
    pub fn new(listener: UnixListener) -> Self {
        Self { listener, connections: BTreeMap::new(), next: 0 }
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// Whoever waits to be connected, and the number that it gets.
    pub fn accept(&mut self) -> io::Result<Option<(u64, &Connection)>> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        };
        stream.set_nonblocking(true)?;
        let number = self.next;
        self.next += 1;
        let connection =
            Connection { stream, read: Vec::new(), heard: Instant::now(), lease: LEASE };
        Ok(Some((number, self.connections.entry(number).or_insert(connection))))
    }

    /// What a connection says; `None` if it has closed, or talks without end.
    pub fn hear(&mut self, number: u64) -> Option<Vec<Line>> {
        let Connection { stream, read, heard, .. } = self.connections.get_mut(&number)?;
        *heard = Instant::now();
        let mut buffer = [0; 16 << 10];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(bytes) => read.extend_from_slice(&buffer[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return None,
            }
        }
        let end = read.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let lines = read[..end].split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let lines = lines.map(parse).collect();
        read.drain(..end);
        (read.len() <= LONGEST).then_some(lines)
    }

    /// Answers; `false` if nobody listens.
    pub fn say(&mut self, number: u64, id: u64, reply: Reply) -> bool {
        let Some(Connection { stream, .. }) = self.connections.get_mut(&number) else {
            return false;
        };
        let mut line = serde_json::to_vec(&Answered { id, reply }).expect("replies are plain data");
        line.push(b'\n');
        // An answer is short, and whoever asked is waiting for it.
        let set = |nonblocking| stream.set_nonblocking(nonblocking);
        set(false).is_ok()
            && stream.set_write_timeout(Some(PATIENCE)).is_ok()
            && (&*stream).write_all(&line).is_ok()
            && set(true).is_ok()
    }

    /// How long a connection may be silent from now on.
    pub fn lease(&mut self, number: u64, lease: Duration) {
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.lease = lease;
        }
    }

    /// The connections that have been silent for too long.
    pub fn overdue(&self) -> Vec<u64> {
        let silent = |connection: &Connection| connection.heard.elapsed() > connection.lease;
        self.connections.iter().filter(|(_, it)| silent(it)).map(|(&number, _)| number).collect()
    }

    /// Lets a connection go.
    pub fn remove(&mut self, number: u64) -> Option<Connection> {
        self.connections.remove(&number)
    }
}

fn parse(line: &[u8]) -> Line {
    match serde_json::from_slice(line) {
        Ok(Asked { id, request }) => Line { id, request: Ok(request) },
        Err(error) => Line { id: 0, request: Err(format!("not a request: {error}")) },
    }
}
