//! Conditions on a page blob's sequence number.

use http::{HeaderName, HeaderValue};

use crate::{
    error::{Error, Result},
    pipeline::request::{Prepared, Settings},
};

/// Conditions of a page write on the blob's sequence number.
#[derive(Debug, Clone, Default)]
pub(crate) struct SequenceConditions {
    pub(crate) at_most: Option<u64>,
    pub(crate) less_than: Option<u64>,
    pub(crate) equal: Option<u64>,
}

impl Settings for SequenceConditions {
    fn write(&self, request: Prepared) -> Prepared {
        let add = |request: Prepared, (name, number): (&'static str, Option<u64>)| {
            request
                .check(number.map_or(Ok(()), check))
                .header(HeaderName::from_static(name), number.map(HeaderValue::from))
        };
        [
            ("x-ms-if-sequence-number-le", self.at_most),
            ("x-ms-if-sequence-number-lt", self.less_than),
            ("x-ms-if-sequence-number-eq", self.equal),
        ]
        .into_iter()
        .fold(request, add)
    }
}

/// Refuses a number that the service cannot store.
pub(crate) fn check(number: u64) -> Result<()> {
    if number > i64::MAX.unsigned_abs() {
        return Err(Error::invalid("sequence number", number, "must be at most 2^63 - 1"));
    }
    Ok(())
}

/// The three conditions for a builder.
macro_rules! with_sequence_conditions {
    ($builder:ident) => {
        impl $builder {
            /// Writes only if the blob's sequence number is less than or equal to `number`;
            /// otherwise the service answers 412 `SequenceNumberConditionNotMet`.
            pub fn if_sequence_number_at_most(mut self, number: u64) -> Self {
                self.operation.sequence.at_most = Some(number);
                self
            }

            /// Writes only if the blob's sequence number is less than `number`; otherwise the
            /// service answers 412 `SequenceNumberConditionNotMet`.
            pub fn if_sequence_number_less_than(mut self, number: u64) -> Self {
                self.operation.sequence.less_than = Some(number);
                self
            }

            /// Writes only if the blob's sequence number is equal to `number`; otherwise the
            /// service answers 412 `SequenceNumberConditionNotMet`.
            pub fn if_sequence_number_equal(mut self, number: u64) -> Self {
                self.operation.sequence.equal = Some(number);
                self
            }
        }
    };
}
pub(crate) use with_sequence_conditions;

#[cfg(test)]
mod tests {
    use crate::operations::offline;

    #[test]
    fn each_condition_is_one_header() {
        let disk = offline::blob().page_blob_client();
        let clear = disk
            .clear_pages(0..512)
            .if_sequence_number_at_most(3)
            .if_sequence_number_less_than(2)
            .if_sequence_number_equal(1);
        let request = clear.prepared().expect("legal");
        for (name, value) in [("le", "3"), ("lt", "2"), ("eq", "1")] {
            assert_eq!(request.headers[format!("x-ms-if-sequence-number-{name}")], value);
        }
        let error = disk.clear_pages(0..512).if_sequence_number_equal(1 << 63).prepared();
        let error = error.expect_err("too large").to_string();
        assert!(error.starts_with("sequence number: "), "{error}");
    }
}
