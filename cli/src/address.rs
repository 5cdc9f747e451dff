//! SOURCE and DEST as they are written: `container/blob`, `//account/container/blob`, or a URL.

use blobcopy::{BlobClient, BlobContainerClient, Credential, SnapshotId};
use url::Url;

use crate::{
    failure::{Failure, Result, redacted, without_query},
    moment,
};

/// A container, a blob, or a folder of blobs, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) place: Place,
    pub(crate) container: String,
    /// The blob's name; the beginning of names if it ends with `/`; empty for the whole container.
    pub(crate) name: String,
    /// Which snapshot of the blob.
    pub(crate) when: Option<When>,
}

/// Which account an address is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// The context's own.
    Context,
    /// Another one, beside the context's.
    Account(String),
    /// Wherever the URL leads.
    Url(Url),
}

/// A snapshot as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    At(SnapshotId),
    Latest,
}

const FORMS: &str = "write container/blob, //account/container/blob, or a URL";

impl Address {
    /// Reads an address.
    ///
    /// What follows the last `@` is a snapshot only if it is a time or `latest`; a URL names its
    /// snapshot in its query, and its path is a name whatever it ends with.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if let Some((scheme, _)) = text.split_once("://") {
            return match scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
            {
                true => Self::from_url(text),
                false => Err(refused(text, "has a scheme that is neither http nor https")),
            };
        }
        let (place, path) = match text.strip_prefix("//") {
            None => (Place::Context, text),
            Some(rest) => match rest.split_once('/') {
                Some((account, path)) if is_account(account) => {
                    (Place::Account(account.to_owned()), path)
                }
                _ => return Err(refused(text, "does not name an account after //")),
            },
        };
        let (path, when) = split_when(path);
        let (container, name) = path.split_once('/').unwrap_or((path, ""));
        if container.is_empty() {
            return Err(refused(text, "does not name a container"));
        }
        if when.is_some() && name.is_empty() {
            return Err(refused(text, "names a snapshot, but no blob"));
        }
        Ok(Self { place, container: container.to_owned(), name: name.to_owned(), when })
    }

    /// The library knows where in a URL the account ends and the container begins.
    fn from_url(text: &str) -> Result<Self> {
        let url: Url = text.parse().map_err(|_| refused(text, "is not a URL"))?;
        if url.fragment().is_some() {
            return Err(refused(text, "has a #: write it as %23 if the name holds one"));
        }
        let mut plain = url.clone();
        plain.set_query(None);
        let container = BlobContainerClient::new(plain.clone(), Credential::anonymous());
        if let Ok(container) = container {
            let container = container.name().to_owned();
            return Ok(Self { place: Place::Url(url), container, name: String::new(), when: None });
        }
        let blob = BlobClient::new(url.clone(), Credential::anonymous()).map_err(Failure::from)?;
        let when = blob.snapshot().map(|snapshot| When::At(snapshot.clone()));
        let (container, name) = (blob.container_name().to_owned(), blob.name().to_owned());
        Ok(Self { place: Place::Url(url), container, name, when })
    }

    /// Whether it is a container or the beginning of names, and not one blob.
    pub(crate) fn is_folder(&self) -> bool {
        self.name.is_empty() || self.name.ends_with('/')
    }

    /// The same, where a folder takes the name of what comes into it.
    pub(crate) fn or_below(mut self, name: &str) -> Self {
        if self.is_folder() {
            self.name.push_str(name);
        }
        self
    }

    /// Insists on one blob.
    pub(crate) fn blob(self, what: &str) -> Result<Self> {
        match self.is_folder() {
            true => {
                Err(Failure::usage(format!("{what} {} does not name a blob", self.shown()), FORMS))
            }
            false => Ok(self),
        }
    }

    /// Insists on a container.
    pub(crate) fn container(self, what: &str) -> Result<Self> {
        match self.name.is_empty() {
            true => Ok(self),
            false => Err(Failure::usage(
                format!("{what} {} names a blob, not a container", self.shown()),
                "leave out what follows the container's name",
            )),
        }
    }

    /// Insists on something that is not a snapshot.
    pub(crate) fn base(self, what: &str) -> Result<Self> {
        match self.when {
            Some(_) => Err(Failure::usage(
                format!("{what} {} names a snapshot, which cannot be written", self.shown()),
                "leave out @TIME; a blob whose name ends so is written as a URL",
            )),
            None => Ok(self),
        }
    }

    /// Whether a SAS is written in it.
    pub(crate) fn holds_sas(&self) -> bool {
        matches!(&self.place, Place::Url(url) if url.query_pairs().any(|(name, _)| name == "sig"))
    }

    /// As it may be shown and, unless a SAS was cut from it, be used in another command.
    pub(crate) fn shown(&self) -> String {
        let at = match &self.when {
            None => String::new(),
            Some(When::Latest) => "@latest".to_owned(),
            Some(When::At(snapshot)) => format!("@{snapshot}"),
        };
        match &self.place {
            Place::Context => redacted(&format!("{}/{}{at}", self.container, self.name)),
            Place::Account(account) => {
                redacted(&format!("//{account}/{}/{}{at}", self.container, self.name))
            }
            Place::Url(url) => match &self.when {
                Some(When::At(snapshot)) => format!("{}?snapshot={snapshot}", without_query(url)),
                _ => without_query(url),
            },
        }
    }
}

/// Takes a time or `latest` off the end of a path.
fn split_when(path: &str) -> (&str, Option<When>) {
    let Some((before, after)) = path.rsplit_once('@') else { return (path, None) };
    match after {
        "latest" => (before, Some(When::Latest)),
        time => match moment::snapshot(time) {
            Ok(snapshot) => (before, Some(When::At(snapshot))),
            Err(_) => (path, None),
        },
    }
}

fn is_account(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn refused(text: &str, why: &str) -> Failure {
    Failure::usage(format!("{text:?} {why}"), FORMS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2026-01-01T00:00:00.1234567Z";

    fn parsed(text: &str) -> Address {
        Address::parse(text).expect(text)
    }

    fn at(time: &str) -> Option<When> {
        Some(When::At(time.parse().expect("a time")))
    }

    #[test]
    fn only_the_first_segment_is_the_container() {
        let address = parsed("vhds/2026/disk 0.vhd");
        assert_eq!(address.place, Place::Context);
        assert_eq!(address.container, "vhds");
        assert_eq!(address.name, "2026/disk 0.vhd");
        assert_eq!(address.when, None);
        assert!(parsed("vhds").is_folder() && parsed("vhds/").is_folder());
        assert!(parsed("vhds/2026/").is_folder() && !parsed("vhds/2026").is_folder());
    }

    #[test]
    fn two_slashes_name_an_account() {
        let address = parsed("//other/vhds/disk0.vhd");
        assert_eq!(address.place, Place::Account("other".to_owned()));
        assert_eq!((address.container.as_str(), address.name.as_str()), ("vhds", "disk0.vhd"));
        for bad in ["//", "//other", "///vhds/disk0.vhd", "//a b/c/d", "/vhds/b", ""] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_or_latest_behind_the_last_at_is_a_snapshot() {
        assert_eq!(parsed(&format!("vhds/a@b@{TIME}")).when, at(TIME));
        assert_eq!(parsed(&format!("vhds/a@b@{TIME}")).name, "a@b");
        assert_eq!(parsed("vhds/d@latest").when, Some(When::Latest));
        let moved = parsed("vhds/d@2026-01-01T01:00:00.1234567+01:00");
        assert_eq!((moved.name.as_str(), moved.when), ("d", at(TIME)));
        for name in ["d@home", "d@", "d@Latest", "d@2026-01-01", "d@2026-01-01T00:00:00"] {
            let address = parsed(&format!("vhds/{name}"));
            assert_eq!((address.name.as_str(), address.when), (name, None));
        }
        assert!(Address::parse(&format!("vhds@{TIME}")).is_err());
    }

    #[test]
    fn a_name_that_ends_like_a_snapshot_is_written_as_a_url() {
        let address = parsed("https://acct.blob.core.windows.net/vhds/d@latest");
        assert_eq!((address.name.as_str(), address.when), ("d@latest", None));
    }

    #[test]
    fn a_url_names_its_snapshot_in_the_query() {
        let url = format!("http://127.0.0.1:10000/acct/vhds/a%20b?snapshot={TIME}&sig=SECRET");
        let address = parsed(&url);
        assert_eq!((address.container.as_str(), address.name.as_str()), ("vhds", "a b"));
        assert_eq!(address.when, at(TIME));
        assert!(address.holds_sas());
        let shown = address.shown();
        assert_eq!(shown, format!("http://127.0.0.1:10000/acct/vhds/a%20b?snapshot={TIME}"));
    }

    #[test]
    fn a_url_of_a_container_is_one() {
        for url in [
            "https://acct.blob.core.windows.net/backups",
            "https://acct.blob.core.windows.net/backups/",
            "http://127.0.0.1:10000/acct/backups/?sv=1&sr=c&sig=x",
        ] {
            let address = parsed(url);
            assert_eq!(
                (address.container.as_str(), address.name.as_str()),
                ("backups", ""),
                "{url}"
            );
        }
        assert!(Address::parse("ftp://acct/backups/d").is_err());
    }

    #[test]
    fn a_folder_takes_the_name_of_what_comes_into_it() {
        assert_eq!(parsed("backups/").or_below("a/d.vhd").name, "a/d.vhd");
        assert_eq!(parsed("backups/daily/").or_below("d.vhd").name, "daily/d.vhd");
        assert_eq!(parsed("backups/x").or_below("d.vhd").name, "x");
    }

    #[test]
    fn no_refusal_shows_a_signature() {
        let text = "ftp://acct/backups/d?sv=1&sig=SECRET%2B";
        let failure = Address::parse(text).expect_err("refused");
        let [what, _] = failure.told().expect("told").lines();
        assert!(!what.contains("SECRET"), "{what}");
    }
}
