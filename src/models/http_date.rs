//! Dates as they travel in headers: `Sun, 06 Nov 1994 08:49:37 GMT`.

use std::time::SystemTime;

use http::HeaderValue;
use time::{Date, Month, OffsetDateTime, Time};

use crate::error::{Error, Result};

/// Reads a date as the service writes it, or in one of the older forms that HTTP allows.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    // A page of a listing has tens of thousands of dates, all of this one shape.
    fixed(text.as_bytes())
        .or_else(|| httpdate::parse_http_date(text).ok().map(OffsetDateTime::from))
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`.
fn fixed(text: &[u8]) -> Option<OffsetDateTime> {
    let number = |digits: std::ops::Range<usize>| {
        text[digits].iter().try_fold(0_u16, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + u16::from(byte - b'0'))
        })
    };
    let two = |at: usize| number(at..at + 2).and_then(|number| u8::try_from(number).ok());
    if text.len() != 29 || &text[3..5] != b", " || &text[25..] != b" GMT" {
        return None;
    }
    let separators = [text[7], text[11], text[16], text[19], text[22]];
    if separators != [b' ', b' ', b' ', b':', b':'] {
        return None;
    }
    let month = match &text[8..11] {
        b"Jan" => Month::January,
        b"Feb" => Month::February,
        b"Mar" => Month::March,
        b"Apr" => Month::April,
        b"May" => Month::May,
        b"Jun" => Month::June,
        b"Jul" => Month::July,
        b"Aug" => Month::August,
        b"Sep" => Month::September,
        b"Oct" => Month::October,
        b"Nov" => Month::November,
        b"Dec" => Month::December,
        _ => return None,
    };
    let date = Date::from_calendar_date(number(12..16)?.into(), month, two(5)?).ok()?;
    let time = Time::from_hms(two(17)?, two(20)?, two(23)?).ok()?;
    Some(OffsetDateTime::new_utc(date, time))
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
    fn dates_are_read_as_the_http_crate_reads_them() {
        for day in 0..20_000 {
            let date = datetime!(1999-12-28 23:59:58 UTC) + time::Duration::seconds(day * 86_399);
            assert_eq!(parse(&format(date)), Some(date));
        }
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
    fn a_date_before_the_epoch_is_refused_and_not_wrapped() {
        assert!(value("date", datetime!(1969-12-31 23:59:59 UTC)).is_err());
        assert!(value("date", datetime!(1970-01-01 00:30 +1)).is_err());
    }
}
