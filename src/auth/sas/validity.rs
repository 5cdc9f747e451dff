//! When a SAS is valid, by its own fields.

use percent_encoding::percent_decode_str;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::error::Validity;

/// Reads the start and expiry of the SAS in `query`. A date that is left to a stored access policy
/// or cannot be parsed is `None`.
///
/// From [Create a service
/// SAS](https://learn.microsoft.com/rest/api/storageservices/create-service-sas).
pub(crate) fn validity(query: &str) -> Validity {
    let date = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        parse(&percent_decode_str(value).decode_utf8().ok()?)
    };
    Validity { starts_on: date("st"), expires_on: date("se") }
}

/// Parses the three forms of a date in a SAS: to the day, minute or second.
fn parse(text: &str) -> Option<OffsetDateTime> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        17 => format!("{}:00Z", text.strip_suffix('Z')?),
        _ => text.to_owned(),
    };
    OffsetDateTime::parse(&whole, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_dates_of_a_sas_are_read_in_each_form() {
        let both = validity("sv=2026-04-06&st=2026-01-01T09%3A30Z&se=2026-01-02T00:00:01Z&sig=x");
        assert_eq!(both.starts_on, Some(datetime!(2026-01-01 09:30 UTC)));
        assert_eq!(both.expires_on, Some(datetime!(2026-01-02 00:00:01 UTC)));
        assert_eq!(validity("se=2026-01-02").expires_on, Some(datetime!(2026-01-02 00:00 UTC)));
        for none in ["", "sse=2026-01-02", "se=", "se=soon", "se=%FF", "se=2026-01-02T00:0éZ"] {
            assert_eq!(validity(none), Validity::default(), "{none}");
        }
    }
}
