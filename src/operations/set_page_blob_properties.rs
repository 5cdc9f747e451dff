//! Set Blob Properties for page blobs: size and sequence number.

use http::HeaderValue;

use super::create_page_blob::check_size;
use crate::{
    error::Result,
    models::PageInfo,
    operations::{
        operation::{Operation, builder},
        settings::{
            access::{Access, with_access, with_conditions, with_lease},
            sequence_number,
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::headers,
};

builder! {
    /// Changes a page blob's size.
    ///
    /// Returned by [`PageBlobClient::resize`](crate::PageBlobClient::resize).
    ///
    /// [Set Blob Properties](https://learn.microsoft.com/rest/api/storageservices/set-blob-properties)
    Resize of SetSize -> PageInfo
}

#[derive(Debug, Clone)]
pub(crate) struct SetSize {
    size: u64,
    access: Access,
}

impl SetSize {
    pub(crate) fn new(size: u64) -> Self {
        Self { size, access: Access::default() }
    }
}

/// How to change a page blob's sequence number.
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
    /// Sets the number.
    Update(u64),
    /// Sets the number if it is greater than the current one.
    Max(u64),
    /// Adds one. Retried only if the first attempt certainly changed nothing.
    Increment,
}

builder! {
    /// Changes a page blob's sequence number.
    ///
    /// Returned by
    /// [`PageBlobClient::set_sequence_number`](crate::PageBlobClient::set_sequence_number).
    ///
    /// [Set Blob Properties](https://learn.microsoft.com/rest/api/storageservices/set-blob-properties)
    SetSequenceNumber of SetNumber -> PageInfo
}

#[derive(Debug, Clone)]
pub(crate) struct SetNumber {
    action: SequenceNumberAction,
    access: Access,
}

impl SetNumber {
    pub(crate) fn new(action: SequenceNumberAction) -> Self {
        Self { action, access: Access::default() }
    }
}

with_access!(Resize, operation.access);

with_conditions!(SetSequenceNumber, operation.access);
with_lease!(SetSequenceNumber, operation.access);

impl Operation for SetSize {
    type Output = PageInfo;

    const NAME: &'static str = "Set Blob Properties";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .check(check_size(self.size))
            .query("comp", "properties")
            .header(headers::BLOB_CONTENT_LENGTH, HeaderValue::from(self.size))
            .settings(&self.access)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<PageInfo> {
        Ok(PageInfo::from_headers(&answer.headers))
    }
}

impl Operation for SetNumber {
    type Output = PageInfo;

    const NAME: &'static str = "Set Blob Properties";
    const EFFECT: Effect = Effect::Repeatable;

    fn effect(&self) -> Effect {
        match self.action {
            // A second attempt would add one again.
            SequenceNumberAction::Increment => Effect::Once,
            SequenceNumberAction::Update(_) | SequenceNumberAction::Max(_) => Self::EFFECT,
        }
    }

    fn request(&self, to: &Target) -> Result<Prepared> {
        let (word, number) = match self.action {
            SequenceNumberAction::Update(number) => ("update", Some(number)),
            SequenceNumberAction::Max(number) => ("max", Some(number)),
            SequenceNumberAction::Increment => ("increment", None),
        };
        to.put()
            .query("comp", "properties")
            .word(headers::SEQUENCE_NUMBER_ACTION, word)
            .check(number.map_or(Ok(()), sequence_number::check))
            .header(headers::BLOB_SEQUENCE_NUMBER, number.map(HeaderValue::from))
            .settings(&self.access)
            .done()
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
        let request = disk.resize(1 << 20).prepared().expect("legal");
        assert_eq!(request.url.query(), Some("comp=properties"));
        let sent = [("content-length", "0"), ("x-ms-blob-content-length", "1048576")];
        assert_eq!(offline::sent(&request.headers), sent);
        for size in [511, (8 << 40) + 512] {
            assert!(disk.resize(size).prepared().is_err(), "{size}");
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
            let request = disk.set_sequence_number(action).prepared().expect("legal");
            assert_eq!(request.headers["x-ms-sequence-number-action"], word);
            let sent = request.headers.get("x-ms-blob-sequence-number");
            assert_eq!(sent.map(|value| value.to_str().expect("text")), number);
        }
        let error = disk.set_sequence_number(Update(1 << 63)).prepared();
        assert!(error.expect_err("too large").to_string().starts_with("sequence number: "));
    }
}
