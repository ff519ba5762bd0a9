//! Asking many and waiting for enough.

use tokio::sync::mpsc;

/// The smallest number that is more than half of `members`.
pub fn majority(members: usize) -> usize {
    members / 2 + 1
}

/// Asks all at once and returns the first `enough` answers, or as many as there
/// are when no more can come. Who has not answered by then is asked to the end
/// nevertheless: a store that a majority has is still for all.
pub async fn gather<T: Send + 'static>(
    asked: impl IntoIterator<Item = impl Future<Output = Option<T>> + Send + 'static>,
    enough: usize,
) -> Vec<T> {
    let (answers, mut coming) = mpsc::unbounded_channel();
    for ask in asked {
        let answers = answers.clone();
        tokio::spawn(async move {
            if let Some(answer) = ask.await {
                let _ = answers.send(answer);
            }
        });
    }
    drop(answers);
    let mut gathered = Vec::with_capacity(enough);
    while gathered.len() < enough {
        match coming.recv().await {
            Some(answer) => gathered.push(answer),
            None => break,
        }
    }
    gathered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn enough_answers_suffice_and_too_few_are_known() {
        let silent = || async { std::future::pending().await };
        let asked: Vec<std::pin::Pin<Box<dyn Future<Output = Option<u32>> + Send>>> =
            vec![Box::pin(async { Some(1) }), Box::pin(silent()), Box::pin(async { Some(2) })];
        let mut answers = gather(asked, majority(3)).await;
        answers.sort();
        assert_eq!(answers, [1, 2]);
        let refusing = (0..3u32).map(|n| async move { (n == 0).then_some(n) });
        assert_eq!(gather(refusing, majority(3)).await, [0]);
    }
}
