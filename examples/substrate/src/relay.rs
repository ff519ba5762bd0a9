//! A relay between a client and a database that carries a chosen request to the server, and
//! no answer to it: for tests of what clients say of calls whose answers are lost.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use tribunal_client::Node;

/// A relay on a port of its own. It serves until the test program ends.
pub struct Relay {
    here: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// The bytes after which nothing comes back any more.
    marks: Vec<&'static [u8]>,
    silent: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// A relay to `node` that falls silent with the first request that has any of these bytes.
    pub fn to(node: &Node, marks: &[&'static [u8]]) -> Self {
        let there = (node.ip.clone(), node.ports["client"]);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let here = listener.local_addr().expect("bound");
        let state = Arc::new(State { marks: marks.to_vec(), ..State::default() });
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect((there.0.as_str(), there.1)) {
                    relay(&client, &server, &shared);
                }
            }
        });
        Self { here, state }
    }

    /// The relay as a node.
    pub fn node(&self) -> Node {
        let ports = [("client".to_owned(), self.here.port())].into();
        Node { id: "n1".to_owned(), ip: self.here.ip().to_string(), ports }
    }

    /// Whether the chosen request has gone through.
    pub fn is_silent(&self) -> bool {
        self.state.silent.load(Ordering::SeqCst)
    }

    /// Ends all connections.
    pub fn hang_up(&self) {
        for stream in self.state.open.lock().expect("no panic").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn relay(client: &TcpStream, server: &TcpStream, state: &Arc<State>) {
    let both = |stream: &TcpStream| stream.try_clone().expect("a descriptor");
    state.open.lock().expect("no panic").extend([both(client), both(server)]);
    let (from, to, shared) = (both(client), both(server), state.clone());
    thread::spawn(move || {
        copy(from, to, |bytes| {
            let has = |mark: &&[u8]| bytes.windows(mark.len()).any(|some| some == *mark);
            if shared.marks.iter().any(has) {
                shared.silent.store(true, Ordering::SeqCst);
            }
            true
        });
    });
    let (from, to, shared) = (both(server), both(client), state.clone());
    thread::spawn(move || copy(from, to, |_| !shared.silent.load(Ordering::SeqCst)));
}

/// Passes on what `passes` lets through, until one side is gone.
fn copy(mut from: TcpStream, mut to: TcpStream, mut passes: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if passes(&buffer[..count]) && to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
