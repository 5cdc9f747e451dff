//! The spans and events of a run. The names and fields are documented in the module's page.

use tracing::Span;

use super::{
    CopyJob, Failure, Report,
    event::Finished,
    task::{Shared, Task},
};
use crate::wire::redaction::redact;

/// The target of all of them.
const TARGET: &str = "blobcopy::jobs";

/// The span of a run.
pub(super) fn job(job: &CopyJob, shared: &Shared) -> Span {
    let shown = |url: crate::Result<url::Url>, prefix: &str| {
        let url = url.map(String::from).unwrap_or_default();
        redact(&format!("{url}/{prefix}")).into_owned()
    };
    let settings = &shared.settings;
    tracing::info_span!(
        target: TARGET,
        "copy_job",
        source = shown(shared.from.url(), &settings.prefix),
        destination = shown(shared.to.url(), &settings.destination_prefix),
        shard = job.part().map(tracing::field::display),
    )
}

/// The span of one blob, within that of its run.
pub(super) fn blob(job: &Span, task: &Task) -> Span {
    tracing::debug_span!(
        target: TARGET,
        parent: job,
        "copy_blob",
        blob = %redact(&task.item.name),
        route = ?task.route,
        length = task.item.properties.content_length,
    )
}

/// The event at the end of a blob.
pub(super) fn finished(job: &Span, finished: &Finished) {
    tracing::debug!(
        target: TARGET,
        parent: job,
        blob = %finished.name,
        outcome = ?finished.outcome,
        bytes = finished.bytes,
        "blob finished"
    );
}

/// The event of a failure.
pub(super) fn failed(job: &Span, failure: &Failure) {
    tracing::warn!(
        target: TARGET,
        parent: job,
        blob = %failure.name,
        outcome = ?failure.outcome,
        code = failure.code.as_deref(),
        request_id = failure.request_id.as_deref(),
        error = %failure.message,
        "blob failed"
    );
}

/// The event at the end of a run.
pub(super) fn ended(job: &Span, report: &Report) {
    tracing::info!(
        target: TARGET,
        parent: job,
        blobs = report.outcomes.values().sum::<u64>(),
        failed = report.failed.len(),
        bytes = report.bytes,
        requests = report.requests,
        retries = report.retries,
        elapsed = ?report.elapsed,
        "job ended"
    );
}
