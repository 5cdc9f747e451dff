//! How long to wait for another server.
//!
//! Timed by a thread and not by tokio's time, which a test may have paused: paused time would jump
//! ahead while everything waits for the network.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

/// Runs `future` for at most `limit` by the computer's clock; `None` on timeout.
pub(super) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    // The thread ends when the first of these is dropped.
    let (_stop, stopped) = mpsc::channel::<()>();
    let (ring, rings) = oneshot::channel();
    thread::spawn(move || {
        if stopped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            let _ = ring.send(());
        }
    });
    tokio::select! {
        biased;
        output = future => Some(output),
        _ = rings => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_takes_longer_is_given_up_and_the_rest_is_awaited() {
        let never = within(Duration::from_millis(1), std::future::pending::<()>());
        assert_eq!(never.await, None);
        let (answer, answers) = oneshot::channel();
        let (kept, late) = mpsc::channel::<()>();
        thread::spawn(move || {
            let _ = late.recv_timeout(Duration::from_millis(50));
            answer.send(7)
        });
        assert_eq!(within(Duration::from_secs(30), answers).await, Some(Ok(7)));
        drop(kept);
    }
}
