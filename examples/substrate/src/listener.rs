//! Accepts connections and answers the requests that come on them, side by side.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::frame::{self, Frame};

/// Answers every request on every connection with `answer`, for ever.
pub async fn listen<Q, A, F, R>(listener: TcpListener, answer: F)
where
    Q: DeserializeOwned + Send + 'static,
    A: Serialize + Send + 'static,
    F: Fn(Q) -> R + Send + Sync + 'static,
    R: Future<Output = A> + Send + 'static,
{
    let answer = Arc::new(answer);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                tokio::spawn(attend(stream, answer.clone()));
            }
            // Out of descriptors, or a connection that was gone before it was accepted.
            Err(error) => {
                eprintln!("cannot accept a connection: {error}");
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn attend<Q, A, F, R>(stream: TcpStream, answer: Arc<F>)
where
    Q: DeserializeOwned + Send + 'static,
    A: Serialize + Send + 'static,
    F: Fn(Q) -> R + Send + Sync + 'static,
    R: Future<Output = A> + Send + 'static,
{
    let (reader, mut writer) = stream.into_split();
    let (answers, mut outgoing) = mpsc::unbounded_channel::<Frame<A>>();
    tokio::spawn(async move {
        while let Some(frame) = outgoing.recv().await {
            if frame::write(&mut writer, frame).await.is_err() {
                return;
            }
        }
    });
    let mut reader = BufReader::new(reader);
    while let Some(Frame { id, body }) = frame::read(&mut reader).await {
        let (answer, answers) = (answer.clone(), answers.clone());
        tokio::spawn(async move {
            let body = answer(body).await;
            let _ = answers.send(Frame { id, body });
        });
    }
}
