//! Times of snapshots, and lengths of time, as they are typed.

use std::time::Duration;

use blobcopy::SnapshotId;
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// The time of a snapshot: in the service's form, kept byte for byte, or in ISO 8601 with an
/// offset, which is written in the service's form with all seven digits.
pub(crate) fn snapshot(text: &str) -> Result<SnapshotId, String> {
    if text.len() == "2026-01-01T00:00:00.1234567Z".len()
        && let Ok(snapshot) = text.parse()
    {
        return Ok(snapshot);
    }
    service_form(date(text)?).parse().map_err(|error: blobcopy::Error| error.to_string())
}

/// Whether it would be the time of a snapshot, if it had an offset.
pub(crate) fn lacks_offset(text: &str) -> bool {
    snapshot(text).is_err()
        && ["Z", "T00:00:00Z"].iter().any(|rest| date(&format!("{text}{rest}")).is_ok())
}

/// ISO 8601 with an offset.
pub(crate) fn date(text: &str) -> Result<OffsetDateTime, String> {
    let rule = "is not a time such as 2026-01-01T00:00:00.1234567Z or 2026-01-01T01:00:00+01:00";
    let digits = text
        .split_once('.')
        .map_or(0, |(_, rest)| rest.bytes().take_while(|byte| byte.is_ascii_digit()).count());
    match OffsetDateTime::parse(&in_full(text), &Rfc3339) {
        Ok(_) if digits > 7 => Err(format!("{text:?} has more than seven digits of a second")),
        Ok(date) => Ok(date),
        Err(_) => Err(format!("{text:?} {rule}")),
    }
}

/// The same time with what ISO 8601 lets one leave out: seconds, and the colon or the minutes of
/// an offset. `date` and PowerShell write times so.
fn in_full(text: &str) -> String {
    let (day, time) = match text.split_at_checked("2026-01-01".len()) {
        Some((day, time)) if time.starts_with(['T', ' ']) => (day, &time[1..]),
        _ => return text.to_owned(),
    };
    let (clock, offset) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, ""),
    };
    let clock = match clock.len() {
        5 => format!("{clock}:00"),
        _ => clock.to_owned(),
    };
    let offset = match (offset.len(), offset.split_at_checked(3)) {
        (3, _) => format!("{offset}:00"),
        (5, Some((hours, minutes))) => format!("{hours}:{minutes}"),
        _ => offset.to_owned(),
    };
    format!("{day}T{clock}{offset}")
}

/// A date as the service writes the times of snapshots.
pub(crate) fn service_form(date: OffsetDateTime) -> String {
    let form =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");
    date.to_offset(time::UtcOffset::UTC).format(form).unwrap_or_default()
}

/// A length of time: `90s`, `15m`, `2h`, `1h30m`, `7d`; a number alone is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let refused = || format!("{text:?} is not a time such as 90s, 15m, 2h, 1h30m or 7d");
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds)).filter(|d| !d.is_zero()).ok_or_else(refused);
    }
    let mut total = 0u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit()).count();
        let number: u64 = rest[..digits].parse().map_err(|_| refused())?;
        let unit = rest[digits..].chars().next().ok_or_else(refused)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 24 * 3600,
            _ => return Err(refused()),
        };
        let part = number.checked_mul(seconds).ok_or_else(refused)?;
        total = total.checked_add(part).ok_or_else(refused)?;
        rest = &rest[digits + 1..];
    }
    Some(Duration::from_secs(total)).filter(|d| !d.is_zero()).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_an_offset_is_known_as_one() {
        for time in
            ["2026-01-01T00:00:00", "2026-01-01T00:00:00.1234567", "2026-01-01", "2026-01-01 00:00"]
        {
            assert!(lacks_offset(time), "{time}");
        }
        for other in ["2026-01-01T00:00:00Z", "home", "", "2026", "2026-01-01T00:00:00+01:00"] {
            assert!(!lacks_offset(other), "{other}");
        }
    }

    #[test]
    fn times_keep_seven_digits() {
        for (given, kept) in [
            ("2026-01-01T00:00:00.1234567Z", "2026-01-01T00:00:00.1234567Z"),
            ("2026-01-01T01:00:00.1234567+01:00", "2026-01-01T00:00:00.1234567Z"),
            ("2025-12-31T18:30:00-05:30", "2026-01-01T00:00:00.0000000Z"),
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.0000000Z"),
            ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.5000000Z"),
            ("2026-01-01T01:00:00+0100", "2026-01-01T00:00:00.0000000Z"),
            ("2026-01-01T01:00:00.1234567+01", "2026-01-01T00:00:00.1234567Z"),
            ("2026-01-01T00:00Z", "2026-01-01T00:00:00.0000000Z"),
            ("2026-01-01 00:00:00Z", "2026-01-01T00:00:00.0000000Z"),
            ("2026-01-01 00:00:00.5-00:00", "2026-01-01T00:00:00.5000000Z"),
        ] {
            assert_eq!(snapshot(given).expect(given).as_str(), kept);
        }
        for bad in [
            "",
            "yesterday",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.12345678Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T00:00:00+1",
            "2026-01-01T00:00:00+100",
            "2026-01-01T00Z",
            "2026-01-01é00:00Z",
            "2026-01-01Té:00Z",
            "2026-01-01T00:00:00+é1",
        ] {
            assert!(snapshot(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (given, seconds) in
            [("90", 90), ("90s", 90), ("15m", 900), ("1h30m", 5400), ("7d", 604_800)]
        {
            assert_eq!(duration(given), Ok(Duration::from_secs(seconds)), "{given}");
        }
        for bad in ["", "0", "0s", "h", "1x", "1.5h", "-1s", "99999999999999999999d", "1h30"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
