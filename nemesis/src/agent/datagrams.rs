//! Numbered datagrams from one agent to another, to see what becomes of them on the way: counted
//! where they arrive, and timed where they come back.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::net::sockopt;
use serde::{Deserialize, Serialize};

/// What each begins with; its number follows.
const MARK: &[u8; 8] = b"tribunal";
const HEADER: usize = MARK.len() + 4;
/// How often somebody who listens looks whether to go on.
const LOOK: Duration = Duration::from_millis(50);
/// How many leave before what came back is taken in.
const BURST: u32 = 16;
/// What may wait to be read, in bytes as the kernel counts them: thousands of datagrams. By its
/// default, some two hundred, a slow host would lose what the link did not.
const WAITING: usize = 16 << 20;

/// What was heard, by the address that it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Of each sender.
    pub from: BTreeMap<IpAddr, Count>,
    /// Datagrams that the kernel refused for their checksum, whoever sent them.
    pub bad_checksums: u64,
}

/// What was heard of one sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// All that came.
    pub received: u32,
    /// Different ones.
    pub distinct: u32,
    /// Those that came behind a later one.
    pub overtaken: u32,
    /// From the first to the last, in microseconds.
    pub span_us: u64,
}

/// What came back from one that was sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echoes {
    /// How many different ones.
    pub distinct: u32,
    /// The median of their round trips, in microseconds.
    pub round_trip_us: Option<u64>,
}

/// Somebody who listens, in a thread.
pub struct Ear {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Heard>>,
}

impl Ear {
    /// Begins to listen, in both families where there are both.
    pub fn open() -> io::Result<Self> {
        let any = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0);
        let four = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
        let socket = UdpSocket::bind(any).or_else(|_| UdpSocket::bind(four))?;
        socket.set_read_timeout(Some(LOOK))?;
        widen(&socket);
        let (port, stop) = (socket.local_addr()?.port(), Arc::new(AtomicBool::new(false)));
        let stopped = stop.clone();
        let thread = thread::spawn(move || listen(&socket, &stopped));
        Ok(Self { port, stop, thread: Some(thread) })
    }

    /// Where.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it.
    pub fn close(mut self) -> Heard {
        self.end().unwrap_or_default()
    }

    fn end(&mut self) -> Option<Heard> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().and_then(|thread| thread.join().ok())
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.end();
    }
}

fn listen(socket: &UdpSocket, stop: &AtomicBool) -> Heard {
    let mut tallies: BTreeMap<IpAddr, Tally> = BTreeMap::new();
    let before = bad_checksums();
    let mut buffer = [0; 2048];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let Some(number) = number(&buffer[..length]) else { continue };
        tallies.entry(from.ip().to_canonical()).or_default().add(number, Instant::now());
        // Back with its number alone: what is measured is the way here.
        let _ = socket.send_to(&buffer[..HEADER], from);
    }
    let from = tallies.into_iter().map(|(from, tally)| (from, tally.count())).collect();
    Heard { from, bad_checksums: bad_checksums().saturating_sub(before) }
}

#[derive(Default)]
struct Tally {
    seen: BTreeSet<u32>,
    received: u32,
    overtaken: u32,
    span: Option<(Instant, Instant)>,
}

impl Tally {
    fn add(&mut self, number: u32, now: Instant) {
        self.received += 1;
        if self.seen.last().is_some_and(|last| number < *last) && self.seen.insert(number) {
            self.overtaken += 1;
        }
        self.seen.insert(number);
        self.span = Some((self.span.map_or(now, |(first, _)| first), now));
    }

    fn count(self) -> Count {
        let span = self.span.map(|(first, last)| last.duration_since(first)).unwrap_or_default();
        Count {
            received: self.received,
            distinct: self.seen.len() as u32,
            overtaken: self.overtaken,
            span_us: span.as_micros() as u64,
        }
    }
}

/// Sends so many to each, and waits for what comes back.
pub fn send(to: &[SocketAddr], count: u32, bytes: u16, wait: Duration) -> io::Result<Vec<Echoes>> {
    let mut lines = to.iter().map(Outgoing::new).collect::<io::Result<Vec<_>>>()?;
    let datagram = |number: u32| {
        let mut datagram = vec![0; usize::from(bytes).clamp(HEADER, 1400)];
        datagram[..MARK.len()].copy_from_slice(MARK);
        datagram[MARK.len()..HEADER].copy_from_slice(&number.to_le_bytes());
        datagram
    };
    for number in 0..count {
        let datagram = datagram(number);
        for line in &mut lines {
            line.sent.push(Instant::now());
            // Whether it arrives is for the other side to say.
            let _ = line.socket.send(&datagram);
        }
        if number % BURST == BURST - 1 {
            lines.iter_mut().for_each(Outgoing::take_in);
            thread::sleep(Duration::from_millis(1));
        }
    }
    let deadline = Instant::now() + wait;
    while lines.iter().any(|line| line.back.len() < count as usize) && Instant::now() < deadline {
        lines.iter_mut().for_each(Outgoing::take_in);
        thread::sleep(Duration::from_millis(1));
    }
    Ok(lines.into_iter().map(Outgoing::echoes).collect())
}

/// A line to one who listens.
struct Outgoing {
    socket: UdpSocket,
    sent: Vec<Instant>,
    /// The round trip of each that came back, by its number.
    back: BTreeMap<u32, Duration>,
}

impl Outgoing {
    fn new(to: &SocketAddr) -> io::Result<Self> {
        let any: IpAddr = match to {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
        socket.connect(to)?;
        socket.set_nonblocking(true)?;
        widen(&socket);
        Ok(Self { socket, sent: Vec::new(), back: BTreeMap::new() })
    }

    fn take_in(&mut self) {
        let mut buffer = [0; 2048];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            let number = number(&buffer[..length]);
            let sent = number.and_then(|number| self.sent.get(number as usize));
            if let (Some(number), Some(sent)) = (number, sent) {
                self.back.entry(number).or_insert_with(|| sent.elapsed());
            }
        }
    }

    fn echoes(self) -> Echoes {
        let mut round_trips: Vec<Duration> = self.back.into_values().collect();
        round_trips.sort_unstable();
        let median = round_trips.get(round_trips.len() / 2);
        let round_trip_us = median.map(|it| it.as_micros() as u64);
        Echoes { distinct: round_trips.len() as u32, round_trip_us }
    }
}

/// Lets much wait to be read: without the right to go beyond the host's limit, as much as that allows.
fn widen(socket: &UdpSocket) {
    let _ = sockopt::set_socket_recv_buffer_size_force(socket, WAITING)
        .or_else(|_| sockopt::set_socket_recv_buffer_size(socket, WAITING));
}

fn number(datagram: &[u8]) -> Option<u32> {
    let rest = datagram.strip_prefix(MARK)?;
    Some(u32::from_le_bytes(rest.get(..4)?.try_into().ok()?))
}

/// What the kernel refused until now, of UDP in both families.
fn bad_checksums() -> u64 {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    four(&read("/proc/net/snmp")) + six(&read("/proc/net/snmp6"))
}

/// Two lines begin with `Udp:`, one of names and one of numbers.
fn four(snmp: &str) -> u64 {
    let mut lines = snmp.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let (Some(names), Some(numbers)) = (lines.next(), lines.next()) else { return 0 };
    let mut both = names.split(' ').zip(numbers.split(' '));
    let found = both.find(|(name, _)| *name == "InCsumErrors");
    found.and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}

fn six(snmp: &str) -> u64 {
    let number = |line: &str| line.strip_prefix("Udp6InCsumErrors")?.trim().parse().ok();
    snmp.lines().find_map(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_heard_and_comes_back() {
        let ear = Ear::open().unwrap();
        let to = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), ear.port());
        let echoes = send(&[to], 100, 200, Duration::from_secs(10)).unwrap();
        assert_eq!(echoes[0].distinct, 100);
        assert!(echoes[0].round_trip_us.is_some());
        let heard = ear.close();
        let count = &heard.from[&IpAddr::from(Ipv4Addr::LOCALHOST)];
        assert_eq!((count.received, count.distinct, count.overtaken), (100, 100, 0));
    }

    #[test]
    fn a_listener_that_is_late_loses_none() {
        let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        widen(&receiver);
        let allowed = sockopt::socket_recv_buffer_size(&receiver).unwrap();
        if allowed < WAITING {
            eprintln!("skipped: this process may let {allowed} bytes wait, and no more");
            return;
        }
        let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        sender.connect(receiver.local_addr().unwrap()).unwrap();
        for _ in 0..2000 {
            sender.send(&[7; 400]).unwrap();
        }
        receiver.set_nonblocking(true).unwrap();
        let read = (0..).take_while(|_| receiver.recv(&mut [0; 400]).is_ok()).count();
        assert_eq!(read, 2000);
    }

    #[test]
    fn twice_and_late_are_told_apart() {
        let mut tally = Tally::default();
        for number in [0, 2, 1, 1, 4, 3] {
            tally.add(number, Instant::now());
        }
        let count = tally.count();
        assert_eq!((count.received, count.distinct, count.overtaken), (6, 5, 2));
    }

    #[test]
    fn the_kernels_counters_are_read() {
        let snmp = "Udp: InDatagrams InErrors InCsumErrors\nUdp: 9 8 7\nUdpLite: InDatagrams\n";
        assert_eq!(four(snmp), 7);
        assert_eq!(six("Udp6InErrors 3\nUdp6InCsumErrors               \t5\n"), 5);
        assert_eq!((four(""), six("")), (0, 0));
    }
}
