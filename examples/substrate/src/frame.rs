//! Frames on the wire: a JSON object a line, numbered so that answers find their requests.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};

#[derive(Serialize, Deserialize)]
pub(crate) struct Frame<T> {
    pub id: u64,
    pub body: T,
}

/// Writes one frame.
pub(crate) async fn write<T: Serialize>(
    to: &mut (impl AsyncWrite + Unpin),
    frame: Frame<T>,
) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(&frame)?;
    drop(frame);
    line.push(b'\n');
    to.write_all(&line).await
}

/// Reads one frame; `None` at the end, and when a line is none: a connection
/// that is out of step is worth nothing.
pub(crate) async fn read<T: DeserializeOwned>(
    from: &mut (impl AsyncBufRead + Unpin),
) -> Option<Frame<T>> {
    let mut line = String::new();
    let length = from.read_line(&mut line).await.ok()?;
    if length == 0 {
        return None;
    }
    serde_json::from_str(&line)
        .inspect_err(|error| eprintln!("a connection sent what is no frame: {error}"))
        .ok()
}
