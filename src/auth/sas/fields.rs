//! The fields that every kind of SAS has, in the string to sign and in the query.

use std::{borrow::Cow, fmt, net::Ipv4Addr, ops::RangeInclusive};

use time::{OffsetDateTime, UtcOffset};

use super::{permissions, token::Query};
use crate::{
    error::{Error, Result},
    models::{
        ServiceVersion, SnapshotId, VersionId, names,
        since::{self, Since},
    },
    wire::redaction,
};

/// The fields of a SAS. An empty field is an empty line in the string to sign, and absent from the
/// query.
#[derive(Clone, Default)]
pub(super) struct Fields<'a> {
    pub(super) version: ServiceVersion,
    pub(super) resource: Resource<'a>,
    pub(super) permissions: Cow<'a, str>,
    pub(super) start: Cow<'a, str>,
    pub(super) expiry: Cow<'a, str>,
    pub(super) policy: Cow<'a, str>,
    pub(super) ip: Option<SasIpRange>,
    pub(super) protocol: Option<SasProtocol>,
    pub(super) encryption_scope: Cow<'a, str>,
    /// `Cache-Control`, `Content-Disposition`, `-Encoding`, `-Language` and `Content-Type`.
    pub(super) response_headers: [Cow<'a, str>; 5],
}

redaction::debug_redacted!(Fields<'_> {
    version,
    resource,
    permissions,
    start,
    expiry,
    policy: text,
    ip,
    protocol,
    encryption_scope: text,
    response_headers: text,
});

/// The names of [`Fields::response_headers`] in errors and in the query.
const RESPONSE_HEADERS: [(&str, &str); 5] = [
    ("cache control of a SAS", "rscc"),
    ("content disposition of a SAS", "rscd"),
    ("content encoding of a SAS", "rsce"),
    ("content language of a SAS", "rscl"),
    ("content type of a SAS", "rsct"),
];

/// The resource of a SAS. An account SAS has none.
#[derive(Clone, Default)]
pub(super) struct Resource<'a> {
    /// `b`, `bs`, `bv`, `c` or `d`: the value of `sr`.
    pub(super) kind: &'static str,
    pub(super) container: Cow<'a, str>,
    /// The blob or directory in the container.
    pub(super) path: Cow<'a, str>,
    /// The snapshot or version of the blob: signed, but not in the query.
    pub(super) moment: Cow<'a, str>,
    /// The depth of a directory.
    pub(super) depth: Option<usize>,
    /// Whether the path is a name as the service stores it, not as a user gives it.
    pub(super) stored: bool,
}

redaction::debug_redacted!(Resource<'_> {
    kind,
    container: text,
    path: text,
    moment: text,
    depth,
    stored,
});

impl Resource<'static> {
    pub(super) fn blob(container: String, blob: String) -> Self {
        Self::of("b", container, blob)
    }

    pub(super) fn snapshot(container: String, blob: String, snapshot: &SnapshotId) -> Self {
        Self { moment: snapshot.as_str().to_owned().into(), ..Self::of("bs", container, blob) }
    }

    pub(super) fn version(container: String, blob: String, version: &VersionId) -> Self {
        Self { moment: version.as_str().to_owned().into(), ..Self::of("bv", container, blob) }
    }

    pub(super) fn container(container: String) -> Self {
        Self::of("c", container, String::new())
    }

    pub(super) fn directory(container: String, directory: &str) -> Self {
        let path = directory.trim_matches('/');
        let depth = path.split('/').filter(|name| !name.is_empty()).count();
        Self { depth: Some(depth), ..Self::of("d", container, path.to_owned()) }
    }

    fn of(kind: &'static str, container: String, path: String) -> Self {
        Self { kind, container: container.into(), path: path.into(), ..Self::default() }
    }
}

impl Fields<'_> {
    /// Refuses what the service would refuse when the SAS is used. `known` lists the letters of the
    /// permissions.
    pub(super) fn check(&self, known: &[(char, &str)]) -> Result<()> {
        if self.permissions.is_empty() && self.policy.is_empty() {
            return Err(Error::invalid("SAS permissions", "", "must not be empty"));
        }
        permissions::check(&self.permissions, known, self.version.as_str())?;
        self.check_dates()?;
        // Both have the same format, in which text order is time order.
        if !self.expiry.is_empty() && self.start >= self.expiry {
            let rule = format!("must be after its start, {}", self.start);
            return Err(Error::invalid("expiry of a SAS", &self.expiry, &rule));
        }
        if let Some(ip) = self.ip {
            self.needs(since::SAS_PROTOCOLS, "IP range of a SAS", ip)?;
            if ip.first > ip.last {
                let rule = "must not end before it begins";
                return Err(Error::invalid("IP range of a SAS", ip, rule));
            }
        }
        if let Some(protocol) = self.protocol {
            self.needs(since::SAS_PROTOCOLS, "protocol of a SAS", protocol)?;
        }
        let scope = ("encryption scope of a SAS", &self.encryption_scope);
        if !scope.1.is_empty() {
            self.needs(since::SAS_SCOPES, scope.0, scope.1)?;
        }
        let headers = RESPONSE_HEADERS.iter().map(|names| names.0).zip(&self.response_headers);
        for (what, value) in headers.chain([scope]) {
            if value.is_empty() {
                continue;
            }
            self.needs(since::SAS_RESPONSE_HEADERS, what, value)?;
            if value.chars().any(char::is_control) {
                return Err(Error::invalid(what, value, "must not hold control characters"));
            }
        }
        Ok(())
    }

    /// Refuses dates that a SAS cannot express: without its expiry it would never expire.
    pub(super) fn check_dates(&self) -> Result<()> {
        for (what, date) in [("start of a SAS", &self.start), ("expiry of a SAS", &self.expiry)] {
            if !date.is_empty() && !date.ends_with('Z') {
                return Err(Error::invalid(what, date, "must be of the years 0 to 9999, in UTC"));
            }
        }
        Ok(())
    }

    /// Refuses a resource that the service would refuse.
    pub(super) fn check_resource(&self) -> Result<()> {
        let Resource { kind, container, path, stored, .. } = &self.resource;
        if container.is_empty() || container.contains('/') {
            let rule = "must not be empty, and must not hold a slash";
            return Err(Error::invalid("container of a SAS", container, rule));
        }
        // The service checks a SAS against the name that it stores.
        match *kind {
            "b" | "bs" | "bv" if *stored => names::check_listed(path)?,
            "b" | "bs" | "bv" => names::check_given("blob of a SAS", container, path)?,
            "d" if !path.is_empty() => names::check_given("directory of a SAS", container, path)?,
            _ => {}
        }
        match *kind {
            "bs" | "bv" => {
                self.needs(since::SAS_OF_SNAPSHOTS, "SAS of a snapshot or version", path)
            }
            "d" => self.needs(since::SAS_OF_DIRECTORIES, "SAS of a directory", path),
            _ => Ok(()),
        }
    }

    /// Refuses `what` if the version of the SAS is too old for it.
    pub(super) fn needs(
        &self,
        since: Since,
        what: &'static str,
        value: impl fmt::Display,
    ) -> Result<()> {
        if !since.is_known_to(self.version) {
            let rule = format!("needs service version {since} or later, not {}", self.version);
            return Err(Error::invalid(what, value, &rule));
        }
        Ok(())
    }

    /// The canonicalized resource, decoded.
    pub(super) fn canonical_resource(&self, account: &str) -> String {
        let Resource { container, path, .. } = &self.resource;
        let service = if since::SAS_SERVICE_NAMES.is_known_to(self.version) { "/blob" } else { "" };
        let slash = if path.is_empty() { "" } else { "/" };
        [service, "/", account, "/", container, slash, path].concat()
    }

    /// Adds the fields to a query.
    pub(super) fn push_to(&self, query: &mut Query) {
        // Versions before 2012-02-12 do not know the parameter.
        if since::SAS_VERSIONS.is_known_to(self.version) {
            query.push("sv", self.version.as_str());
        }
        query.push("sr", self.resource.kind);
        if let Some(depth) = self.resource.depth {
            query.push("sdd", &depth.to_string());
        }
        query.push("st", &self.start);
        query.push("se", &self.expiry);
        query.push("sp", &self.permissions);
        if let Some(ip) = self.ip {
            query.push("sip", &ip.to_string());
        }
        query.push("spr", self.protocol.map_or("", SasProtocol::as_str));
        query.push("si", &self.policy);
        query.push("ses", &self.encryption_scope);
        for ((_, name), value) in RESPONSE_HEADERS.iter().zip(&self.response_headers) {
            query.push(name, value);
        }
    }

    /// The text of the `sip` field.
    pub(super) fn ip_text(&self) -> String {
        self.ip.map_or_else(String::new, |ip| ip.to_string())
    }
}

/// A time as a SAS holds it. For a time that a SAS cannot express the text does not end with `Z`,
/// and [`Fields::check_dates`] refuses it.
pub(super) fn timestamp(at: OffsetDateTime) -> Cow<'static, str> {
    let Some(at) =
        at.checked_to_offset(UtcOffset::UTC).filter(|at| (0..=9999).contains(&at.year()))
    else {
        return Cow::Owned(at.to_string());
    };
    let (date, time) = (at.date(), at.time());
    let text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    Cow::Owned(text)
}

/// The protocols over which a SAS may be used (from version 2015-04-05).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SasProtocol {
    /// https only.
    Https,
    /// https and http: the default.
    HttpsAndHttp,
}

impl SasProtocol {
    /// The value of `spr`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::HttpsAndHttp => "https,http",
        }
    }
}

impl fmt::Display for SasProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The IPv4 addresses from which a SAS may be used: one address or an inclusive range (from version
/// 2015-04-05).
///
/// ```
/// use std::net::Ipv4Addr;
/// use blobcopy::sas::SasIpRange;
///
/// let one: SasIpRange = Ipv4Addr::new(168, 1, 5, 60).into();
/// assert_eq!(one.to_string(), "168.1.5.60");
/// let some: SasIpRange = (Ipv4Addr::new(168, 1, 5, 60)..=Ipv4Addr::new(168, 1, 5, 70)).into();
/// assert_eq!(some.to_string(), "168.1.5.60-168.1.5.70");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SasIpRange {
    first: Ipv4Addr,
    last: Ipv4Addr,
}

impl From<Ipv4Addr> for SasIpRange {
    fn from(address: Ipv4Addr) -> Self {
        Self { first: address, last: address }
    }
}

impl From<RangeInclusive<Ipv4Addr>> for SasIpRange {
    fn from(range: RangeInclusive<Ipv4Addr>) -> Self {
        Self { first: *range.start(), last: *range.end() }
    }
}

impl fmt::Display for SasIpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => self.first.fmt(f),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// The setters that every kind of SAS has.
macro_rules! common_setters {
    () => {
        /// Sets when the SAS becomes valid, cut to whole seconds. By default it is valid at once.
        /// Because of clock skew, leave it out or set it to fifteen minutes ago.
        pub fn starts(mut self, at: ::time::OffsetDateTime) -> Self {
            self.fields.start = $crate::auth::sas::fields::timestamp(at);
            self
        }

        /// Authorizes only requests from these addresses (from version 2015-04-05).
        pub fn ip(mut self, addresses: impl Into<$crate::auth::sas::SasIpRange>) -> Self {
            self.fields.ip = Some(addresses.into());
            self
        }

        /// Authorizes only requests over these protocols (from version 2015-04-05).
        pub fn protocol(mut self, protocol: $crate::auth::sas::SasProtocol) -> Self {
            self.fields.protocol = Some(protocol);
            self
        }

        /// Encrypts what is written with the SAS with this encryption scope (from version
        /// 2020-12-06).
        pub fn encryption_scope(mut self, scope: impl Into<String>) -> Self {
            self.fields.encryption_scope = scope.into().into();
            self
        }

        /// Sets the service version of the SAS, which defines its format; requests without
        /// `x-ms-version` use it too. By default
        /// [`ServiceVersion::LATEST`](crate::ServiceVersion::LATEST).
        pub fn service_version(mut self, version: $crate::models::ServiceVersion) -> Self {
            self.fields.version = version;
            self
        }
    };
}
pub(super) use common_setters;

/// The setters of a SAS that overrides response headers.
macro_rules! response_setters {
    ($($(#[$doc:meta])* $setter:ident = $place:literal,)+) => {
        $(
            $(#[$doc])*
            pub fn $setter(mut self, value: impl Into<String>) -> Self {
                self.fields.response_headers[$place] = value.into().into();
                self
            }
        )+
    };
    () => {
        $crate::auth::sas::fields::response_setters! {
            /// Overrides `Cache-Control` in responses to requests with the SAS (from version
            /// 2013-08-15).
            cache_control = 0,
            /// Overrides `Content-Disposition` in responses to requests with the SAS (from version
            /// 2013-08-15).
            content_disposition = 1,
            /// Overrides `Content-Encoding` in responses to requests with the SAS (from version
            /// 2013-08-15).
            content_encoding = 2,
            /// Overrides `Content-Language` in responses to requests with the SAS (from version
            /// 2013-08-15).
            content_language = 3,
            /// Overrides `Content-Type` in responses to requests with the SAS (from version
            /// 2013-08-15).
            content_type = 4,
        }
    };
}
pub(super) use response_setters;
