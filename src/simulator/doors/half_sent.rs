//! Requests that stop halfway: after a minute without another byte their connections are closed.
//!
//! It goes by a thread of its own and not by tokio's time, which a test may have paused, and which
//! would then leap on whenever everything waits for the network.

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

const LONGEST: u32 = 60;

/// For how many seconds a request on this connection has been half-sent, counted from one; zero when
/// there is none.
#[derive(Debug, Clone, Default)]
pub(crate) struct HalfSent(Arc<AtomicU32>);

impl HalfSent {
    /// Every byte of the request is here.
    pub(crate) fn whole(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// What is watched, and the task to end.
type Connection = (Weak<AtomicU32>, AbortHandle);

/// Looks at all connections once a second, until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    connections: Arc<Mutex<Vec<Connection>>>,
    /// The thread ends when this does.
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

    pub(crate) fn add(&self, connection: &HalfSent, task: AbortHandle) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.push((Arc::downgrade(&connection.0), task));
    }
}

/// Counts one tick, and closes the connection if it was one too many.
fn is_alive((seconds, task): &Connection) -> bool {
    let Some(seconds) = seconds.upgrade() else { return false };
    let more = |seconds| (seconds > 0).then_some(seconds + 1);
    let before = seconds.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    let stuck = before.is_ok_and(|before| before >= LONGEST);
    if stuck {
        task.abort();
    }
    !stuck
}

/// A stream that notes when bytes come in.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    half_sent: HalfSent,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, half_sent: HalfSent) -> Self {
        Self { stream, half_sent }
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
            self.half_sent.0.store(1, Ordering::Relaxed);
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
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
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
    use super::*;

    #[tokio::test]
    async fn a_task_is_ended_once_its_request_has_been_half_sent_for_long() {
        let watch = Watch::start(Duration::from_millis(1));
        let (half, whole) = (HalfSent::default(), HalfSent::default());
        let [stuck, idle] = [&half, &whole].map(|connection| {
            connection.0.store(1, Ordering::Relaxed);
            let task = tokio::spawn(std::future::pending::<()>());
            watch.add(connection, task.abort_handle());
            task
        });
        whole.whole();
        assert!(stuck.await.unwrap_err().is_cancelled());
        assert!(!idle.is_finished());
    }
}
