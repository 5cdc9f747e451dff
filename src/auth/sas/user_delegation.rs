//! The user delegation SAS: for one blob, snapshot, version, container or directory, signed with
//! the key of an Entra identity.
//!
//! From [Create a user delegation
//! SAS](https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas).

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use percent_encoding::utf8_percent_encode;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    BlobSasPermissions, Complete, ContainerSasPermissions, NeedsExpiry, NeedsPermissions,
    Permissions, SasToken,
    fields::{Fields, Resource, common_setters, response_setters, timestamp},
    token::{Query, RESERVED},
};
use crate::{
    auth::shared_key::SigningKey,
    error::{Error, Result},
    models::{ServiceVersion, SnapshotId, VersionId, opaque::guid, since},
    wire::{malformed::Malformed, redaction, xml::Xml},
};

/// A key that signs SAS on behalf of an Entra identity, valid for at most seven days (from version
/// 2018-11-09).
///
/// A SAS that it signs permits no more than the identity itself may do. `Debug` does not show the
/// key. Only the HMAC-SHA256 state of the key is kept, and wiped from memory on drop; the response
/// of the service that held the key is not wiped.
#[derive(Clone)]
pub struct UserDelegationKey {
    object_id: String,
    tenant_id: String,
    start: String,
    expiry: String,
    expires_on: OffsetDateTime,
    service: String,
    version: String,
    delegated_user_tenant_id: String,
    key: SigningKey,
}

impl UserDelegationKey {
    /// Reads the body of a response to [Get User Delegation
    /// Key](https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key).
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut fields: [String; 8] = Default::default();
        let mut xml = Xml::enter(body, "UserDelegationKey")?;
        while let Some(element) = xml.child()? {
            let place = match element {
                b"SignedOid" => 0,
                b"SignedTid" => 1,
                b"SignedStart" => 2,
                b"SignedExpiry" => 3,
                b"SignedService" => 4,
                b"SignedVersion" => 5,
                b"SignedDelegatedUserTid" => 6,
                b"Value" => 7,
                _ => {
                    xml.skip()?;
                    continue;
                }
            };
            fields[place] = xml.text()?.into_owned();
        }
        let [
            object_id,
            tenant_id,
            start,
            expiry,
            service,
            version,
            delegated_user_tenant_id,
            value,
        ] = fields;
        let value = zeroize::Zeroizing::new(value);
        if [&object_id, &tenant_id, &start, &service, &version].into_iter().any(String::is_empty) {
            return Err(Malformed::new("a field of the key is missing"));
        }
        let expires_on = OffsetDateTime::parse(&expiry, &Rfc3339)
            .map_err(|_| Malformed::new(format!("SignedExpiry is {expiry:?}")))?;
        let key = SigningKey::new("user delegation key", &value)
            .map_err(|why| Malformed::new(why.to_string()))?;
        Ok(Self {
            object_id,
            tenant_id,
            start,
            expiry,
            expires_on,
            service,
            version,
            delegated_user_tenant_id,
            key,
        })
    }

    /// When the key expires, and with it every SAS that it signed.
    pub fn expires_on(&self) -> OffsetDateTime {
        self.expires_on
    }

    /// Whether this key signed a SAS, which may be part of a URL.
    pub(crate) fn has_signed(&self, sas: &str) -> bool {
        let query = sas.split_once('?').map_or(sas, |(_, query)| query);
        let has = |name: &str, value: &str| {
            url::form_urlencoded::parse(query.as_bytes()).any(|(n, v)| n == name && v == value)
        };
        has("skoid", &self.object_id) && has("skt", &self.start) && has("ske", &self.expiry)
    }

    /// The object id of the identity.
    pub fn object_id(&self) -> &str {
        &self.object_id
    }

    /// The tenant id of the identity.
    pub fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    /// The oldest service version of a SAS that this key can sign.
    pub(super) fn oldest_of_sas(&self) -> ServiceVersion {
        match self.delegated_user_tenant_id.is_empty() {
            true => since::USER_DELEGATION.version(),
            false => since::DELEGATED_USER_TENANT.version(),
        }
    }
}

impl fmt::Debug for UserDelegationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserDelegationKey")
            .field("object_id", &redaction::Shown(&self.object_id))
            .field("tenant_id", &redaction::Shown(&self.tenant_id))
            .field("expires_on", &self.expires_on)
            .finish_non_exhaustive()
    }
}

/// A user delegation SAS: for one blob, snapshot, version, container or directory, signed with a
/// [`UserDelegationKey`] (from version 2018-11-09).
///
/// Set the permissions, then the expiry, then sign: the compiler holds this order. A user
/// delegation SAS cannot use a stored access policy.
///
/// ```
/// use blobcopy::sas::{BlobSasPermissions, UserDelegationKey, UserDelegationSas};
/// use time::OffsetDateTime;
///
/// fn readable_until(
///     key: &UserDelegationKey,
///     expiry: OffsetDateTime,
/// ) -> Result<blobcopy::SasToken, blobcopy::Error> {
///     UserDelegationSas::blob("vhds", "disk0.vhd")
///         .permissions(BlobSasPermissions::new().read())
///         .expires(expiry.min(key.expires_on()))
///         .sign("myaccount", key)
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a SAS is made when it is signed"]
pub struct UserDelegationSas<P, S = NeedsPermissions> {
    fields: Fields<'static>,
    user: UserFields,
    state: PhantomData<(P, S)>,
}

/// The fields that only a user delegation SAS has.
#[derive(Clone, Default)]
pub(super) struct UserFields {
    authorized_object_id: String,
    unauthorized_object_id: String,
    correlation_id: String,
    delegated_user_object_id: String,
    request_headers: BTreeMap<String, String>,
    request_query_parameters: BTreeMap<String, String>,
}

redaction::debug_redacted!(UserFields {
    authorized_object_id: text,
    unauthorized_object_id: text,
    correlation_id: text,
    delegated_user_object_id: text,
    request_headers: text,
    request_query_parameters: text,
});

impl UserDelegationSas<BlobSasPermissions> {
    /// For a blob. It is also valid for the snapshots of the blob.
    pub fn blob(container: impl Into<String>, blob: impl Into<String>) -> Self {
        Self::of(Resource::blob(container.into(), blob.into()))
    }

    /// For one snapshot of a blob, but not the blob itself. The URL needs `snapshot=` too.
    pub fn snapshot(
        container: impl Into<String>,
        blob: impl Into<String>,
        snapshot: impl Into<SnapshotId>,
    ) -> Self {
        Self::of(Resource::snapshot(container.into(), blob.into(), &snapshot.into()))
    }

    /// For one version of a blob, but not the blob itself. The URL needs `versionid=` too.
    pub fn version(
        container: impl Into<String>,
        blob: impl Into<String>,
        version: impl Into<VersionId>,
    ) -> Self {
        Self::of(Resource::version(container.into(), blob.into(), &version.into()))
    }
}

impl UserDelegationSas<ContainerSasPermissions> {
    /// For a container and every blob in it.
    pub fn container(container: impl Into<String>) -> Self {
        Self::of(Resource::container(container.into()))
    }

    /// For a directory and everything below it, in an account with a hierarchical namespace (from
    /// version 2020-02-10).
    pub fn directory(container: impl Into<String>, directory: impl Into<String>) -> Self {
        Self::of(Resource::directory(container.into(), &directory.into()))
    }
}

impl<P: Permissions> UserDelegationSas<P> {
    fn of(resource: Resource<'static>) -> Self {
        let fields = Fields { resource, ..Fields::default() };
        Self { fields, user: UserFields::default(), state: PhantomData }
    }

    /// Sets what the SAS permits, as far as the identity itself may do it.
    pub fn permissions(mut self, permissions: P) -> UserDelegationSas<P, NeedsExpiry> {
        self.fields.permissions = permissions.to_string().into();
        UserDelegationSas { fields: self.fields, user: self.user, state: PhantomData }
    }
}

impl<P> UserDelegationSas<P, NeedsExpiry> {
    /// Sets when the SAS expires, cut to whole seconds; not after its key.
    pub fn expires(mut self, at: OffsetDateTime) -> UserDelegationSas<P, Complete> {
        self.fields.expiry = timestamp(at);
        UserDelegationSas { fields: self.fields, user: self.user, state: PhantomData }
    }
}

impl<P: Permissions> UserDelegationSas<P, Complete> {
    /// Signs the SAS for `account` with a key of that account.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if the service would refuse the SAS: it has no permission, it
    /// expires before it starts or after its key, a name is empty, an id is not a GUID, or its
    /// service version does not know one of its fields.
    pub fn sign(self, account: &str, key: &UserDelegationKey) -> Result<SasToken> {
        self.fields.check(P::LETTERS)?;
        self.user.check(&self.fields)?;
        sign(&self.fields, &self.user, account, key)
    }
}

impl<P, S> UserDelegationSas<P, S> {
    common_setters!();
    response_setters!();

    /// The object id of the identity that requests act for, without a check of its POSIX access, in
    /// accounts with a hierarchical namespace (from version 2020-02-10).
    pub fn authorized_object_id(mut self, id: impl Into<String>) -> Self {
        self.user.authorized_object_id = id.into();
        self
    }

    /// The object id of the identity that requests act for, with a check of its POSIX access, in
    /// accounts with a hierarchical namespace (from version 2020-02-10). Cannot be combined with
    /// [`authorized_object_id`](Self::authorized_object_id).
    pub fn unauthorized_object_id(mut self, id: impl Into<String>) -> Self {
        self.user.unauthorized_object_id = id.into();
        self
    }

    /// A correlation id, a GUID in lower case, that the service logs for every request with the SAS
    /// (from version 2020-02-10).
    pub fn correlation_id(mut self, id: impl Into<String>) -> Self {
        self.user.correlation_id = id.into();
        self
    }

    /// The object id of the only identity that may use the SAS; it sends its own bearer token too
    /// (from version 2025-07-05).
    pub fn delegated_user_object_id(mut self, id: impl Into<String>) -> Self {
        self.user.delegated_user_object_id = id.into();
        self
    }

    /// A header that requests with the SAS must have, with this value (from version 2026-04-06).
    pub fn request_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.user.request_headers.insert(name.into(), value.into());
        self
    }

    /// A query parameter that requests with the SAS must have, with this value (from version
    /// 2026-04-06).
    pub fn request_query_parameter(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.user.request_query_parameters.insert(name.into(), value.into());
        self
    }
}

impl UserFields {
    fn check(&self, fields: &Fields<'_>) -> Result<()> {
        let ids = [
            (
                since::SAS_OF_DIRECTORIES,
                "authorized object id of a SAS",
                &self.authorized_object_id,
            ),
            (
                since::SAS_OF_DIRECTORIES,
                "unauthorized object id of a SAS",
                &self.unauthorized_object_id,
            ),
            (since::SAS_OF_DIRECTORIES, "correlation id of a SAS", &self.correlation_id),
            (
                since::SAS_DELEGATED_USERS,
                "delegated user object id of a SAS",
                &self.delegated_user_object_id,
            ),
        ];
        for (since, what, id) in ids {
            if !id.is_empty() {
                fields.needs(since, what, id)?;
                guid(id).map_err(|rule| Error::invalid(what, id, rule))?;
            }
        }
        if self.correlation_id.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let rule = "must be in lower case";
            return Err(Error::invalid("correlation id of a SAS", &self.correlation_id, rule));
        }
        if !self.authorized_object_id.is_empty() && !self.unauthorized_object_id.is_empty() {
            let rule = "must not be combined with an authorized object id";
            let id = &self.unauthorized_object_id;
            return Err(Error::invalid("unauthorized object id of a SAS", id, rule));
        }
        let required = [
            ("request header of a SAS", &self.request_headers),
            ("request query parameter of a SAS", &self.request_query_parameters),
        ];
        for (what, pairs) in required {
            for (name, value) in pairs {
                fields.needs(since::SAS_REQUIRED_HEADERS, what, name)?;
                if name.is_empty() || [name, value].iter().any(|s| s.contains(char::is_control)) {
                    let rule = "must have a name, and no control characters";
                    return Err(Error::invalid(what, format_args!("{name}={value}"), rule));
                }
            }
        }
        Ok(())
    }
}

/// Signs checked fields. Refuses a key that does not fit them.
pub(super) fn sign(
    fields: &Fields<'_>,
    user: &UserFields,
    account: &str,
    key: &UserDelegationKey,
) -> Result<SasToken> {
    fields.needs(since::USER_DELEGATION, "user delegation SAS", &fields.resource.path)?;
    fields.check_dates()?;
    fields.check_resource()?;
    if !key.delegated_user_tenant_id.is_empty() {
        let tenant = &key.delegated_user_tenant_id;
        fields.needs(
            since::DELEGATED_USER_TENANT,
            "delegated user tenant of the user delegation key",
            tenant,
        )?;
    }
    if OffsetDateTime::parse(&fields.expiry, &Rfc3339).is_ok_and(|at| at > key.expires_on) {
        let rule = format!("must not be after the user delegation key's, {}", key.expiry);
        return Err(Error::invalid("expiry of a SAS", &fields.expiry, &rule));
    }

    let signature = key.key.sign(string_to_sign(fields, user, account, key).as_bytes());
    let mut query = Query::new();
    fields.push_to(&mut query);
    query.push("skoid", &key.object_id);
    query.push("sktid", &key.tenant_id);
    query.push("skt", &key.start);
    query.push("ske", &key.expiry);
    query.push("sks", &key.service);
    query.push("skv", &key.version);
    query.push("skdutid", &key.delegated_user_tenant_id);
    query.push("saoid", &user.authorized_object_id);
    query.push("suoid", &user.unauthorized_object_id);
    query.push("scid", &user.correlation_id);
    query.push("sduoid", &user.delegated_user_object_id);
    for (name, required) in
        [("srh", &user.request_headers), ("srq", &user.request_query_parameters)]
    {
        // Each name is encoded separately; the commas between them are not encoded.
        let names: Vec<String> =
            required.keys().map(|name| utf8_percent_encode(name, RESERVED).to_string()).collect();
        if !names.is_empty() {
            query.push_encoded(name, [names.join(",").as_str()]);
        }
    }
    Ok(query.finish(&signature))
}

/// The string to sign: its fields and their order depend on the service version.
pub(super) fn string_to_sign(
    fields: &Fields<'_>,
    user: &UserFields,
    account: &str,
    key: &UserDelegationKey,
) -> String {
    let resource = fields.canonical_resource(account);
    let ip = fields.ip_text();
    let version = fields.version.as_str();
    let headers: String =
        user.request_headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let parameters: String = user
        .request_query_parameters
        .iter()
        .map(|(name, value)| format!("\n{name}:{value}"))
        .collect();

    let mut lines: Vec<&str> = Vec::with_capacity(28);
    lines.extend([&*fields.permissions, &fields.start, &fields.expiry, &resource]);
    lines.extend([&*key.object_id, &key.tenant_id, &key.start, &key.expiry]);
    lines.extend([&*key.service, &key.version]);
    if since::SAS_OF_DIRECTORIES.is_known_to(fields.version) {
        lines.extend([&*user.authorized_object_id, &user.unauthorized_object_id]);
        lines.push(&user.correlation_id);
    }
    if since::SAS_DELEGATED_USERS.is_known_to(fields.version) {
        lines.extend([&*key.delegated_user_tenant_id, &user.delegated_user_object_id]);
    }
    lines.extend([&*ip, fields.protocol.map_or("", |protocol| protocol.as_str())]);
    lines.extend([version, fields.resource.kind, &fields.resource.moment]);
    if since::SAS_SCOPES.is_known_to(fields.version) {
        lines.push(&fields.encryption_scope);
    }
    if since::SAS_REQUIRED_HEADERS.is_known_to(fields.version) {
        lines.extend([&*headers, &parameters]);
    }
    lines.extend(fields.response_headers.iter().map(|value| &**value));
    lines.join("\n")
}
