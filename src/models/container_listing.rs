//! The response to List Containers.
//!
//! From [List Containers](https://learn.microsoft.com/rest/api/storageservices/list-containers2).

use serde::Serialize;
use time::OffsetDateTime;

use super::{
    ETag, LeaseDuration, LeaseState, LeaseStatus, Metadata, PublicAccessType, VersionId,
    listing::{date, flag, metadata, name, push, text, value, word},
};
use crate::wire::{malformed::Malformed, redaction, xml::Xml};

/// A container in a listing.
///
/// A field is `None` or empty if the listing does not include it, or the service did not send it or
/// sent it malformed.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ContainerItem {
    /// The container's name.
    #[serde(serialize_with = "redaction::serialize")]
    pub name: String,
    /// Changes when the container's own metadata or policies change.
    pub etag: Option<ETag>,
    /// When the container's metadata or policies were last modified, to the second.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The container's metadata, if the listing includes it.
    pub metadata: Metadata,
    /// Metadata names that are not valid header names. The service lists them without values; only
    /// old service versions accepted them.
    #[serde(serialize_with = "redaction::serialize")]
    pub invalid_metadata_names: Vec<String>,
    /// What anonymous requests may read; `None` if nothing.
    pub public_access: Option<PublicAccessType>,
    /// Whether a lease is active.
    pub lease_status: Option<LeaseStatus>,
    /// The state of the lease (from version 2012-02-12).
    pub lease_state: Option<LeaseState>,
    /// The kind of duration of the active lease (from version 2012-02-12).
    pub lease_duration: Option<LeaseDuration>,
    /// Whether the container has an immutability policy (from version 2017-11-09).
    pub has_immutability_policy: Option<bool>,
    /// Whether a legal hold protects the container's blobs from changes (from version 2017-11-09).
    pub has_legal_hold: Option<bool>,
    /// Whether the container's blob versions can have their own immutability policies.
    pub has_immutable_versions: Option<bool>,
    /// The default encryption scope of its blobs (from version 2019-07-07).
    #[serde(serialize_with = "redaction::serialize")]
    pub default_encryption_scope: Option<String>,
    /// Whether blobs must use the default encryption scope.
    pub denies_encryption_scope_override: Option<bool>,
    /// Whether the container is soft-deleted (from version 2019-12-12).
    pub is_deleted: bool,
    /// The version of a soft-deleted container, which tells apart those of the same name.
    pub version_id: Option<VersionId>,
    /// When the container was deleted.
    #[serde(with = "time::serde::rfc3339::option")]
    pub deleted_on: Option<OffsetDateTime>,
    /// For how many more days a soft-deleted container is kept.
    pub remaining_retention_days: Option<u32>,
}

redaction::debug_redacted!(ContainerItem {
    name: text,
    etag,
    last_modified,
    metadata,
    invalid_metadata_names: text,
    public_access,
    lease_status,
    lease_state,
    lease_duration,
    has_immutability_policy,
    has_legal_hold,
    has_immutable_versions,
    default_encryption_scope: text,
    denies_encryption_scope_override,
    is_deleted,
    version_id,
    deleted_on,
    remaining_retention_days,
});

/// The body of one response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ContainerList {
    /// Ordered by name, as received.
    pub(crate) items: Vec<ContainerItem>,
    /// The marker of the next page; `None` on the last page.
    pub(crate) next_marker: Option<String>,
}

pub(crate) fn parse(body: &[u8]) -> Result<ContainerList, Malformed> {
    let mut list = ContainerList::default();
    let mut xml = Xml::enter(body, "EnumerationResults")?;
    while let Some(element) = xml.child()? {
        match element {
            b"Containers" => {
                while let Some(element) = xml.child()? {
                    match element {
                        b"Container" => push(&mut list.items, read_container(&mut xml)?)?,
                        _ => xml.skip()?,
                    }
                }
            }
            b"NextMarker" => list.next_marker = text(&mut xml)?,
            _ => xml.skip()?,
        }
    }
    Ok(list)
}

fn read_container(xml: &mut Xml<'_>) -> Result<ContainerItem, Malformed> {
    let mut item = ContainerItem::default();
    while let Some(element) = xml.child()? {
        match element {
            b"Name" => item.name = name(xml)?,
            b"Properties" => read_properties(xml, &mut item)?,
            b"Metadata" => metadata(xml, &mut item.metadata, &mut item.invalid_metadata_names)?,
            b"Deleted" => item.is_deleted = flag(xml)?.unwrap_or(false),
            b"Version" => item.version_id = VersionId::from_service(&xml.text()?),
            _ => xml.skip()?,
        }
    }
    Ok(item)
}

fn read_properties(xml: &mut Xml<'_>, item: &mut ContainerItem) -> Result<(), Malformed> {
    while let Some(element) = xml.child()? {
        match element {
            b"Last-Modified" => item.last_modified = date(xml)?,
            b"Etag" => item.etag = value(xml)?,
            b"LeaseStatus" => item.lease_status = word(xml)?,
            b"LeaseState" => item.lease_state = word(xml)?,
            b"LeaseDuration" => item.lease_duration = word(xml)?,
            b"PublicAccessType" => item.public_access = word(xml)?,
            b"HasImmutabilityPolicy" => item.has_immutability_policy = flag(xml)?,
            b"HasLegalHold" => item.has_legal_hold = flag(xml)?,
            b"ImmutableStorageWithVersioningEnabled" => item.has_immutable_versions = flag(xml)?,
            b"DefaultEncryptionScope" => item.default_encryption_scope = text(xml)?,
            b"DenyEncryptionScopeOverride" => item.denies_encryption_scope_override = flag(xml)?,
            b"DeletedTime" => item.deleted_on = date(xml)?,
            b"RemainingRetentionDays" => item.remaining_retention_days = value(xml)?,
            _ => xml.skip()?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn every_element_of_a_container_is_read() {
        let body = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\
            <EnumerationResults ServiceEndpoint=\"https://acct.blob.core.windows.net/\">\
            <Prefix>a</Prefix><MaxResults>2</MaxResults><Containers>\
            <Container><Name>alpha</Name><Deleted>true</Deleted>\
            <Version>01D60F8BB59A4652</Version>\
            <Properties><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified>\
            <Etag>\"0x8DE0000000000AA\"</Etag><LeaseStatus>locked</LeaseStatus>\
            <LeaseState>leased</LeaseState><LeaseDuration>infinite</LeaseDuration>\
            <PublicAccessType>container</PublicAccessType>\
            <HasImmutabilityPolicy>true</HasImmutabilityPolicy><HasLegalHold>false</HasLegalHold>\
            <ImmutableStorageWithVersioningEnabled>true</ImmutableStorageWithVersioningEnabled>\
            <DefaultEncryptionScope>$account-encryption-key</DefaultEncryptionScope>\
            <DenyEncryptionScopeOverride>false</DenyEncryptionScopeOverride>\
            <DeletedTime>Fri, 02 Jan 2026 00:00:00 GMT</DeletedTime>\
            <RemainingRetentionDays>7</RemainingRetentionDays><Novelty>1</Novelty></Properties>\
            <Metadata><Owner>team a</Owner><empty/>\
            <x-ms-invalid-name>1bad</x-ms-invalid-name></Metadata></Container>\
            <Container><Name>beta</Name><Properties><Etag>0x1</Etag></Properties></Container>\
            <Novelty/></Containers><NextMarker>/acct/gamma</NextMarker></EnumerationResults>";
        let list = parse(body.as_bytes()).expect("well formed");
        assert_eq!(list.next_marker.as_deref(), Some("/acct/gamma"));
        let alpha = ContainerItem {
            name: "alpha".to_owned(),
            etag: Some("\"0x8DE0000000000AA\"".parse().expect("an etag")),
            last_modified: Some(datetime!(2026-01-01 00:00 UTC)),
            metadata: Metadata::from([("Owner", "team a"), ("empty", "")]),
            invalid_metadata_names: vec!["1bad".to_owned()],
            public_access: Some(PublicAccessType::Container),
            lease_status: Some(LeaseStatus::Locked),
            lease_state: Some(LeaseState::Leased),
            lease_duration: Some(LeaseDuration::Infinite),
            has_immutability_policy: Some(true),
            has_legal_hold: Some(false),
            has_immutable_versions: Some(true),
            default_encryption_scope: Some("$account-encryption-key".to_owned()),
            denies_encryption_scope_override: Some(false),
            is_deleted: true,
            version_id: VersionId::from_service("01D60F8BB59A4652"),
            deleted_on: Some(datetime!(2026-01-02 00:00 UTC)),
            remaining_retention_days: Some(7),
        };
        let beta = ContainerItem {
            name: "beta".to_owned(),
            etag: Some("\"0x1\"".parse().expect("an etag")),
            ..ContainerItem::default()
        };
        assert_eq!(list.items, [alpha, beta]);
    }

    #[test]
    fn an_empty_account_has_no_containers() {
        for body in [
            "<EnumerationResults><Containers/><NextMarker/></EnumerationResults>",
            "<EnumerationResults ServiceEndpoint=\"x\"><Containers></Containers></EnumerationResults>",
        ] {
            assert_eq!(parse(body.as_bytes()).expect(body), ContainerList::default());
        }
    }

    #[test]
    fn a_page_of_more_containers_than_the_service_sends_is_refused() {
        let page = |containers: usize| {
            let containers = "<Container/>".repeat(containers);
            format!(
                "<EnumerationResults><Containers>{containers}</Containers></EnumerationResults>"
            )
        };
        assert_eq!(parse(page(5000).as_bytes()).expect("a full page").items.len(), 5000);
        let error = parse(page(5001).as_bytes()).expect_err("too many").to_string();
        assert_eq!(error, "it has more than 5000 entries");
    }

    #[test]
    fn a_value_that_is_malformed_is_absent() {
        for element in [
            "<Last-Modified>yesterday</Last-Modified>",
            "<Etag>\"\"</Etag>",
            "<HasLegalHold>maybe</HasLegalHold>",
            "<DeletedTime>2026-01-01T00:00:00Z</DeletedTime>",
            "<RemainingRetentionDays>-1</RemainingRetentionDays>",
        ] {
            let body = format!(
                "<EnumerationResults><Containers><Container><Name>a</Name><Properties>{element}\
                 </Properties></Container></Containers></EnumerationResults>"
            );
            let list = parse(body.as_bytes()).expect(element);
            let expected = ContainerItem { name: "a".to_owned(), ..ContainerItem::default() };
            assert_eq!(list.items, [expected], "{element}");
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&body);
        }
    }
}
