//! Dates in headers: `Sun, 06 Nov 1994 08:49:37 GMT`.

use http::HeaderValue;
use time::{OffsetDateTime, UtcOffset};

use super::malformed::Malformed;

/// Parses a date in the format of the service, or in an older one that HTTP allows.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    httpdate::parse_http_date(text).ok().map(OffsetDateTime::from)
}

/// The date as a header value, cut to whole seconds. Refuses years that the format cannot hold.
pub(crate) fn value(date: OffsetDateTime) -> Result<HeaderValue, Malformed> {
    let in_utc = date
        .checked_to_offset(UtcOffset::UTC)
        .filter(|in_utc| (1970..=9999).contains(&in_utc.year()))
        .ok_or(Malformed::new("must be a date of the years 1970 to 9999"))?;
    HeaderValue::from_str(&httpdate::fmt_http_date(in_utc.into()))
        .map_err(|_| Malformed::new("must be a date that a header can hold"))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        let date = datetime!(1994-11-06 08:49:37 UTC);
        assert_eq!(value(date).expect("legal"), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(
            value(datetime!(1994-11-06 03:49:37.9 -5)).expect("legal"),
            value(date).expect("legal")
        );
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(date));
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn what_is_no_date_is_not_read() {
        for bad in [
            "Sun, 06 Nov 1994 08:49:60 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nob 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 0a Nov 1994 08:49:37 GMT",
            "Sun; 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08-49-37 GMT",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(parse("Sunday, 06-Nov-94 08:49:37 GMT"), parse("Sun, 06 Nov 1994 08:49:37 GMT"));
    }

    #[test]
    fn the_last_dates_of_all_are_written_or_refused() {
        let last = datetime!(9999-12-31 23:59:59 UTC);
        assert_eq!(value(last).expect("legal"), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(parse("Fri, 31 Dec 9999 23:59:59 GMT"), Some(last));
        for beyond in [datetime!(9999-12-31 23:59 -1), datetime!(-9999-01-01 00:00 +1)] {
            let error = value(beyond).expect_err("beyond").to_string();
            assert!(error.contains("1970 to 9999"), "{error}");
        }
    }

    #[test]
    fn a_date_before_the_epoch_is_refused_and_not_wrapped() {
        assert!(value(datetime!(1969-12-31 23:59:59 UTC)).is_err());
        assert!(value(datetime!(1970-01-01 00:30 +1)).is_err());
    }
}
