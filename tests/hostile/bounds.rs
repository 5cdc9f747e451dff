//! Limits on output and waiting time.

use std::{
    error::Error as StdError,
    fmt::{self, Debug, Write},
    time::Duration,
};

use blobcopy::Error;

use super::values::Values;

/// The longest message of an error about a value.
pub(super) const SHORT: usize = 16 << 10;

/// The same for its `Debug` form, where a byte may take six.
pub(super) const SHORT_DEBUG: usize = 6 * SHORT;

/// The longest output of something that contains the values of a case.
pub(super) fn of_values(values: &Values) -> usize {
    // A character takes up to ten bytes in `Debug`; some types contain several texts, or many short
    // ones.
    (128 << 10) + 40 * values.longest()
}

/// Counts the written bytes, and stores none.
struct Counted(usize);

impl Write for Counted {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

fn length(shown: fmt::Arguments<'_>) -> usize {
    let mut counted = Counted(0);
    counted.write_fmt(shown).expect("it can be shown");
    counted.0
}

/// Fails if the `Debug` form of `value` is longer than `longest`.
#[track_caller]
pub(super) fn shown<T: Debug>(value: &T, longest: usize) {
    let length = length(format_args!("{value:?}")).max(length(format_args!("{value:#?}")) / 4);
    let of = std::any::type_name::<T>();
    assert!(length <= longest, "the Debug form of {of} takes {length} bytes, not {longest}");
}

/// Fails if an error's message is longer than `longest` bytes, or its `Debug` form than
/// `longest_debug`.
#[track_caller]
pub(super) fn error(error: &Error, longest: usize, longest_debug: usize) {
    let mut next: Option<&dyn StdError> = Some(error);
    let mut levels = 0;
    while let Some(cause) = next {
        let (text, debug) = (length(format_args!("{cause}")), length(format_args!("{cause:?}")));
        assert!(text <= longest, "an error says {text} bytes, not {longest}");
        assert!(debug <= longest_debug, "an error shows {debug} bytes, not {longest_debug}");
        next = cause.source();
        levels += 1;
        assert!(levels < 20, "an error has a cause without end");
    }
    let _ = (error.operation(), error.url(), error.status(), error.code(), error.retry_after());
    let _ = (error.is_retryable(), error.may_have_been_applied());
}

/// Awaits for at most this long on the tests' clock; `None` on timeout.
#[allow(clippy::disallowed_methods, reason = "the time is that of the test")]
pub(super) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, future).await.ok()
}
