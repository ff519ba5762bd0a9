//! A server that is none: as much of AMQP 0-9-1 as a client asks of it, over a real socket.
//! It keeps nothing: what it says of messages is what its `Does` says.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tribunal_client::Node;

/// What it does with a message, or when it is asked for one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Does {
    /// Acknowledges a message.
    Acknowledges,
    /// Returns it as one for no queue, and then acknowledges it.
    Returns,
    /// Says `nack`.
    Refuses,
    /// Closes the channel.
    ClosesTheChannel,
    /// Closes the connection in good order.
    ClosesTheConnection,
    /// Ends the connection, and takes no other.
    Dies,
    /// Ends the connection, takes another, and says no more of messages.
    ComesBack,
    /// Says nothing, though it sends heartbeats.
    IsSilent,
    /// Has no message.
    HasNone,
    /// Has none for a while, and then one.
    DeliversLate,
    /// Begins to deliver one, and ends the connection.
    DeliversHalf,
    /// Delivers one, and ends the connection.
    DeliversAndDies,
}

/// A server, and how many messages it was sent.
pub struct Server {
    port: u16,
    publishes: Arc<AtomicUsize>,
}

impl Server {
    /// One that serves until it has gone wrong, or the test ends.
    pub fn start(does: Does) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let publishes = Arc::new(AtomicUsize::new(0));
        let count = publishes.clone();
        thread::spawn(move || {
            // How a connection ends is the test's affair.
            let _ = serve(listener.accept().expect("the client").0, does, &count);
            if does == Does::ComesBack {
                let again = listener.accept().expect("the client again").0;
                let _ = serve(again, Does::IsSilent, &count);
            }
        });
        Self { port, publishes }
    }

    /// The server as a node.
    pub fn node(&self) -> Node {
        let ports = [("client".to_owned(), self.port)].into();
        Node { id: "n1".to_owned(), ip: "127.0.0.1".to_owned(), ports }
    }

    /// How many messages it was sent.
    pub fn publishes(&self) -> usize {
        self.publishes.load(Ordering::Relaxed)
    }
}

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;
const END: u8 = 0xce;

/// When `DeliversLate` has a message.
const LATE: Duration = Duration::from_secs(2);

/// One connection, to its end.
fn serve(connection: TcpStream, does: Does, publishes: &AtomicUsize) -> io::Result<()> {
    let mut peer = Peer(connection);
    peer.0.read_exact(&mut [0; 8])?;
    // 0-9, no properties, PLAIN, en_US.
    peer.say(0, (10, 10), &[&[0, 9, 0, 0, 0, 0], &long("PLAIN")[..], &long("en_US")].concat())?;
    let begun = Instant::now();
    loop {
        let (kind, channel, payload) = peer.hear()?;
        match (kind, payload) {
            (HEARTBEAT, _) => peer.frame(HEARTBEAT, 0, &[])?,
            (METHOD, payload) => {
                let method = (
                    u16::from_be_bytes([payload[0], payload[1]]),
                    u16::from_be_bytes([payload[2], payload[3]]),
                );
                if !peer.answer(channel, method, does, publishes, begun.elapsed())? {
                    return Ok(());
                }
            }
            // A message's own frames follow what was counted already.
            _ => {}
        }
    }
}

/// A client, from the server's side.
struct Peer(TcpStream);

impl Peer {
    fn hear(&mut self) -> io::Result<(u8, u16, Vec<u8>)> {
        let mut header = [0; 7];
        self.0.read_exact(&mut header)?;
        let length = u32::from_be_bytes([header[3], header[4], header[5], header[6]]);
        let mut payload = vec![0; length as usize + 1];
        self.0.read_exact(&mut payload)?;
        assert_eq!(payload.pop(), Some(END));
        Ok((header[0], u16::from_be_bytes([header[1], header[2]]), payload))
    }

    fn frame(&mut self, kind: u8, channel: u16, payload: &[u8]) -> io::Result<()> {
        let mut frame = vec![kind];
        frame.extend(channel.to_be_bytes());
        frame.extend((payload.len() as u32).to_be_bytes());
        frame.extend(payload);
        frame.push(END);
        self.0.write_all(&frame)
    }

    fn say(&mut self, channel: u16, (class, method): (u16, u16), rest: &[u8]) -> io::Result<()> {
        let payload = [&class.to_be_bytes()[..], &method.to_be_bytes(), rest].concat();
        self.frame(METHOD, channel, &payload)
    }

    /// Answers a method; false when it hangs up instead.
    fn answer(
        &mut self,
        channel: u16,
        method: (u16, u16),
        does: Does,
        publishes: &AtomicUsize,
        age: Duration,
    ) -> io::Result<bool> {
        match method {
            // Tune: channels, the size of a frame, seconds between heartbeats.
            (10, 11) => self.say(0, (10, 30), &[0, 9, 0, 2, 0, 0, 0, 60])?,
            (10, 40) => self.say(0, (10, 41), &[0])?,
            (10, 50) => self.say(0, (10, 51), &[])?,
            (20, 10) => self.say(channel, (20, 11), &[0; 4])?,
            (20, 40) => self.say(channel, (20, 41), &[])?,
            (85, 10) => self.say(channel, (85, 11), &[])?,
            (50, 10) => {
                let counts = [0; 8];
                self.say(channel, (50, 11), &[&short("tribunal.0")[..], &counts].concat())?;
            }
            (60, 40) => {
                publishes.fetch_add(1, Ordering::Relaxed);
                return self.goes_wrong(channel, does, age);
            }
            (60, 70) => return self.goes_wrong(channel, does, age),
            _ => {}
        }
        Ok(true)
    }

    fn goes_wrong(&mut self, channel: u16, does: Does, age: Duration) -> io::Result<bool> {
        let first = 1_u64.to_be_bytes();
        match does {
            Does::Acknowledges => self.say(channel, (60, 80), &[&first[..], &[0]].concat())?,
            Does::Returns => {
                let route = [short(""), short("tribunal.0")].concat();
                let why = [&312_u16.to_be_bytes()[..], &short("NO_ROUTE"), &route].concat();
                self.say(channel, (60, 50), &why)?;
                self.content(channel, b"1")?;
                self.say(channel, (60, 80), &[&first[..], &[0]].concat())?;
            }
            Does::Refuses => self.say(channel, (60, 120), &[&first[..], &[0]].concat())?,
            Does::ClosesTheChannel => self.say(channel, (20, 40), &closes())?,
            Does::ClosesTheConnection => self.say(0, (10, 50), &closes())?,
            Does::Dies | Does::ComesBack => return Ok(false),
            Does::IsSilent => {}
            Does::DeliversLate if age > LATE => self.deliver(channel)?,
            Does::HasNone | Does::DeliversLate => self.say(channel, (60, 72), &short(""))?,
            Does::DeliversHalf => {
                self.begin(channel)?;
                return Ok(false);
            }
            Does::DeliversAndDies => {
                self.deliver(channel)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `get-ok`: the first delivery, redelivered, of no exchange, and none is left.
    fn begin(&mut self, channel: u16) -> io::Result<()> {
        let route = [short(""), short("tribunal.0")].concat();
        let got = [&1_u64.to_be_bytes()[..], &[1], &route, &[0; 4]].concat();
        self.say(channel, (60, 71), &got)
    }

    fn deliver(&mut self, channel: u16) -> io::Result<()> {
        self.begin(channel)?;
        self.content(channel, b"42")
    }

    fn content(&mut self, channel: u16, body: &[u8]) -> io::Result<()> {
        // Of class 60, weight 0, and no properties.
        let header = [&[0, 60, 0, 0], &(body.len() as u64).to_be_bytes()[..], &[0, 0]].concat();
        self.frame(HEADER, channel, &header)?;
        self.frame(BODY, channel, body)
    }
}

/// Why a server closes what it closes: an internal error, of no method.
fn closes() -> Vec<u8> {
    [&541_u16.to_be_bytes()[..], &short("INTERNAL_ERROR"), &[0; 4]].concat()
}

fn short(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}

fn long(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat()
}
