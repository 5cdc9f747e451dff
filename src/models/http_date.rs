//! Dates as they travel in headers: `Sun, 06 Nov 1994 08:49:37 GMT`.

use std::time::SystemTime;

use http::HeaderValue;
use time::OffsetDateTime;

use crate::error::{Error, Result};

/// Reads a date as the service writes it.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    httpdate::parse_http_date(text).ok().map(OffsetDateTime::from)
}

/// Writes a date as the service reads it, cut to whole seconds.
pub(crate) fn format(date: OffsetDateTime) -> String {
    httpdate::fmt_http_date(SystemTime::from(date))
}

/// The date as a header value; refuses what the format cannot hold.
pub(crate) fn value(what: &'static str, date: OffsetDateTime) -> Result<HeaderValue> {
    if !(1970..=9999).contains(&date.to_offset(time::UtcOffset::UTC).year()) {
        return Err(Error::invalid(what, date, "must be a date of the years 1970 to 9999"));
    }
    HeaderValue::try_from(format(date))
        .map_err(|_| Error::invalid(what, date, "must be a date that a header can hold"))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        let date = datetime!(1994-11-06 08:49:37 UTC);
        assert_eq!(format(date), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(date));
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn a_date_before_the_epoch_is_refused_and_not_wrapped() {
        assert!(value("date", datetime!(1969-12-31 23:59:59 UTC)).is_err());
        assert!(value("date", datetime!(1970-01-01 00:30 +1)).is_err());
    }
}
