//! Set Blob Properties, for what only page blobs have: their size and their sequence number.

use http::{HeaderValue, Method};
use url::Url;

use super::create_page_blob::check_size;
use crate::{
    error::Result,
    models::{Conditions, LeaseId, PageInfo},
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::{
            blob::{with_conditions, with_lease, write_lease},
            encryption::{Encryption, with_customer_key, with_encryption_scope},
            sequence_number,
        },
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
    wire::headers,
};

/// Changes a page blob's size: made by [`PageBlobClient::resize`](crate::PageBlobClient::resize).
///
/// [Set Blob Properties](https://learn.microsoft.com/rest/api/storageservices/set-blob-properties)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct Resize {
    call: Call,
    size: u64,
    encryption: Encryption,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

/// What becomes of a page blob's sequence number.
///
/// ```
/// use blobcopy::SequenceNumberAction;
///
/// let action = SequenceNumberAction::Max(7); // 7, unless it is more already
/// # let _ = action;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SequenceNumberAction {
    /// It becomes this number.
    Update(u64),
    /// It becomes this number, unless it is more already.
    Max(u64),
    /// It becomes one more. Retried only where it is certain that the first try did nothing.
    Increment,
}

/// Changes a page blob's sequence number: made by
/// [`PageBlobClient::set_sequence_number`](crate::PageBlobClient::set_sequence_number).
///
/// [Set Blob Properties](https://learn.microsoft.com/rest/api/storageservices/set-blob-properties)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct SetSequenceNumber {
    call: Call,
    action: SequenceNumberAction,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl Resize {
    pub(crate) fn new(call: Call, size: u64) -> Self {
        let (encryption, conditions) = (Encryption::default(), Conditions::new());
        Self { call, size, encryption, conditions, lease_id: None }
    }
}

impl SetSequenceNumber {
    pub(crate) fn new(call: Call, action: SequenceNumberAction) -> Self {
        Self { call, action, conditions: Conditions::new(), lease_id: None }
    }
}

call_options!(Resize);
with_conditions!(Resize);
with_lease!(Resize);
with_customer_key!(Resize);
with_encryption_scope!(Resize);
awaitable!(Resize -> PageInfo);

call_options!(SetSequenceNumber);
with_conditions!(SetSequenceNumber);
with_lease!(SetSequenceNumber);
awaitable!(SetSequenceNumber -> PageInfo);

impl Operation for Resize {
    type Output = PageInfo;

    const NAME: &'static str = "Set Blob Properties";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        check_size(self.size)?;
        self.conditions.check_write("conditions")?;
        let mut request = Prepared::new(Method::PUT, url)
            .query("comp", "properties")
            .header(headers::BLOB_CONTENT_LENGTH, HeaderValue::from(self.size));
        self.conditions.write("conditions", &mut request.headers)?;
        request = self.encryption.write(&self.call, request)?;
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, answer: Answer) -> Result<PageInfo> {
        Ok(PageInfo::from_headers(&answer.headers))
    }
}

impl Operation for SetSequenceNumber {
    type Output = PageInfo;

    const NAME: &'static str = "Set Blob Properties";
    // What a second try of an increment would do is not what the first has done.
    const REPEAT: Repeat = Repeat::Never;

    fn request(&self, url: Url) -> Result<Prepared> {
        self.conditions.check_write("conditions")?;
        let (word, number) = match self.action {
            SequenceNumberAction::Update(number) => ("update", Some(number)),
            SequenceNumberAction::Max(number) => ("max", Some(number)),
            SequenceNumberAction::Increment => ("increment", None),
        };
        let mut request = Prepared::new(Method::PUT, url)
            .query("comp", "properties")
            .header(headers::SEQUENCE_NUMBER_ACTION, HeaderValue::from_static(word));
        if let Some(number) = number {
            sequence_number::check(number)?;
            request = request.header(headers::BLOB_SEQUENCE_NUMBER, HeaderValue::from(number));
        }
        self.conditions.write("conditions", &mut request.headers)?;
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, answer: Answer) -> Result<PageInfo> {
        Ok(PageInfo::from_headers(&answer.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::offline;

    #[test]
    fn a_size_is_all_that_a_resize_sends() {
        let disk = offline::blob().page_blob_client();
        let request = disk.resize(1 << 20).request(disk.url().expect("legal")).expect("legal");
        assert_eq!(request.url.query(), Some("comp=properties"));
        let sent = [("content-length", "0"), ("x-ms-blob-content-length", "1048576")];
        assert_eq!(offline::sent(&request.headers), sent);
        for size in [511, (8 << 40) + 512] {
            assert!(disk.call().prepare(&disk.resize(size)).is_err(), "{size}");
        }
    }

    #[test]
    fn each_action_is_a_word_and_all_but_one_have_a_number() {
        let disk = offline::blob().page_blob_client();
        use SequenceNumberAction::{Increment, Max, Update};
        for (action, word, number) in [
            (Update(7), "update", Some("7")),
            (Max(8), "max", Some("8")),
            (Increment, "increment", None),
        ] {
            let request = disk.call().prepare(&disk.set_sequence_number(action)).expect("legal");
            assert_eq!(request.headers["x-ms-sequence-number-action"], word);
            let sent = request.headers.get("x-ms-blob-sequence-number");
            assert_eq!(sent.map(|value| value.to_str().expect("text")), number);
        }
        let error = disk.call().prepare(&disk.set_sequence_number(Update(1 << 63)));
        assert!(error.expect_err("too large").to_string().starts_with("sequence number: "));
    }
}
