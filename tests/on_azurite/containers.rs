//! Containers: creation, properties, deletion.

use blobcopy::{LeaseState, LeaseStatus, PublicAccessType};

use super::fixture::{assert_refused, container, service, unused_name};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    a_container_lives_from_create_to_delete,
    properties_tell_what_it_was_created_with,
    a_container_is_private_unless_it_is_said_otherwise,
    what_is_in_a_missing_container_is_missing_too,
];

async fn a_container_lives_from_create_to_delete(azurite: &Azurite) {
    let container = service(azurite, &ACCOUNT).container_client(&unused_name());
    let missing = [(404, "ContainerNotFound")];

    assert!(!container.exists().await.unwrap());
    assert_refused(container.delete().await, &missing);
    assert_refused(container.get_properties().await, &missing);

    container.create().await.unwrap();
    assert!(container.exists().await.unwrap());
    assert_refused(container.create().await, &[(409, "ContainerAlreadyExists")]);

    container.delete().await.unwrap();
    // The service may still be busy deleting it.
    let gone = [(404, "ContainerNotFound"), (409, "ContainerBeingDeleted")];
    assert_refused(container.get_properties().await, &gone);
    assert!(!container.exists().await.unwrap());
}

async fn properties_tell_what_it_was_created_with(azurite: &Azurite) {
    let container = service(azurite, &ACCOUNT).container_client(&unused_name());
    let create = container.create().metadata([("Origin", "disk0"), ("empty", "")]);
    create.public_access(PublicAccessType::Blob).await.unwrap();

    let properties = container.get_properties().await.unwrap();
    assert_eq!(properties.metadata.get("origin"), Some("disk0"));
    assert_eq!(properties.public_access, Some(PublicAccessType::Blob));
    assert_eq!(properties.lease_status, Some(LeaseStatus::Unlocked));
    assert_eq!(properties.lease_state, Some(LeaseState::Available));
    assert!(properties.etag.is_some() && properties.last_modified.is_some());
}

async fn a_container_is_private_unless_it_is_said_otherwise(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    assert_eq!(container.get_properties().await.unwrap().public_access, None);
}

async fn what_is_in_a_missing_container_is_missing_too(azurite: &Azurite) {
    let container = service(azurite, &ACCOUNT).container_client(&unused_name());
    let blob = container.block_blob_client("blob");
    let missing = [(404, "ContainerNotFound")];

    assert!(!blob.exists().await.unwrap());
    assert_refused(blob.upload("content").await, &missing);
    assert_refused(blob.get_properties().await, &missing);
    assert_refused(blob.download().await, &missing);
    assert_refused(container.page_blob_client("disk").create(512).await, &missing);
}
