//! The switch: carries frames from port to port, each when it is due. One thread, which
//! waits for frames, for the time and for requests at once (epoll(7)).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};

use super::capture::Capture;
use super::control::Control;
use super::frame::{self, Destination, HEADER};
use super::layer::Passage;
use super::links::{Links, Port};
use super::protocol::{Reply, Request};
use super::tap::{self, PREFIX, Tap};

/// Frames taken from one port before the others have their turn.
const BURST: usize = 64;
/// How often leases are looked at.
const LEASES: Duration = Duration::from_millis(250);

// What an event is about: a port's place, or one of these, or a connection's number.
const TIMER: u64 = 1 << 32;
const LISTENER: u64 = TIMER + 1;
const CONNECTIONS: u64 = TIMER + 2;

/// A frame that is on its way.
struct Underway {
    due: u64,
    /// Of two that are due together, the first that left comes first.
    turn: u64,
    to: Port,
    frame: Vec<u8>,
}

impl PartialEq for Underway {
    fn eq(&self, other: &Self) -> bool {
        (self.due, self.turn) == (other.due, other.turn)
    }
}
impl Eq for Underway {}
impl PartialOrd for Underway {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Underway {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.turn).cmp(&(other.due, other.turn))
    }
}

/// A switch at work.
pub struct Switch {
    ports: Vec<Tap>,
    links: Links,
    underway: BinaryHeap<Reverse<Underway>>,
    turns: u64,
    control: Control,
    /// Whose capture it is, and the file.
    capture: Option<(u64, Capture)>,
    epoll: OwnedFd,
    timer: OwnedFd,
    /// What the timer is set to; 0: it is not.
    alarm: u64,
    passages: Vec<Passage>,
}

impl Switch {
    /// A switch between these ports, which listens for requests.
    pub fn new(ports: Vec<(String, Tap)>, listener: UnixListener) -> io::Result<Self> {
        let (names, ports): (Vec<String>, Vec<Tap>) = ports.into_iter().unzip();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (at, port) in ports.iter().enumerate() {
            epoll::add(&epoll, port, EventData::new_u64(at as u64), EventFlags::IN)?;
        }
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        epoll::add(&epoll, &timer, EventData::new_u64(TIMER), EventFlags::IN)?;
        listener.set_nonblocking(true)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        Ok(Self {
            ports,
            links: Links::new(names),
            underway: BinaryHeap::new(),
            turns: 0,
            control: Control::new(listener),
            capture: None,
            epoll,
            timer,
            alarm: 0,
            passages: Vec::new(),
        })
    }

    /// Carries frames until something is wrong with the wire itself.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(64);
        let mut buffer = vec![0; tap::LONGEST];
        loop {
            self.deliver();
            self.set_timer()?;
            events.clear();
            let waits = (!self.control.is_empty())
                .then(|| Timespec::try_from(LEASES).expect("it is short"));
            match epoll::wait(&self.epoll, spare_capacity(&mut events), waits.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                match event.data.u64() {
                    TIMER => self.alarm = 0,
                    LISTENER => self.accept()?,
                    number if number >= CONNECTIONS => self.serve(number - CONNECTIONS)?,
                    port => self.take(port as Port, &mut buffer)?,
                }
            }
            for lost in self.control.overdue() {
                self.hang_up(lost)?;
            }
        }
    }

    /// Sends what is due.
    fn deliver(&mut self) {
        if self.underway.is_empty() {
            return;
        }
        let now = now();
        while let Some(Reverse(first)) = self.underway.peek()
            && first.due <= now
        {
            let Some(Reverse(Underway { to, frame, .. })) = self.underway.pop() else { return };
            self.ports[to].send(&frame);
        }
    }

    /// Has the timer end the next wait when the next frame is due.
    fn set_timer(&mut self) -> io::Result<()> {
        let due = self.underway.peek().map_or(0, |Reverse(first)| first.due);
        if due == self.alarm {
            return Ok(());
        }
        self.alarm = due;
        let at = |nanos: u64| Timespec {
            tv_sec: (nanos / 1_000_000_000) as i64,
            tv_nsec: (nanos % 1_000_000_000) as i64,
        };
        let when = Itimerspec { it_interval: at(0), it_value: at(due) };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &when)?;
        Ok(())
    }

    /// Takes frames from a port and sends each on its way.
    fn take(&mut self, from: Port, buffer: &mut [u8]) -> io::Result<()> {
        for _ in 0..BURST {
            let bytes = match self.ports[from].receive(buffer) {
                Ok(Some(bytes)) if bytes >= PREFIX + HEADER => bytes,
                Ok(Some(_)) => continue,
                Ok(None) => return Ok(()),
                // The interface is down, or its namespace is going: the node is, not the wire.
                Err(_) => return self.forget(from),
            };
            let frame = &mut buffer[..bytes];
            let now = now();
            if let Some((_, capture)) = &mut self.capture {
                // A full disk ends the capture, not the run.
                if capture.frame(now, &frame[PREFIX..]).is_err() {
                    self.capture = None;
                }
            }
            match frame::destination(&frame[PREFIX..]) {
                Some(Destination::Port(to)) if usize::from(to) < self.ports.len() => {
                    self.forward(from, usize::from(to), now, frame);
                }
                Some(Destination::All) => {
                    for to in (0..self.ports.len()).filter(|&to| to != from) {
                        self.forward(from, to, now, frame);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn forward(&mut self, from: Port, to: Port, now: u64, frame: &[u8]) {
        if self.links.is_whole(from, to) || frame::is_address_resolution(&frame[PREFIX..]) {
            self.ports[to].send(frame);
            return;
        }
        let mut passages = std::mem::take(&mut self.passages);
        self.links.pass(from, to, now, frame, &mut passages);
        for passage in &passages {
            let mut frame = frame.to_vec();
            if let Some(how) = passage.flip {
                frame::flip(&mut frame[PREFIX..], how);
            }
            self.later(passage.due, to, frame);
        }
        self.passages = passages;
        self.deliver();
    }

    fn later(&mut self, due: u64, to: Port, frame: Vec<u8>) {
        self.turns += 1;
        self.underway.push(Reverse(Underway { due, turn: self.turns, to, frame }));
    }

    /// A port whose interface is gone is not listened to any more.
    fn forget(&self, port: Port) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, &self.ports[port])?)
    }

    fn accept(&mut self) -> io::Result<()> {
        while let Some((number, connection)) = self.control.accept()? {
            let data = EventData::new_u64(CONNECTIONS + number);
            epoll::add(&self.epoll, connection, data, EventFlags::IN)?;
        }
        Ok(())
    }

    /// Answers what a connection asks.
    fn serve(&mut self, number: u64) -> io::Result<()> {
        let Some(lines) = self.control.hear(number) else { return self.hang_up(number) };
        for line in lines {
            let reply = match line.request {
                Ok(request) => self.answer(number, request),
                Err(why) => Reply::Failed { why },
            };
            if !self.control.say(number, line.id, reply) {
                return self.hang_up(number);
            }
        }
        Ok(())
    }

    fn answer(&mut self, number: u64, request: Request) -> Reply {
        match request {
            Request::Ping => Reply::Done,
            Request::Lease { milliseconds } => {
                self.control.lease(number, Duration::from_millis(milliseconds));
                Reply::Done
            }
            Request::Impose { fault, seed, links } => {
                match self.links.impose((number, fault), seed, &links) {
                    Ok(()) => {
                        self.adapt_offload();
                        Reply::Done
                    }
                    Err(why) => Reply::Failed { why },
                }
            }
            Request::Look { fault } => Reply::Seen { links: self.links.tallies((number, fault)) },
            Request::Lift { fault } => {
                let links = self.links.tallies((number, fault));
                self.lift(|owner| owner == (number, fault));
                Reply::Seen { links }
            }
            Request::Capture { path } => match Capture::create(&path, now()) {
                Ok(capture) => {
                    self.capture = Some((number, capture));
                    Reply::Done
                }
                Err(error) => Reply::Failed { why: format!("{}: {error}", path.display()) },
            },
        }
    }

    fn lift(&mut self, whose: impl Fn((u64, u64)) -> bool) {
        let now = now();
        for (to, frame) in self.links.lift(whose) {
            self.later(now, to, frame);
        }
        self.adapt_offload();
    }

    /// Has every node send as its links need it.
    fn adapt_offload(&mut self) {
        for (at, port) in self.ports.iter_mut().enumerate() {
            port.offload(!self.links.needs_single_frames(at));
        }
    }

    /// Undoes all that a connection asked for.
    fn hang_up(&mut self, number: u64) -> io::Result<()> {
        if let Some(connection) = self.control.remove(number) {
            epoll::delete(&self.epoll, &connection)?;
        }
        if self.capture.as_ref().is_some_and(|(owner, _)| *owner == number)
            && let Some((_, mut capture)) = self.capture.take()
        {
            // Nobody is there to be told.
            let _ = capture.flush();
        }
        self.lift(|(owner, _)| owner == number);
        Ok(())
    }
}

/// The monotonic clock, in nanoseconds.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
