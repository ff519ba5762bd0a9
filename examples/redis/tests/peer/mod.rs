//! A peer that speaks as much of Redis' protocol as it takes to hear a call, and answers as it is told,
//! or takes the call and closes.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

type Heard = Arc<Mutex<Vec<Vec<String>>>>;

/// Listens until the test is over.
pub struct Peer {
    pub address: SocketAddr,
    heard: Heard,
}

impl Peer {
    /// `answer` is given the number of a command, over all connections, and the command; where it
    /// answers nothing the connection is closed.
    pub fn start(
        answer: impl Fn(usize, &[String]) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        let heard = Heard::default();
        let (answer, hears) = (Arc::new(answer), heard.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, hears) = (answer.clone(), hears.clone());
                thread::spawn(move || serve(stream, &*answer, &hears));
            }
        });
        Self { address, heard }
    }

    /// All commands so far.
    pub fn heard(&self) -> Vec<Vec<String>> {
        self.heard.lock().expect("nobody panicked").clone()
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &dyn Fn(usize, &[String]) -> Option<String>,
    heard: &Heard,
) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    while let Some(command) = command(&mut reader) {
        let number = {
            let mut heard = heard.lock().expect("nobody panicked");
            heard.push(command.clone());
            heard.len() - 1
        };
        let Some(answer) = answer(number, &command) else { return };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// `*2`, and of each word `$5` and the word.
fn command(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let words = number(reader, '*')?;
    (0..words).map(|_| word(reader)).collect()
}

fn word(reader: &mut impl BufRead) -> Option<String> {
    let mut bytes = vec![0; number(reader, '$')? + 2];
    reader.read_exact(&mut bytes).ok()?;
    bytes.truncate(bytes.len() - 2);
    String::from_utf8(bytes).ok()
}

fn number(reader: &mut impl BufRead, mark: char) -> Option<usize> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    line.trim_end().strip_prefix(mark)?.parse().ok()
}
