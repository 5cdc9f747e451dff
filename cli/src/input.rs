//! Reading of standard input, which may take for ever.

/// Reads where it keeps nobody from hearing a signal meanwhile.
pub(crate) async fn reading<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
