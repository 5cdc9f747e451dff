//! Events from `tracing`, kept as text that a test can search.

use std::{
    error::Error,
    fmt::{self, Write},
    iter,
    sync::{Arc, LazyLock, Mutex},
};

use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::{DefaultGuard, set_default},
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};

/// With a single subscriber, tracing asks the first thread that reaches a line whether the line is
/// of interest, and caches the answer; a thread without a subscriber would decide for all. With two
/// subscribers it asks both.
static ANOTHER: LazyLock<Dispatch> =
    LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));

/// Every event and span of this thread, at every level, with all fields; one line each, and one
/// whenever a span's fields are recorded later.
///
/// Other threads of the multi-threaded runtime are not recorded: use it under a plain
/// `#[tokio::test]`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    /// Records until the guard is dropped.
    pub(crate) fn listen() -> (Self, DefaultGuard) {
        LazyLock::force(&ANOTHER);
        let events = Self::default();
        let guard = set_default(tracing_subscriber::registry().with(events.clone()));
        (events, guard)
    }

    /// The lines recorded so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no test panics while it writes").clone()
    }

    fn push(&self, kind: &str, of: &Metadata<'_>, record: impl FnOnce(&mut Fields)) {
        let mut fields = Fields(format!("{kind} {} {} {}", of.level(), of.target(), of.name()));
        record(&mut fields);
        self.0.lock().expect("no test panics while it writes").push(fields.0);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Events {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.push("span", span.metadata(), |fields| span.record(fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("a span that is recorded is open");
        self.push("record", span.metadata(), |fields| values.record(fields));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.push("event", event.metadata(), |fields| event.record(fields));
    }
}

/// A line that grows by one ` name=value` for each field.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").expect("a string takes all");
    }

    /// In both of its forms, and with all its sources: any of them could contain a secret.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        for error in iter::successors(Some(value), |&error| error.source()) {
            write!(self.0, " {field}={error} {error:?}").expect("a string takes all");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn every_event_and_span_is_kept_with_all_its_fields() {
        let (events, guard) = Events::listen();
        let span = tracing::trace_span!("request", attempt = 1, status = tracing::field::Empty);
        span.record("status", 202);
        let error = io::Error::other(io::Error::new(io::ErrorKind::TimedOut, "too late"));
        tracing::debug!(error = &error as &dyn Error, url = %"http://a/b", "no answer");
        drop(guard);
        tracing::error!("nobody listens any more");

        let lines = events.lines();
        let here = "main::support::events::tests";
        assert_eq!(lines[0], format!("span TRACE {here} request attempt=1"));
        assert_eq!(lines[1], format!("record TRACE {here} request status=202"));
        assert!(lines[2].starts_with(&format!("event DEBUG {here} event ")), "{lines:?}");
        assert!(lines[2].contains(" message=no answer"), "{lines:?}");
        assert!(lines[2].contains(" url=http://a/b"), "{lines:?}");
        assert!(lines[2].contains("error=too late Custom"), "{lines:?}");
        assert_eq!(lines.len(), 3);
    }
}
