//! Ctrl-C: the first ends the load, and what there is is judged; the second
//! ends everything, and cleans up.

use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;

/// How long the tasks of what was interrupted have to end what they have started.
const ENDING: Duration = Duration::from_secs(2);

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

/// Ends a runtime whose work is done, or was broken off. A checker that still judges what was broken off
/// cannot be stopped, and may take hours: it is not waited for, and ends with the process.
pub fn end(runtime: Runtime) {
    runtime.shutdown_timeout(ENDING);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_checker_that_nobody_waits_for_any_more_holds_nobody_up() -> std::io::Result<()> {
        let runtime = Runtime::new()?;
        let (judging, judges) = std::sync::mpsc::channel();
        runtime.spawn_blocking(move || {
            // Fails when the test is over.
            let _ = judging.send(());
            std::thread::sleep(Duration::from_secs(600));
        });
        assert_eq!(judges.recv(), Ok(()));
        let begun = Instant::now();
        end(runtime);
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
        Ok(())
    }
}
