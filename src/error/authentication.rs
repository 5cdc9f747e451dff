//! Why a request was not authenticated: what the clock and the SAS reveal.

use std::time::Duration;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// How far a clock may be off before the service rejects the dates it writes.
///
/// From [Authorize with Shared
/// Key](https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key).
const LARGEST_SKEW: Duration = Duration::from_secs(15 * 60);

/// What is known about a request that was not authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) proof: ProofKind,
    /// The validity of the request's SAS.
    pub(crate) sas: Validity,
    /// The validity of the SAS in the URL of a copy's source.
    pub(crate) source_sas: Validity,
    /// The client's time when the response arrived.
    pub(crate) now: OffsetDateTime,
    /// The service's time, from the response's `Date`.
    pub(crate) date: Option<OffsetDateTime>,
}

/// What authorized a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProofKind {
    SharedKey,
    Sas,
    Token,
    Nothing,
}

/// When a SAS is valid, by its own parameters; a stored access policy may hold the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) starts_on: Option<OffsetDateTime>,
    pub(crate) expires_on: Option<OffsetDateTime>,
}

impl Evidence {
    /// What to do about a request that was not authenticated. `blames_the_time`: the service says
    /// that the SAS is not valid at this time.
    pub(super) fn advice(&self, blames_the_time: bool) -> String {
        let skew = self.date.map(|date| self.now - date).unwrap_or_default();
        match self.proof {
            ProofKind::SharedKey if skew.unsigned_abs() > LARGEST_SKEW => {
                let side = if skew.is_positive() { "ahead of" } else { "behind" };
                let skew = rounded(skew.unsigned_abs());
                format!("this computer's clock is {skew} {side} the service's: set it right")
            }
            ProofKind::SharedKey => {
                "the signature does not match, and the clock is right: check that the key is one \
                 of this account's and has not been regenerated"
                    .to_owned()
            }
            ProofKind::Sas => self.validity_advice(self.sas, "the SAS").unwrap_or_else(|| {
                if blames_the_time {
                    // The dates are in the stored access policy, or the clocks differ.
                    return "the SAS or its stored access policy is not valid at this time: use a \
                            new one"
                        .to_owned();
                }
                "the SAS is valid at this time, so its signature does not match: the SAS was \
                 changed, or it was signed with another account's key or with one that was \
                 regenerated since"
                    .to_owned()
            }),
            ProofKind::Token => {
                "the service did not accept the token: check its tenant and its audience, \
                 https://storage.azure.com"
                    .to_owned()
            }
            ProofKind::Nothing => {
                "the client has no credential: give it a key, a SAS or a token".to_owned()
            }
        }
    }

    /// What is wrong with the dates of the SAS in the URL of a copy's source.
    pub(super) fn advice_on_source(&self) -> Option<String> {
        self.validity_advice(self.source_sas, "the SAS of the source")
    }

    /// What is wrong with the dates of a SAS, by the service's clock.
    fn validity_advice(&self, sas: Validity, what: &str) -> Option<String> {
        let date = self.date.unwrap_or(self.now);
        if let Some(expiry) = sas.expires_on.filter(|expiry| *expiry <= date) {
            let ago = rounded((date - expiry).unsigned_abs());
            return Some(format!("{what} expired at {}, {ago} ago: use a new one", day(expiry)));
        }
        let start = sas.starts_on.filter(|start| *start > date)?;
        let left = rounded((start - date).unsigned_abs());
        Some(format!("{what} is valid from {} on, in {left} by the service's clock", day(start)))
    }
}

/// A date in the format of a SAS.
fn day(date: OffsetDateTime) -> String {
    date.format(&Rfc3339).unwrap_or_else(|_| date.to_string())
}

/// A duration in its two largest units, for display.
fn rounded(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let first = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(units.len() - 1);
    let (size, name) = units[first];
    let counted = |count: u64, name: &str| match count {
        1 => format!("1 {name}"),
        _ => format!("{count} {name}s"),
    };
    let shown = counted(seconds / size, name);
    match units.get(first + 1) {
        Some((next, name)) if seconds % size >= *next => {
            format!("{shown} {}", counted(seconds % size / next, name))
        }
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

    fn evidence(proof: ProofKind, date: OffsetDateTime) -> Evidence {
        let none = Validity::default();
        Evidence { proof, sas: none, source_sas: none, now: NOW, date: Some(date) }
    }

    #[test]
    fn skew_expiry_and_a_wrong_key_have_texts_of_their_own() {
        let key = |date| evidence(ProofKind::SharedKey, date).advice(false);
        let skewed = key(datetime!(2026-01-01 09:57 UTC));
        assert!(skewed.contains("2 hours 3 minutes ahead of the service's"), "{skewed}");
        let skewed = key(datetime!(2026-01-01 12:15:01 UTC));
        assert!(skewed.contains("15 minutes 1 second behind the service's"), "{skewed}");
        let wrong = key(datetime!(2026-01-01 12:15 UTC));
        assert!(wrong.contains("key is one of this account's"), "{wrong}");

        let sas = |starts_on, expires_on| {
            let sas = Validity { starts_on, expires_on };
            Evidence { sas, ..evidence(ProofKind::Sas, NOW) }.advice(false)
        };
        let expired = sas(None, Some(datetime!(2026-01-01 11:00 UTC)));
        assert!(expired.contains("expired at 2026-01-01T11:00:00Z"), "{expired}");
        assert!(expired.contains("1 hour ago"), "{expired}");
        let early = sas(Some(datetime!(2026-01-03 12:00 UTC)), None);
        assert!(
            early.contains("is valid from 2026-01-03T") && early.contains("in 2 days"),
            "{early}"
        );
        let wrong = sas(None, Some(datetime!(2026-01-02 00:00 UTC)));
        assert!(wrong.contains("signature does not match"), "{wrong}");
    }

    #[test]
    fn a_sas_expires_by_the_services_clock() {
        let sas = Validity { expires_on: Some(datetime!(2026-01-01 11:59 UTC)), starts_on: None };
        let behind = Evidence { sas, ..evidence(ProofKind::Sas, datetime!(2026-01-01 11:00 UTC)) };
        assert!(
            behind.advice(false).contains("signature does not match"),
            "{}",
            behind.advice(false)
        );
        let undated = Evidence { date: None, ..behind };
        assert!(undated.advice(false).contains("expired"), "{}", undated.advice(false));
    }
}
