//! Closes silent connections: those with half a request after a minute without another byte, idle
//! ones after five.
//!
//! Timed by its own thread and not by tokio's time, which a test may have paused: paused time would
//! jump ahead whenever everything waits for the network.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    task::{Context, Poll},
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    task::AbortHandle,
};

/// How many seconds a request may stay half-sent.
const HALF_SENT: u32 = 60;
/// How many seconds a connection may be idle.
const IDLE: u32 = 5 * 60;

/// What a connection waits for, and its deadline: the upper half of the number holds the state, the
/// lower half the seconds.
#[derive(Debug, Clone)]
pub(crate) struct Activity(Arc<AtomicU32>);

/// The simulator is answering a request, which may take any time.
const BUSY: u32 = 0;
/// The rest of a request.
const AWAITS_REST: u32 = 1 << 16;
/// The next request, or that the client reads the answer.
const AWAITS_CALLER: u32 = 2 << 16;
const SECONDS: u32 = (1 << 16) - 1;

impl Activity {
    /// A connection that has received nothing yet.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU32::new(AWAITS_CALLER)))
    }

    /// Every byte of the request has arrived.
    pub(crate) fn request_is_whole(&self) {
        self.0.store(BUSY, Ordering::Relaxed);
    }

    /// The answer is being sent; then it is the client's turn.
    pub(crate) fn answered(&self) {
        self.0.store(AWAITS_CALLER, Ordering::Relaxed);
    }

    /// Bytes that arrive while a request is being answered belong to the next one, which gets its
    /// turn later.
    fn received(&self) {
        let waiting = |state| (state != BUSY).then_some(AWAITS_REST);
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, waiting);
    }

    /// While the client keeps reading an answer, its connection is not idle.
    fn sent(&self) {
        let idle = |state| (state & !SECONDS == AWAITS_CALLER).then_some(AWAITS_CALLER);
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, idle);
    }
}

/// The watched connections, and the task to end for each.
type Connection = (Weak<AtomicU32>, AbortHandle);

/// Checks all connections once a second, until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    connections: Arc<Mutex<Vec<Connection>>>,
    /// The thread ends when this is dropped.
    _stop: Sender<()>,
}

impl Watch {
    pub(crate) fn start(tick: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let connections = Arc::new(Mutex::new(Vec::new()));
        let watched = Arc::clone(&connections);
        thread::spawn(move || {
            while stopped.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
                watched.lock().unwrap_or_else(PoisonError::into_inner).retain(is_alive);
            }
        });
        Self { connections, _stop: stop }
    }

    pub(crate) fn add(&self, connection: &Activity, task: AbortHandle) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.push((Arc::downgrade(&connection.0), task));
    }
}

/// Counts one tick, and closes the connection after too many.
fn is_alive((activity, task): &Connection) -> bool {
    let Some(activity) = activity.upgrade() else { return false };
    let more = |state| (state != BUSY).then_some(state + 1);
    let Ok(before) = activity.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) else {
        return true;
    };
    let most = if before & !SECONDS == AWAITS_REST { HALF_SENT } else { IDLE };
    let stuck = before & SECONDS >= most;
    if stuck {
        task.abort();
    }
    !stuck
}

/// A stream that notes when bytes arrive and leave.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    activity: Activity,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, activity: Activity) -> Self {
        Self { stream, activity }
    }
}

impl<S> Watched<S> {
    fn note_sent(&self, polled: &Poll<std::io::Result<usize>>) {
        if matches!(polled, Poll::Ready(Ok(1..))) {
            self.activity.sent();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.received();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note_sent(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note_sent(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// How many ticks a connection may stay in this state.
    fn ticks(activity: &Activity) -> u32 {
        let task = tokio::spawn(std::future::pending::<()>());
        let connection = (Arc::downgrade(&activity.0), task.abort_handle());
        (0..1000).take_while(|_| is_alive(&connection)).fold(0, |ticks, _| ticks + 1)
    }

    #[tokio::test]
    async fn an_idle_connection_has_five_minutes_and_half_a_request_one() {
        let activity = Activity::new();
        assert_eq!(ticks(&activity), 300, "nothing has come yet");
        activity.received();
        assert_eq!(ticks(&activity), 60);
        activity.request_is_whole();
        assert_eq!(ticks(&activity), 1000, "an answer may take its time");
        activity.received();
        assert_eq!(ticks(&activity), 1000, "even if more comes meanwhile");
        activity.answered();
        assert_eq!(ticks(&activity), 300);
    }

    #[tokio::test]
    async fn whoever_goes_on_taking_an_answer_is_not_idle() {
        let activity = Activity::new();
        let (kept, _other) = tokio::io::duplex(1024);
        let mut stream = Watched::new(kept, activity.clone());
        activity.answered();
        let task = tokio::spawn(std::future::pending::<()>());
        let connection = (Arc::downgrade(&activity.0), task.abort_handle());
        for _ in 0..10 {
            assert!((0..299).all(|_| is_alive(&connection)));
            stream.write_all(b"more").await.unwrap();
        }
        activity.received();
        stream.write_all(b"more").await.unwrap();
        assert_eq!(ticks(&activity), 60, "that the caller takes more sends no rest of a request");
    }

    #[tokio::test]
    async fn a_task_is_ended_once_its_connection_has_waited_for_long() {
        let watch = Watch::start(Duration::from_millis(1));
        let activities = [Activity::new(), Activity::new(), Activity::new()];
        let [half_sent, idle, busy] = &activities;
        half_sent.received();
        busy.request_is_whole();
        let [half_sent, idle, busy] = [half_sent, idle, busy].map(|connection| {
            let task = tokio::spawn(std::future::pending::<()>());
            watch.add(connection, task.abort_handle());
            task
        });
        assert!(half_sent.await.unwrap_err().is_cancelled());
        assert!(idle.await.unwrap_err().is_cancelled());
        assert!(!busy.is_finished());
    }
}
