//! SOURCE and DEST as they are written: `container/blob`, `//account/container/blob`, or a URL.

use blobcopy::{BlobClient, BlobContainerClient, Credential, SnapshotId};
use url::Url;

use crate::{
    failure::{Failure, Result, redacted, without_query},
    moment, names,
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
    /// Wherever the URL leads: it is the URL of just what the address names.
    Url(Url),
}

/// A snapshot as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    At(SnapshotId),
    Latest,
}

/// What stands for a SAS in a command that is shown.
const CUT: &str = "SAS";

const FORMS: &str = "write container/blob, //account/container/blob, or a URL";

impl Address {
    /// Reads an address.
    ///
    /// What follows the last `@` is a snapshot only if it is a time or `latest`; a URL names its
    /// snapshot in its query, and its path is a name whatever it ends with.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if let Some((scheme, _)) =
            text.split_once("://").filter(|(scheme, _)| !scheme.contains('/'))
        {
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
        if holds_sas(path) {
            return Err(Failure::usage(
                format!("{text:?} ends in a SAS, which only a URL takes"),
                "write the blob's URL with its SAS, or put the SAS into a file: --sas-file",
            ));
        }
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
    pub(crate) fn or_below(self, name: &str) -> Result<Self> {
        match self.is_folder() {
            true => {
                let name = format!("{}{name}", self.name);
                self.named(&name)
            }
            false => Ok(self),
        }
    }

    /// The blob of that name in the same container. Its URL has the same query: a SAS of the
    /// container is one of its blobs too.
    pub(crate) fn named(mut self, name: &str) -> Result<Self> {
        if let Some(container) = self.container_url() {
            let mut plain = container.clone();
            plain.set_query(None);
            let inside = BlobContainerClient::new(plain, Credential::anonymous())?;
            let mut url = inside.blob_client(name).url()?;
            url.set_query(container.query());
            self.place = Place::Url(url);
        }
        name.clone_into(&mut self.name);
        Ok(self)
    }

    /// The URL of the container that a URL leads into. A SAS stays.
    pub(crate) fn container_url(&self) -> Option<Url> {
        let Place::Url(url) = &self.place else { return None };
        let url = base(url);
        let segments: Vec<&str> = url.path().split('/').collect();
        // The library knows how many segments come before the container.
        (2..=segments.len()).find_map(|count| {
            let mut plain = url.clone();
            plain.set_path(&segments[..count].join("/"));
            plain.set_query(None);
            let container =
                BlobContainerClient::new(plain.clone(), Credential::anonymous()).ok()?;
            plain.set_query(url.query());
            (container.name() == self.container).then_some(plain)
        })
    }

    /// The endpoint of the account that a URL leads into.
    pub(crate) fn endpoint(&self) -> Option<Url> {
        let mut url = self.container_url()?;
        url.set_query(None);
        let (account, _) = url.path().trim_end_matches('/').rsplit_once('/')?;
        let account = account.to_owned();
        url.set_path(&account);
        Some(url)
    }

    /// Insists on one blob.
    pub(crate) fn blob(self, what: &str) -> Result<Self> {
        if !self.is_folder() {
            return Ok(self);
        }
        let shown = self.shown();
        Err(Failure::usage(
            match self.name.as_str() {
                "" => format!("{what} {} is a container, not a blob", shown.trim_end_matches('/')),
                _ => format!("{what} {shown} does not name a blob"),
            },
            FORMS,
        ))
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
                format!(
                    "{what} {} names a snapshot, and the command is about the blob",
                    self.shown()
                ),
                "leave out @TIME or @latest; a blob whose name ends so is written as a URL",
            )),
            None => Ok(self),
        }
    }

    /// Whether it is the URL of a managed disk or its snapshot. Names of accounts have no hyphen.
    pub(crate) fn is_managed_disk(&self) -> bool {
        let Place::Url(url) = &self.place else { return false };
        url.host_str().is_some_and(|host| host.starts_with("md-") && host.contains(".blob."))
    }

    /// Whether a SAS is written in it.
    pub(crate) fn holds_sas(&self) -> bool {
        matches!(&self.place, Place::Url(url) if url.query_pairs().any(|(name, _)| name == "sig"))
    }

    /// The signature of the SAS that is written in it, as it is written.
    pub(crate) fn signature(&self) -> Option<&str> {
        let Place::Url(url) = &self.place else { return None };
        let mut pairs = url.query().unwrap_or_default().split('&');
        pairs.find(|pair| pair.starts_with("sig="))
    }

    /// As another command takes it. `SAS` is written where a SAS was cut from it.
    pub(crate) fn in_command(&self) -> String {
        let shown = self.shown();
        match self.holds_sas() {
            true if shown.contains('?') => format!("{shown}&{CUT}"),
            true => format!("{shown}?{CUT}"),
            false => shown,
        }
    }

    /// As it may be shown.
    pub(crate) fn shown(&self) -> String {
        let at = match &self.when {
            None => String::new(),
            Some(When::Latest) => "@latest".to_owned(),
            Some(When::At(snapshot)) => format!("@{snapshot}"),
        };
        match &self.place {
            Place::Context => {
                format!("{}/{}{at}", redacted(&self.container), names::shown(&self.name))
            }
            Place::Account(account) => {
                let container = redacted(&self.container);
                format!("//{account}/{container}/{}{at}", names::shown(&self.name))
            }
            Place::Url(url) => match &self.when {
                Some(When::At(snapshot)) => format!("{}?snapshot={snapshot}", without_query(url)),
                _ => without_query(url),
            },
        }
    }
}

/// A URL without the snapshot that it names; a SAS stays.
pub(crate) fn base(url: &Url) -> Url {
    let query: Vec<&str> = url.query().unwrap_or_default().split('&').collect();
    let is_snapshot = |part: &&str| part.to_ascii_lowercase().starts_with("snapshot=");
    let rest: Vec<&str> =
        query.into_iter().filter(|part| !part.is_empty() && !is_snapshot(part)).collect();
    let mut url = url.clone();
    url.set_query(Some(&rest.join("&")).filter(|query| !query.is_empty()).map(String::as_str));
    url
}

/// What to know of commands that are shown, where a SAS was cut from one.
pub(crate) fn about_cut_sas(commands: &str) -> Option<&'static str> {
    let cut = ["?", "&"].iter().any(|before| commands.contains(&format!("{before}{CUT}'")));
    cut.then_some("write the URL's own SAS where it says SAS")
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

/// Whether a SAS was written behind a name, as it is behind a URL.
fn holds_sas(path: &str) -> bool {
    let query = path.split_once('?').map(|(_, query)| query.to_ascii_lowercase());
    query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("sig=")))
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
        let below = |text: &str, name: &str| parsed(text).or_below(name).expect(text);
        assert_eq!(below("backups/", "a/d.vhd").name, "a/d.vhd");
        assert_eq!(below("backups/daily/", "d.vhd").name, "daily/d.vhd");
        assert_eq!(below("backups/x", "d.vhd").name, "x");
    }

    #[test]
    fn a_url_leads_to_what_comes_into_its_folder_and_keeps_its_sas() {
        const SAS: &str = "sv=2026-10-06&sr=c&sig=a%2Bb%3D";
        for account in ["https://acct.blob.core.windows.net", "http://127.0.0.1:10000/acct"] {
            for folder in ["", "/", "/daily/"] {
                let address = parsed(&format!("{account}/backups{folder}?{SAS}"));
                let address = address.or_below("2026/a b.vhd").expect("a name");
                let daily = folder.trim_start_matches('/');
                let url = format!("{account}/backups/{daily}2026/a%20b.vhd?{SAS}");
                assert_eq!(address.place, Place::Url(url.parse().expect("a URL")));
                let container = address.container_url().map(String::from);
                assert_eq!(container, Some(format!("{account}/backups?{SAS}")));
            }
        }
    }

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        let parts =
            ["a", "@", "@latest", "/", " b", "%2F", "?", "#", "é", "://", "@2026", "'", "sig=1"];
        let time = format!("@{TIME}");
        let parts: Vec<&str> = parts.into_iter().chain([time.as_str()]).collect();
        let mut names = vec![String::from("d")];
        for _ in 0..2 {
            let longer =
                names.iter().flat_map(|name| parts.iter().map(move |p| format!("{name}{p}")));
            names = names.iter().cloned().chain(longer).collect();
        }
        let urls = ["https://acct.blob.core.windows.net/vhds", "http://127.0.0.1:10000/acct/vhds"];
        let mut count = 0;
        // Names that look like a SAS are hidden.
        let like_a_sas = |name: &str| name.contains("sig=") && name.contains('?');
        for name in names.iter().filter(|name| !like_a_sas(name)) {
            for place in [Place::Context, Place::Account("other".to_owned())] {
                let container = "vhds".to_owned();
                let written = Address { place, container, name: name.clone(), when: at(TIME) };
                assert_eq!(parsed(&written.shown()), written);
                let written = Address { when: None, ..written };
                // Only a URL can say that such an end is the name's.
                if split_when(name).1.is_none() {
                    assert_eq!(parsed(&written.shown()), written);
                }
            }
        }
        // Each URL is read by a client, which takes its time.
        for name in names.iter().filter(|name| !like_a_sas(name)).step_by(7) {
            for url in urls {
                let Ok(written) = parsed(url).named(name) else { continue };
                count += 1;
                assert_eq!(parsed(&written.shown()), written);
                let now = Address { when: at(TIME), ..written.clone() };
                let read = parsed(&now.shown());
                let Place::Url(read_url) = &read.place else { panic!("{read:?}") };
                assert_eq!(Place::Url(base(read_url)), written.place);
                assert_eq!((read.name, read.when), (now.name, now.when));
            }
        }
        assert!(count > 20, "{count}");
    }

    #[test]
    fn a_command_says_where_a_sas_was_cut() {
        let url = "https://acct.blob.core.windows.net/vhds/d";
        let cut = |text: String| parsed(&text).in_command();
        assert_eq!(cut(format!("{url}?sv=1&sig=SECRET")), format!("{url}?SAS"));
        let both = cut(format!("{url}?sv=1&sig=SECRET&snapshot={TIME}"));
        assert_eq!(both, format!("{url}?snapshot={TIME}&SAS"));
        assert_eq!(cut(url.to_owned()), url);
        assert!(about_cut_sas(&format!("`blobcopy status '{url}?SAS'`")).is_some());
        assert!(about_cut_sas("`blobcopy status vhds/SAS`").is_none());
    }

    #[test]
    fn a_sas_is_no_part_of_a_name() {
        for text in ["vhds/d?sv=1&sig=SECRET", "//other/vhds/d?SIG=SECRET&se=2"] {
            let failure = Address::parse(text).expect_err(text);
            let [what, to_do] = failure.told().expect("told").lines();
            assert!(what.contains("SAS") && to_do.contains("--sas-file"), "{what}");
            assert!(!what.contains("SECRET"), "{what}");
        }
        assert_eq!(parsed("vhds/d?e&signal=1").name, "d?e&signal=1");
    }

    #[test]
    fn no_refusal_shows_a_signature() {
        let text = "ftp://acct/backups/d?sv=1&sig=SECRET%2B";
        let failure = Address::parse(text).expect_err("refused");
        let [what, _] = failure.told().expect("told").lines();
        assert!(!what.contains("SECRET"), "{what}");
    }
}
