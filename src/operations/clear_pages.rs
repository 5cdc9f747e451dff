//! Put Page with `clear`: makes pages zero again.

use http::{HeaderValue, Method};
use url::Url;

use crate::{
    error::Result,
    models::{Conditions, LeaseId, PageInfo, page},
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::{
            blob::{with_conditions, with_lease, write_lease},
            encryption::{Encryption, with_customer_key, with_encryption_scope},
            sequence_number::{SequenceConditions, with_sequence_conditions},
        },
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
    wire::headers,
};

/// Makes pages zero and frees what they took: made by
/// [`PageBlobClient::clear_pages`](crate::PageBlobClient::clear_pages).
///
/// Offset and length are multiples of 512 bytes; the length may be that of the whole blob.
///
/// [Put Page](https://learn.microsoft.com/rest/api/storageservices/put-page)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct ClearPages {
    call: Call,
    offset: u64,
    length: u64,
    encryption: Encryption,
    sequence: SequenceConditions,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl ClearPages {
    pub(crate) fn new(call: Call, offset: u64, length: u64) -> Self {
        Self {
            call,
            offset,
            length,
            encryption: Encryption::default(),
            sequence: SequenceConditions::default(),
            conditions: Conditions::new(),
            lease_id: None,
        }
    }
}

call_options!(ClearPages);
with_conditions!(ClearPages);
with_sequence_conditions!(ClearPages);
with_lease!(ClearPages);
with_customer_key!(ClearPages);
with_encryption_scope!(ClearPages);
awaitable!(ClearPages -> PageInfo);

impl Operation for ClearPages {
    type Output = PageInfo;

    const NAME: &'static str = "Put Page";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        page::check_write(self.offset, self.length)?;
        self.conditions.check_write("conditions")?;
        let mut request = Prepared::new(Method::PUT, url)
            .query("comp", "page")
            .header(headers::PAGE_WRITE, HeaderValue::from_static("clear"))
            .text(headers::RANGE, "range", &page::header(self.offset, self.length))?;
        self.conditions.write("conditions", &mut request.headers)?;
        request = self.sequence.write(request)?;
        request = self.encryption.write(&self.call, request)?;
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, answer: Answer) -> Result<PageInfo> {
        Ok(PageInfo::from_headers(&answer.headers))
    }
}
