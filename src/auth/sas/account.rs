//! The account SAS: for resource types in whole services, signed with the account key.
//!
//! From [Create an account
//! SAS](https://learn.microsoft.com/rest/api/storageservices/create-account-sas).

use std::marker::PhantomData;

use time::OffsetDateTime;

use super::{
    AccountSasPermissions, AccountSasResourceTypes, AccountSasServices, Complete, NeedsExpiry,
    NeedsPermissions, SasToken,
    fields::{Fields, common_setters, timestamp},
    permissions::sealed::Sealed,
    token::Query,
};
use crate::{
    auth::shared_key::SharedKey,
    error::{Error, Result},
    models::since,
};

/// An account SAS: for resource types in whole services (from version 2015-04-05).
///
/// Set the permissions, then the expiry, then sign: the compiler holds this order. An account SAS
/// cannot use a stored access policy.
///
/// ```
/// use blobcopy::{
///     SharedKey,
///     sas::{AccountSas, AccountSasPermissions, AccountSasResourceTypes, SasProtocol},
/// };
/// use time::macros::datetime;
///
/// let key = SharedKey::new("myaccount", "c2VjcmV0IGtleQ==")?;
/// let sas = AccountSas::new(AccountSasResourceTypes::new().container().object())
///     .permissions(AccountSasPermissions::new().read().list())
///     .expires(datetime!(2026-01-02 00:00 UTC))
///     .protocol(SasProtocol::Https)
///     .sign(&key)?;
/// assert!(sas.expose().starts_with(
///     "sv=2026-10-06&se=2026-01-02T00%3A00%3A00Z&sp=rl&spr=https&ss=b&srt=co&sig="
/// ));
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a SAS is made when it is signed"]
pub struct AccountSas<S = NeedsPermissions> {
    fields: Fields<'static>,
    services: AccountSasServices,
    resource_types: AccountSasResourceTypes,
    state: PhantomData<S>,
}

impl AccountSas {
    /// For these resource types in Blob Storage.
    pub fn new(resource_types: AccountSasResourceTypes) -> Self {
        Self {
            fields: Fields::default(),
            services: AccountSasServices::new().blob(),
            resource_types,
            state: PhantomData,
        }
    }

    /// Sets what the SAS permits.
    pub fn permissions(mut self, permissions: AccountSasPermissions) -> AccountSas<NeedsExpiry> {
        self.fields.permissions = permissions.to_string().into();
        self.and()
    }
}

impl AccountSas<NeedsExpiry> {
    /// Sets when the SAS expires, cut to whole seconds.
    pub fn expires(mut self, at: OffsetDateTime) -> AccountSas<Complete> {
        self.fields.expiry = timestamp(at);
        self.and()
    }
}

impl AccountSas<Complete> {
    /// Signs the SAS with the account key.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if the service would refuse the SAS: it has no permission, service
    /// or resource type, it expires before it starts, or its service version does not know one of
    /// its fields.
    pub fn sign(self, key: &SharedKey) -> Result<SasToken> {
        self.fields.needs(since::ACCOUNT_SAS, "account SAS", "")?;
        self.fields.check(AccountSasPermissions::LETTERS)?;
        let services = self.services.to_string();
        let resource_types = self.resource_types.to_string();
        for (what, letters) in
            [("services of a SAS", &services), ("resource types of a SAS", &resource_types)]
        {
            if letters.is_empty() {
                return Err(Error::invalid(what, letters, "must not be empty"));
            }
        }

        let text = string_to_sign(&self.fields, key.account(), &services, &resource_types);
        let mut query = Query::new();
        self.fields.push_to(&mut query);
        query.push("ss", &services);
        query.push("srt", &resource_types);
        Ok(query.finish(&key.signing_key().sign(text.as_bytes())))
    }
}

impl<S> AccountSas<S> {
    /// Sets the services. By default Blob Storage only.
    pub fn services(mut self, services: AccountSasServices) -> Self {
        self.services = services;
        self
    }

    common_setters!();

    fn and<T>(self) -> AccountSas<T> {
        let Self { fields, services, resource_types, .. } = self;
        AccountSas { fields, services, resource_types, state: PhantomData }
    }
}

/// The string to sign: a line break ends every field, the last one too.
fn string_to_sign(
    fields: &Fields<'_>,
    account: &str,
    services: &str,
    resource_types: &str,
) -> String {
    let ip = fields.ip_text();
    let version = fields.version.as_str();
    let mut lines = vec![
        account,
        &fields.permissions,
        services,
        resource_types,
        &fields.start,
        &fields.expiry,
        &ip,
        fields.protocol.map_or("", |protocol| protocol.as_str()),
        version,
    ];
    if since::SAS_SCOPES.is_known_to(fields.version) {
        lines.push(&fields.encryption_scope);
    }
    lines.push("");
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::auth::sas::{
        SasProtocol,
        tests::{EXPIRY, START, at, decoded, key, vector},
    };

    #[test]
    fn account_sas_equal_those_of_the_python_sdk() {
        let permissions =
            AccountSasPermissions::new().read().write().delete().list().add().create();
        let types = AccountSasResourceTypes::new().service().container().object();
        for (id, version) in [("S5", "2026-06-06"), ("S7", "2019-12-12")] {
            let (text, _, expected) = vector(id);
            let fields = Fields {
                version: at(version),
                permissions: permissions.to_string().into(),
                start: timestamp(START),
                expiry: timestamp(EXPIRY),
                protocol: Some(SasProtocol::Https),
                ..Fields::default()
            };
            assert_eq!(string_to_sign(&fields, "devstoreaccount1", "b", "sco"), text, "{id}");
            let sas = AccountSas::new(types)
                .permissions(permissions)
                .expires(EXPIRY)
                .starts(START)
                .protocol(SasProtocol::Https)
                .service_version(at(version))
                .sign(&key())
                .expect(id);
            assert_eq!(decoded(sas.expose()), expected, "{id}");
        }
    }

    #[test]
    fn the_string_to_sign_of_every_version_has_its_layout() {
        let fields = |version: &str| Fields {
            version: at(version),
            permissions: "SP".into(),
            start: "ST".into(),
            expiry: "SE".into(),
            ip: Some(Ipv4Addr::LOCALHOST.into()),
            protocol: Some(SasProtocol::Https),
            encryption_scope: "SES".into(),
            ..Fields::default()
        };
        for (version, expected) in [
            ("2015-04-05", "A SP SS SRT ST SE 127.0.0.1 https 2015-04-05 "),
            ("2020-10-02", "A SP SS SRT ST SE 127.0.0.1 https 2020-10-02 "),
            ("2020-12-06", "A SP SS SRT ST SE 127.0.0.1 https 2020-12-06 SES "),
            ("2026-10-06", "A SP SS SRT ST SE 127.0.0.1 https 2026-10-06 SES "),
        ] {
            let text = string_to_sign(&fields(version), "A", "SS", "SRT");
            assert_eq!(text, expected.replace(' ', "\n"), "{version}");
        }
    }

    #[test]
    fn an_account_sas_has_every_letter_in_the_services_order() {
        let all = AccountSasPermissions::new()
            .set_immutability_policy()
            .filter_by_tags()
            .tags()
            .process()
            .update()
            .create()
            .add()
            .list()
            .permanent_delete()
            .delete_version()
            .delete()
            .write()
            .read();
        assert_eq!(all.to_string(), "rwdxylacuptfi");
        let services = AccountSasServices::new().file().table().queue().blob();
        assert_eq!(services.to_string(), "bqtf");
        let sas = AccountSas::new(AccountSasResourceTypes::new().object())
            .services(services)
            .permissions(all)
            .expires(EXPIRY)
            .encryption_scope("scope1")
            .ip(Ipv4Addr::LOCALHOST)
            .sign(&key())
            .expect("signs");
        let parameters = decoded(sas.expose());
        let of = |name: &str| parameters[name].clone();
        assert_eq!((of("ss"), of("srt"), of("ses")), ("bqtf".into(), "o".into(), "scope1".into()));
        assert!(!parameters.contains_key("sr"));
    }

    #[test]
    fn an_account_sas_that_the_service_must_refuse_is_refused_before() {
        let read = AccountSasPermissions::new().read();
        let of =
            |types, permissions| AccountSas::new(types).permissions(permissions).expires(EXPIRY);
        let object = AccountSasResourceTypes::new().object();
        let cases = [
            (
                of(object, read).service_version(at("2015-02-21")),
                "account SAS: \"\" needs service version 2015-04-05 or later, not 2015-02-21",
            ),
            (of(object, AccountSasPermissions::new()), "SAS permissions: \"\" must not be empty"),
            (
                of(object, read).starts(EXPIRY),
                "expiry of a SAS: \"2026-01-02T00:00:00Z\" must be after",
            ),
            (
                of(AccountSasResourceTypes::new(), read),
                "resource types of a SAS: \"\" must not be empty",
            ),
            (
                of(object, read).services(AccountSasServices::new()),
                "services of a SAS: \"\" must not be empty",
            ),
            (
                of(object, read.tags()).service_version(at("2019-10-10")),
                "SAS permissions: \"rt\" has 't', which needs service version 2019-12-12",
            ),
        ];
        for (sas, expected) in cases {
            let error = sas.sign(&key()).expect_err(expected).to_string();
            assert!(error.starts_with(expected), "{error}\n{expected}");
        }
    }
}
