//! The secondary endpoint of an account, for reads from another region.
//!
//! From [Use geo-redundancy to design highly available
//! applications](https://learn.microsoft.com/azure/storage/common/geo-redundant-design).

use url::Url;

use crate::{
    error::{Error, Result},
    models::endpoint::Endpoint,
};

/// The two endpoints of an account, as prefixes of URLs.
#[derive(Debug, Clone)]
pub(crate) struct Secondary {
    primary: String,
    secondary: String,
}

impl Secondary {
    /// The secondary of `endpoint`: the one `given`, or the one derived from its name.
    pub(crate) fn of(endpoint: &Endpoint, given: Option<&Url>) -> Result<Self> {
        let base = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        let secondary = given.map(base).or_else(|| endpoint.secondary()).ok_or_else(|| {
            let rule = "names no account whose secondary is known: set read_from_secondary for an \
                        account's own endpoint, or use a connection string with both endpoints";
            Error::invalid("endpoint", endpoint.url(), rule)
        })?;
        Ok(Self { primary: base(endpoint.url()), secondary })
    }

    /// The same resource at the secondary.
    pub(crate) fn url(&self, of: &Url) -> Option<Url> {
        let rest = of.as_str().strip_prefix(&self.primary)?;
        Url::parse(&format!("{}{rest}", self.secondary)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(endpoint: &str, given: Option<&str>, url: &str) -> Option<String> {
        let (endpoint, _) =
            Endpoint::parse(endpoint.parse().expect("a URL"), None).expect("an endpoint");
        let given = given.map(|given| given.parse().expect("a URL"));
        let secondary = Secondary::of(&endpoint, given.as_ref()).ok()?;
        Some(secondary.url(&url.parse().expect("a URL"))?.into())
    }

    #[test]
    fn the_secondary_follows_from_the_accounts_name() {
        for (endpoint, secondary) in [
            ("https://acct.blob.core.windows.net", "https://acct-secondary.blob.core.windows.net"),
            (
                "https://acct-ipv6.blob.core.windows.net/",
                "https://acct-secondary-ipv6.blob.core.windows.net",
            ),
            ("http://127.0.0.1:10000/acct", "http://127.0.0.1:10000/acct-secondary"),
        ] {
            let url = format!("{}/c/a%20b?comp=tags", endpoint.trim_end_matches('/'));
            let expected = format!("{secondary}/c/a%20b?comp=tags");
            assert_eq!(moved(endpoint, None, &url), Some(expected));
        }
    }

    #[test]
    fn a_custom_domain_must_be_told_its_secondary() {
        let (own, url) = ("https://disks.example.com", "https://disks.example.com/c/b");
        assert_eq!(moved(own, None, url), None);
        let given = Some("https://disks2.example.com/");
        assert_eq!(moved(own, given, url).as_deref(), Some("https://disks2.example.com/c/b"));
        let secondary = "https://acct-secondary.blob.core.windows.net";
        assert_eq!(moved(secondary, None, secondary), None, "it is the secondary already");
    }
}
