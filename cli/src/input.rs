//! Reading of files and of standard input, which may take for ever.

use std::io;

use crate::failure::{Failure, Result};

/// The text of a file; - is standard input.
pub(crate) async fn text(path: &str) -> Result<String> {
    let (path, shown) = (path.to_owned(), path.to_owned());
    let read = reading(move || match path.as_str() {
        "-" => io::read_to_string(io::stdin()),
        path => std::fs::read_to_string(path),
    });
    read.await.map_err(|error| {
        Failure::usage(format!("{shown} cannot be read: {error}"), "check the path")
    })
}

/// Reads where it keeps nobody from hearing a signal meanwhile.
pub(crate) async fn reading<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
