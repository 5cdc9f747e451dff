//! Get Blob Properties, of which only the copy is read.

use crate::{
    error::Result,
    models::copy_properties::CopyProperties,
    operations::operation::Operation,
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
};

/// What a poll sends. It reads the headers of the copy and no others, since it may be sent
/// thousands of times and a blob has three times as many.
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
