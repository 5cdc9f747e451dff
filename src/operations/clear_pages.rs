//! Put Page with `clear`: sets pages to zero.

use crate::{
    error::Result,
    models::{ByteRange, PageInfo, page},
    operations::{
        operation::{Operation, builder},
        settings::{
            access::{Access, with_access},
            sequence_number::{SequenceConditions, with_sequence_conditions},
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::headers,
};

builder! {
    /// Sets pages to zero and frees their space.
    ///
    /// Returned by [`PageBlobClient::clear_pages`](crate::PageBlobClient::clear_pages).
    ///
    /// Start and end of the range are multiples of 512. The range may be the whole blob.
    ///
    /// [Put Page](https://learn.microsoft.com/rest/api/storageservices/put-page)
    ClearPages of PutPageClear -> PageInfo
}

#[derive(Debug, Clone)]
pub(crate) struct PutPageClear {
    range: ByteRange,
    sequence: SequenceConditions,
    access: Access,
}

impl PutPageClear {
    pub(crate) fn new(range: ByteRange) -> Self {
        let (sequence, access) = (SequenceConditions::default(), Access::default());
        Self { range, sequence, access }
    }
}

with_access!(ClearPages, operation.access);
with_sequence_conditions!(ClearPages);

impl Operation for PutPageClear {
    type Output = PageInfo;

    const NAME: &'static str = "Put Page";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .try_text(headers::RANGE, "range", page::written(self.range))
            .query("comp", "page")
            .word(headers::PAGE_WRITE, "clear")
            .settings(&self.sequence)
            .settings(&self.access)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<PageInfo> {
        Ok(PageInfo::from_headers(&answer.headers))
    }
}
