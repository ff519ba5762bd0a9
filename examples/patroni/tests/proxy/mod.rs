//! Carries bytes to a server and back, until the client says a word: that is not carried any more.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Listens until the test is over.
pub struct Proxy;

impl Proxy {
    /// Its address.
    pub fn start(server: SocketAddr, word: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(server).expect("the server listens");
                let back = (server.try_clone(), client.try_clone());
                let (Ok(mut from), Ok(mut to)) = back else { continue };
                thread::spawn(move || io::copy(&mut from, &mut to));
                thread::spawn(move || carry(client, server, word.as_bytes()));
            }
        });
        address
    }
}

/// A statement comes in one piece, for it is written in one.
fn carry(mut client: TcpStream, mut server: TcpStream, word: &[u8]) {
    let mut bytes = [0; 8192];
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        let said = &bytes[..count];
        if said.windows(word.len()).any(|part| part == word) || server.write_all(said).is_err() {
            break;
        }
    }
    for stream in [client, server] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
