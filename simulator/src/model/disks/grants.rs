//! The access that is granted to snapshots: a SAS each, until it expires or is revoked.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;

use super::family::{BLOB, DiskSnapshot, Family};
use crate::{
    model::stamps::Stamps,
    wire::{
        clock, dates,
        error::Refusal,
        route::{Query, Route},
    },
};

/// How many snapshots of a family may have a SAS at a time.
pub(crate) const MOST_GRANTED: usize = 5;

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The form of the URLs by which managed disks are read. The service has more than one, and nothing
/// says which it uses when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum GrantUrl {
    /// A blob for each snapshot, and a SAS for that blob:
    /// `sv=2014-02-14&sr=b&sk=key1&sig=…&st=…&se=…&sp=r`.
    #[default]
    Blob,
    /// The same with a stored access policy, which has the permissions and the times:
    /// `sv=2018-03-28&sr=b&si=…&sk=key1&sig=…`.
    BlobWithPolicy,
    /// One blob for the disk, and a SAS for one snapshot of it:
    /// `snapshot=…&sv=2018-11-09&sr=bs&si=…&sig=…`.
    Snapshot,
}

/// A SAS for one snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) snapshot: String,
    pub(crate) expires: OffsetDateTime,
    container: String,
    /// All parameters of the SAS. A request must have each of them as it is here.
    parameters: Vec<(&'static str, String)>,
}

/// Why access is not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotGranted {
    NoSnapshot,
    Incomplete,
    /// Five others have it.
    TooMany,
}

impl Family {
    /// The SAS that are valid now.
    fn valid(&self, now: OffsetDateTime) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| now < grant.expires)
    }

    pub(crate) fn is_granted(&self, snapshot: &str, now: OffsetDateTime) -> bool {
        self.valid(now).any(|grant| grant.snapshot.eq_ignore_ascii_case(snapshot))
    }

    /// How many snapshots have a valid SAS.
    pub(crate) fn granted(&self, now: OffsetDateTime) -> usize {
        let each = self.snapshots.iter();
        each.filter(|snapshot| self.is_granted(&snapshot.name, now)).count()
    }

    /// Grants access to a snapshot, by a new SAS.
    pub(crate) fn grant(
        &mut self,
        snapshot: &str,
        time: Duration,
        stamps: &mut Stamps,
        now: OffsetDateTime,
    ) -> Result<Grant, NotGranted> {
        let found = self.snapshot(snapshot).ok_or(NotGranted::NoSnapshot)?;
        if found.completion < 100.0 {
            return Err(NotGranted::Incomplete);
        }
        if !self.is_granted(snapshot, now) && self.granted(now) >= MOST_GRANTED {
            return Err(NotGranted::TooMany);
        }
        let grant = self.new_grant(found, clock::later(now, time), stamps, now);
        self.grants.retain(|grant| now < grant.expires);
        self.grants.push(grant.clone());
        self.most_granted = self.most_granted.max(self.granted(now));
        Ok(grant)
    }

    fn new_grant(
        &self,
        snapshot: &DiskSnapshot,
        expires: OffsetDateTime,
        stamps: &mut Stamps,
        now: OffsetDateTime,
    ) -> Grant {
        let signature = format!("{}{}=", stamps.guid(), stamps.guid()).replace('-', "");
        let (container, time) = snapshot.place(self, self.urls);
        let sr = if time.is_some() { "bs" } else { "b" };
        let mut parameters = Vec::new();
        parameters.extend(time.map(|time| ("snapshot", time.to_owned())));
        let text = |text: &str| text.to_owned();
        match self.urls {
            GrantUrl::Blob => {
                let times = [("st", dates::sas_time(now)), ("se", dates::sas_time(expires))];
                parameters.extend([("sv", text("2014-02-14")), ("sr", text(sr))]);
                parameters.extend([("sk", text("key1")), ("sig", signature)]);
                parameters.extend(times);
                parameters.push(("sp", text("r")));
            }
            GrantUrl::BlobWithPolicy => {
                parameters.extend([("sv", text("2018-03-28")), ("sr", text(sr))]);
                parameters.extend([("si", stamps.guid()), ("sk", text("key1"))]);
                parameters.push(("sig", signature));
            }
            GrantUrl::Snapshot => {
                parameters.extend([("sv", text("2018-11-09")), ("sr", text(sr))]);
                parameters.extend([("si", stamps.guid()), ("sig", signature)]);
            }
        }
        let (snapshot, container) = (snapshot.name.clone(), container.to_owned());
        Grant { snapshot, expires, container, parameters }
    }

    /// Revokes every SAS of a snapshot, whoever was given it.
    pub(crate) fn revoke(&mut self, snapshot: &str) {
        self.grants.retain(|grant| !grant.snapshot.eq_ignore_ascii_case(snapshot));
    }

    /// The snapshot that a URL with a SAS may read.
    pub(crate) fn opened_by(
        &self,
        route: &Route,
        query: &Query,
        now: OffsetDateTime,
    ) -> Result<&DiskSnapshot, Refusal> {
        let refuse = |why: &str| Refusal::unauthenticated(why);
        let signature = query.get("sig").unwrap_or("");
        let grant = self.grants.iter().find(|grant| grant.has("sig", signature));
        let grant = grant.ok_or_else(|| {
            refuse("Signature did not match, or the access that it gave was revoked")
        })?;
        let is_its_blob = route.container.as_ref() == Some(&grant.container)
            && route.blob.as_deref() == Some(BLOB);
        if !is_its_blob {
            return Err(refuse("Signature did not match: it is for another blob"));
        }
        for (name, value) in &grant.parameters {
            let mut given = query.0.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
            if given.next().map(|(_, given)| given) != Some(value) || given.next().is_some() {
                let why = format!("Signature did not match: {name} is missing, twice, or changed");
                return Err(refuse(&why));
            }
        }
        if now >= grant.expires {
            let now = dates::http_date(now);
            let why = format!("Signature not valid in the specified time frame: it is {now}");
            return Err(refuse(&why).by_front());
        }
        self.snapshot(&grant.snapshot).ok_or_else(|| refuse("The snapshot was deleted"))
    }
}

impl Grant {
    fn has(&self, name: &str, value: &str) -> bool {
        self.parameters.iter().any(|(own, text)| *own == name && text == value)
    }

    /// The path and the query of its URL.
    pub(crate) fn path(&self) -> String {
        let pairs = self.parameters.iter().map(|(name, value)| {
            let value = utf8_percent_encode(value, KEPT);
            format!("{name}={value}")
        });
        format!("/{}/{BLOB}?{}", self.container, pairs.collect::<Vec<_>>().join("&"))
    }
}

/// The URL of a blob of managed disks, from the scheme and the authority of the simulator itself:
/// none in process.
pub(crate) fn url(
    account: &str,
    path: &str,
    own: Option<(&str, &str)>,
    path_style: bool,
) -> String {
    match own {
        None => format!("https://{account}.blob.storage.azure.net{path}"),
        Some((scheme, authority)) if path_style => {
            format!("{scheme}://{authority}/{account}{path}")
        }
        Some((scheme, authority)) => {
            let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
            let port = if port.is_empty() { String::new() } else { format!(":{port}") };
            format!("{scheme}://{account}.blob.localhost{port}{path}")
        }
    }
}
