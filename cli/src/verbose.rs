//! `-v`: each request on standard error, as the library tells of it, which is without secrets.

use std::{
    fmt::{self, Write},
    sync::atomic::{AtomicU64, Ordering},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use crate::output::say;

/// Shows the library's events from here on.
pub(crate) fn show_requests() {
    let _ = tracing::subscriber::set_global_default(Shown::default());
}

#[derive(Debug, Default)]
struct Shown {
    spans: AtomicU64,
}

impl Subscriber for Shown {
    /// The events of other crates may hold what must not be shown.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("blobcopy")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed).saturating_add(1))
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        say(&format!("{}{}", line.message, line.fields));
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
