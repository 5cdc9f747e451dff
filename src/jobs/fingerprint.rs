//! Which job a report or a job file belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Which job a report or a job file belongs to: the source, the destination, and the settings that
/// decide what is copied. How fast it runs is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fingerprint {
    /// The source's URL, without its query.
    pub source: String,
    /// The destination's URL, without its query.
    pub destination: String,
    /// A hash of the settings, in 16 hexadecimal digits.
    pub settings: String,
}

impl Fingerprint {
    /// The fingerprint of a job. The URLs have no query; settings are names and values.
    pub(crate) fn new<'a>(
        source: String,
        destination: String,
        settings: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Self {
        let mut settings: Vec<(&str, String)> = settings.into_iter().collect();
        settings.sort();
        let mut hash = Sha256::new();
        for (name, value) in settings {
            // With lengths, so that no two lists of settings are one text.
            hash.update(format!("{} {name} {} {value}\n", name.len(), value.len()));
        }
        let settings = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { source, destination, settings }
    }
}

/// The source, the destination, and the hash.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {} ({})", self.source, self.destination, self.settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(settings: &[(&str, &str)]) -> Fingerprint {
        let settings = settings.iter().map(|&(name, value)| (name, value.to_owned()));
        Fingerprint::new("https://a/c".into(), "https://b/c".into(), settings)
    }

    #[test]
    fn it_is_that_of_the_settings_in_any_order() {
        let both = of(&[("overwrite", "never"), ("move", "true")]);
        assert_eq!(both, of(&[("move", "true"), ("overwrite", "never")]));
        assert_eq!(both.settings.len(), 16);
        for other in [
            &[("overwrite", "never")][..],
            &[("overwrite", "never"), ("move", "false")],
            &[("overwrite", "never\n4 move 4 true")],
        ] {
            assert_ne!(both, of(other), "{other:?}");
        }
    }
}
