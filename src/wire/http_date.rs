//! Dates as they travel in headers: `Sun, 06 Nov 1994 08:49:37 GMT`.

use http::HeaderValue;
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use super::malformed::Malformed;

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

/// The date as the service reads it, cut to whole seconds; refuses what the format cannot hold.
pub(crate) fn value(date: OffsetDateTime) -> Result<HeaderValue, Malformed> {
    let in_utc = date
        .checked_to_offset(UtcOffset::UTC)
        .filter(|in_utc| (1970..=9999).contains(&in_utc.year()))
        .ok_or(Malformed::new("must be a date of the years 1970 to 9999"))?;
    HeaderValue::from_bytes(&format(in_utc))
        .map_err(|_| Malformed::new("must be a date that a header can hold"))
}

/// Writes `Sun, 06 Nov 1994 08:49:37 GMT`. Every request has one, so no machinery of `fmt` here.
fn format(date: OffsetDateTime) -> [u8; 29] {
    const DAYS: &[u8; 21] = b"MonTueWedThuFriSatSun";
    const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let (year, month, day) = date.to_calendar_date();
    let (hour, minute, second) = date.to_hms();
    let weekday = usize::from(date.weekday().number_days_from_monday());
    let month = usize::from(u8::from(month)) - 1;
    let [century, year] = [year / 100, year % 100].map(|two| u8::try_from(two).unwrap_or_default());

    let mut text = *b"Sun, 06 Nov 1994 08:49:37 GMT";
    text[..3].copy_from_slice(&DAYS[3 * weekday..][..3]);
    text[8..11].copy_from_slice(&MONTHS[3 * month..][..3]);
    let numbers = [(5, day), (12, century), (14, year), (17, hour), (20, minute), (23, second)];
    for (at, number) in numbers {
        text[at] = b'0' + number / 10;
        text[at + 1] = b'0' + number % 10;
    }
    text
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn text(date: OffsetDateTime) -> String {
        httpdate::fmt_http_date(date.into())
    }

    #[test]
    fn dates_go_there_and_back() {
        let date = datetime!(1994-11-06 08:49:37 UTC);
        assert_eq!(value(date).expect("legal"), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(value(datetime!(1994-11-06 03:49:37.9 -5)).expect("legal"), text(date));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(date));
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn dates_are_written_and_read_as_the_http_crate_does() {
        for day in 0..20_000 {
            let date = datetime!(1999-12-28 23:59:58 UTC) + time::Duration::seconds(day * 86_399);
            assert_eq!(value(date).expect("legal"), text(date));
            assert_eq!(parse(&text(date)), Some(date));
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
