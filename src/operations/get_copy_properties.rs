//! Get Blob Properties, reading only the copy.

use crate::{
    error::Result,
    models::copy_properties::CopyProperties,
    operations::operation::Operation,
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
};

/// The request of a poll. It parses only the headers of the copy, about a third of all: a wait may
/// poll thousands of times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GetCopyProperties;

impl Operation for GetCopyProperties {
    type Output = CopyProperties;

    const NAME: &'static str = "Get Blob Properties";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.head().done()
    }

    fn parse(&self, answer: Answer) -> Result<CopyProperties> {
        Ok(CopyProperties::from_headers(&answer.headers))
    }
}
