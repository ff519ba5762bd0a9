//! What goes on for a fault between its injection and its healing, here at the controller.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tribunal_history::Effect;

/// What such work says in the end: what was seen of it, or why it could not go on.
pub type Told = Result<Effect, String>;

/// Work in progress, by name.
#[derive(Default)]
pub struct Background(Mutex<BTreeMap<String, Work>>);

struct Work {
    stop: watch::Sender<bool>,
    task: JoinHandle<Told>,
}

impl Background {
    /// Begins some work, which is to end soon after it is told to stop.
    pub fn begin<F>(&self, name: String, work: impl FnOnce(watch::Receiver<bool>) -> F)
    where
        F: Future<Output = Told> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(work(stopped));
        self.0.lock().expect("nobody panics holding it").insert(name, Work { stop, task });
    }

    /// Tells it to stop, and waits for it; `None` if there is none of that name.
    pub async fn end(&self, name: &str) -> Option<Told> {
        let work = self.0.lock().expect("nobody panics holding it").remove(name)?;
        // Fails if it has ended by itself.
        let _ = work.stop.send(true);
        Some(work.task.await.unwrap_or_else(|panic| Err(panic.to_string())))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        for work in self.0.get_mut().into_iter().flat_map(|all| all.values()) {
            work.task.abort();
        }
    }
}
