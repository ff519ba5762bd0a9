//! Messages of 64 bytes there and back, one at a time: loopback, a veth pair, the idle wire.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tribunal_harness::cluster::local::Record;

const SIZE: usize = 64;
const TRIPS: usize = 20_000;
/// Trips that do not count: caches, neighbours, slow start.
const WARM: usize = 1_000;
/// The addresses of the veth pair between the first two nodes.
const VETH: [[u8; 4]; 2] = [[192, 0, 2, 1], [192, 0, 2, 2]];

/// Half and the slowest hundredth of the trips took no longer.
struct Trips {
    median: Duration,
    slow: Duration,
}

/// What was measured, as a table.
pub fn table(record: &Record) -> anyhow::Result<String> {
    let pid = |index: usize| record.nodes[index].init.context("a node has died").map(|it| it.pid);
    let (one, two) = (pid(0)?, pid(1)?);
    add_veth(one, two)?;
    let mut table = format!("\n{SIZE} bytes, {TRIPS} round trips, in us: p50 (p99)\n");
    let _ = writeln!(table, "{:<22}{:>18}{:>18}", "", "UDP", "TCP");
    let mut row = |name: &str, server: u32, address: IpAddr| -> anyhow::Result<[Trips; 2]> {
        let trips = [udp(server, one, address)?, tcp(server, one, address)?];
        let told = |it: &Trips| format!("{:.1} ({:.1})", micros(it.median), micros(it.slow));
        let _ = writeln!(table, "{name:<22}{:>18}{:>18}", told(&trips[0]), told(&trips[1]));
        Ok(trips)
    };
    row("loopback", one, IpAddr::from([127, 0, 0, 1]))?;
    let veth = row("veth pair", two, VETH[1].into())?;
    let wire = row("the wire", two, record.nodes[1].ip.into())?;
    if let Some(ip6) = record.nodes[1].ip6 {
        row("the wire, IPv6", two, ip6.into())?;
    }
    let added = |at: usize| micros(wire[at].median) - micros(veth[at].median);
    let _ = writeln!(table, "{:<22}{:>18.1}{:>18.1}", "added to a veth pair", added(0), added(1));
    Ok(table)
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Does something on a thread that is in the network of a process.
fn within<T: Send + 'static>(
    pid: u32,
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> thread::JoinHandle<anyhow::Result<T>> {
    thread::spawn(move || {
        let namespace = File::open(format!("/proc/{pid}/ns/net"))?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        work()
    })
}

fn joined<T>(work: thread::JoinHandle<anyhow::Result<T>>) -> anyhow::Result<T> {
    work.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?
}

/// A pair of interfaces in two nodes' networks; they go with the nodes.
fn add_veth(one: u32, two: u32) -> anyhow::Result<()> {
    let ip = |words: String| {
        let status = Command::new("ip").args(words.split(' ')).status()?;
        if status.success() { Ok(()) } else { bail!("ip {words}: {status}") }
    };
    let pair = format!("link add pair type veth peer name pair netns {two}");
    joined(within(one, move || ip(pair)))?;
    for (pid, [a, b, c, d]) in [one, two].into_iter().zip(VETH) {
        joined(within(pid, move || {
            ip(format!("address add {a}.{b}.{c}.{d}/24 dev pair"))?;
            ip("link set pair up".to_owned())
        }))?;
    }
    Ok(())
}

fn udp(server: u32, client: u32, address: IpAddr) -> anyhow::Result<Trips> {
    let (tell, told) = mpsc::channel();
    let serving = within(server, move || {
        let socket = UdpSocket::bind(SocketAddr::new(address, 0))?;
        tell.send(socket.local_addr()?)?;
        let mut message = [0; SIZE];
        for _ in 0..WARM + TRIPS {
            let (bytes, from) = socket.recv_from(&mut message)?;
            socket.send_to(&message[..bytes], from)?;
        }
        Ok(())
    });
    let there = told.recv().context("nobody serves")?;
    let trips = joined(within(client, move || {
        let socket = UdpSocket::bind(if there.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        socket.connect(there)?;
        let mut message = [0; SIZE];
        timed(|| {
            socket.send(&message)?;
            socket.recv(&mut message).map(drop)
        })
    }))?;
    joined(serving)?;
    Ok(trips)
}

fn tcp(server: u32, client: u32, address: IpAddr) -> anyhow::Result<Trips> {
    let (tell, told) = mpsc::channel();
    let serving = within(server, move || {
        let listener = TcpListener::bind(SocketAddr::new(address, 0))?;
        tell.send(listener.local_addr()?)?;
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let mut message = [0; SIZE];
        for _ in 0..WARM + TRIPS {
            stream.read_exact(&mut message)?;
            stream.write_all(&message)?;
        }
        Ok(())
    });
    let there = told.recv().context("nobody serves")?;
    let trips = joined(within(client, move || {
        let mut stream = TcpStream::connect(there)?;
        stream.set_nodelay(true)?;
        let mut message = [0; SIZE];
        timed(|| {
            stream.write_all(&message)?;
            stream.read_exact(&mut message)
        })
    }))?;
    joined(serving)?;
    Ok(trips)
}

/// Times each trip.
fn timed(mut trip: impl FnMut() -> std::io::Result<()>) -> anyhow::Result<Trips> {
    let mut took = Vec::with_capacity(TRIPS);
    for number in 0..WARM + TRIPS {
        let begun = Instant::now();
        trip()?;
        if number >= WARM {
            took.push(begun.elapsed());
        }
    }
    took.sort();
    Ok(Trips { median: took[TRIPS / 2], slow: took[TRIPS * 99 / 100] })
}
