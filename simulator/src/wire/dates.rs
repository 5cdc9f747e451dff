//! The service's date formats.

use std::time::SystemTime;

use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime};

/// `Sun, 06 Nov 1994 08:49:37 GMT`, as in every header.
pub(crate) fn http_date(at: OffsetDateTime) -> String {
    httpdate::fmt_http_date(SystemTime::from(at))
}

pub(crate) fn parse_http_date(text: &str) -> Option<OffsetDateTime> {
    httpdate::parse_http_date(text).ok().map(OffsetDateTime::from)
}

/// The 100-nanosecond units since 1970: the resolution of snapshot ids.
pub(crate) fn ticks(at: OffsetDateTime) -> i128 {
    at.unix_timestamp_nanos() / 100
}

/// `2011-03-09T01:42:34.9360000Z`: seven digits, which name a snapshot.
pub(crate) fn snapshot_time(ticks: i128) -> String {
    let at = UtcDateTime::from_unix_timestamp_nanos(ticks * 100).unwrap_or(UtcDateTime::UNIX_EPOCH);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:07}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.nanosecond() / 100
    )
}

/// `2026-01-02T03:04:05Z`.
pub(crate) fn sas_time(at: OffsetDateTime) -> String {
    let at = at.to_utc();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// A time in a SAS: `YYYY-MM-DD`, `YYYY-MM-DDThh:mmZ` or `YYYY-MM-DDThh:mm:ss[.fff]Z`.
pub(crate) fn parse_sas_time(text: &str) -> Option<OffsetDateTime> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
        None => (text, "00:00"),
    };
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let month = time::Month::try_from(month.parse::<u8>().ok()?).ok()?;
    let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    let mut clock = clock.splitn(3, ':');
    let (hour, minute) = (clock.next()?.parse().ok()?, clock.next()?.parse().ok()?);
    let seconds = clock.next().unwrap_or("0");
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanosecond = format!("{fraction:0<9}").parse().ok()?;
    let clock = Time::from_hms_nano(hour, minute, second.parse().ok()?, nanosecond).ok()?;
    Some(PrimitiveDateTime::new(date, clock).assume_utc())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn snapshots_show_seven_digits() {
        let at = datetime!(2011-03-09 01:42:34.936 UTC);
        assert_eq!(snapshot_time(ticks(at)), "2011-03-09T01:42:34.9360000Z");
        assert_eq!(snapshot_time(ticks(at) + 1), "2011-03-09T01:42:34.9360001Z");
    }

    #[test]
    fn every_form_of_a_sas_time_is_read() {
        let cases = [
            ("2026-01-02", Some(datetime!(2026-01-02 0:00 UTC))),
            ("2026-01-02T03:04Z", Some(datetime!(2026-01-02 3:04 UTC))),
            ("2026-01-02T03:04:05Z", Some(datetime!(2026-01-02 3:04:05 UTC))),
            ("2026-01-02T03:04:05.5Z", Some(datetime!(2026-01-02 3:04:05.5 UTC))),
            ("2026-01-02T03:04:05", None),
            ("2026-13-02", None),
            ("soon", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_sas_time(text), expected, "{text}");
        }
    }
}
