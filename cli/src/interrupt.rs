//! Ctrl-C: the first ends the load, and what there is is judged; the second
//! ends everything, and cleans up.

use tokio::sync::watch;

/// How the rest of a command learns of Ctrl-C.
pub struct Interrupt {
    /// True after the first.
    pub stop: watch::Receiver<bool>,
    /// True after the second.
    again: watch::Receiver<bool>,
}

impl Interrupt {
    /// Listens from now on, for SIGINT and SIGTERM.
    pub fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut int = signal(SignalKind::interrupt())?;
        let mut term = signal(SignalKind::terminate())?;
        let (stopping, stop) = watch::channel(false);
        let (ending, again) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
                if *stopping.borrow() {
                    eprintln!("tribunal: ending at once, and cleaning up");
                    // As below.
                    let _ = ending.send(true);
                } else {
                    eprintln!(
                        "tribunal: stopping the load; what there is will be judged (once more: end at once)"
                    );
                    // Fails when nobody listens any more: then there is nothing to stop.
                    let _ = stopping.send(true);
                }
            }
        });
        Ok(Self { stop, again })
    }

    /// Waits for the first Ctrl-C.
    pub async fn first(&self) {
        pressed(self.stop.clone()).await;
    }

    /// Waits for the second Ctrl-C.
    pub async fn again(&self) {
        pressed(self.again.clone()).await;
    }
}

async fn pressed(mut told: watch::Receiver<bool>) {
    // Its sender listens for as long as there is a runtime.
    if told.wait_for(|pressed| *pressed).await.is_err() {
        std::future::pending::<()>().await;
    }
}
