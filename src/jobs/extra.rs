//! Blobs that are at the destination alone.

use std::sync::Arc;

use super::{
    Outcome,
    attempt::{Done, failed, is_not_there},
    event::Finished,
    feed::rest,
    task::Shared,
};
use crate::{BlobItem, Conditions, ETag, Error, ErrorCode, Result, wire::redaction::redact};

/// A blob that may be deleted, as it was listed.
#[derive(Debug)]
pub(crate) struct Extra {
    name: Box<str>,
    etag: Option<ETag>,
}

impl Extra {
    pub(crate) fn of(item: &BlobItem) -> Self {
        Self { name: item.name.as_str().into(), etag: item.properties.etag.clone() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Deletes the blob, if the service says that it has no source and it is still as it was
    /// listed.
    pub(crate) async fn delete(self, shared: Arc<Shared>) -> Done {
        let settings = &shared.settings;
        let rest = rest(&settings.destination_prefix, &self.name);
        let source = shared.from.blob_client(&[settings.prefix.as_str(), rest].concat());
        let item = BlobItem { name: self.name.as_ref().to_owned(), ..BlobItem::default() };
        let destination = shared.to.blob_client_of(&item);
        let delete = async || -> Result<Outcome> {
            match source.get_properties().await {
                // It has come meanwhile.
                Ok(_) => return Ok(Outcome::Kept),
                Err(error) if is_not_there(&error) => {}
                Err(error) => return Err(error),
            }
            let Some(etag) = self.etag.clone() else { return Ok(Outcome::Kept) };
            let delete = destination.delete().conditions(Conditions::new().if_match(etag));
            match delete.await {
                Err(error) if !is_not_there(&error) => Err(error),
                _ => Ok(Outcome::Deleted),
            }
        };
        let deleted = delete().await;
        let outcome = match &deleted {
            Ok(outcome) => *outcome,
            Err(error) if has_changed(error) => Outcome::Kept,
            Err(_) => Outcome::Failed,
        };
        let failure = deleted.err().filter(|_| outcome == Outcome::Failed).map(|error| {
            let urls = (source.url(), destination.url());
            Box::new(failed(&self.name, urls, outcome, Some(&error)))
        });
        let name = redact(&self.name).into_owned();
        let finished = Finished {
            name,
            outcome,
            route: None,
            bytes: 0,
            changed_metadata: Vec::new(),
            tier_not_kept: None,
            receipt: None,
            left_behind: None,
        };
        Done { finished, length: 0, failure }
    }
}

fn has_changed(error: &Error) -> bool {
    matches!(error.code(), Some(ErrorCode::ConditionNotMet | ErrorCode::TargetConditionNotMet))
}
