//! A Patroni that has one member, the leader.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

/// Listens until the test is over.
pub fn naming(leader: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it has one");
    let (ip, port) = (leader.ip(), leader.port());
    let members =
        format!(r#"{{"members": [{{"role": "leader", "host": "{ip}", "port": {port}}}]}}"#);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = BufReader::new(stream.try_clone().expect("a second handle")).lines();
            while head.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = write!(stream, "HTTP/1.0 200 OK\r\n\r\n{members}");
        }
    });
    address
}
