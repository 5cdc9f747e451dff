//! Lists of blobs and containers.

use std::collections::BTreeSet;

use blobcopy::{BlobHierarchyItem, BlobInclude, ContainerInclude, CopyStatus};
use futures_util::TryStreamExt;

use super::fixture::{AWKWARD_NAMES, container, service, unused_name};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    every_name_comes_back_as_it_was_given,
    a_list_tells_of_copies_snapshots_metadata_and_tags,
    a_list_by_hierarchy_stops_at_the_delimiter,
    containers_are_listed_with_their_metadata,
];

async fn every_name_comes_back_as_it_was_given(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    for name in AWKWARD_NAMES {
        container.block_blob_client(name).upload("x").await.unwrap();
    }
    let listed: BTreeSet<String> =
        container.list_blobs().page_size(3).map_ok(|blob| blob.name).try_collect().await.unwrap();
    assert_eq!(listed, AWKWARD_NAMES.map(str::to_owned).into());
    for name in AWKWARD_NAMES {
        let page = container.list_blobs().prefix(name).collect_all().await.unwrap();
        assert_eq!(page[0].name, name);
    }
}

async fn a_list_tells_of_copies_snapshots_metadata_and_tags(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    let notes = container.block_blob_client("notes.txt");
    notes.upload("some notes").metadata([("owner", "team a")]).tags([("k", "v")]).await.unwrap();
    let taken = notes.create_snapshot().await.unwrap().snapshot;
    let copy = container.blob_client("copy.txt").start_copy_from_uri(&notes).await.unwrap();

    use BlobInclude::{Copy, Metadata, Snapshots, Tags};
    let list = container.list_blobs().include([Copy, Snapshots, Metadata, Tags]);
    let mut blobs = list.collect_all().await.unwrap();
    // The service returns snapshots first, the emulator last.
    blobs.sort_by_key(|blob| (blob.name.clone(), blob.snapshot.is_none()));
    let names: Vec<_> =
        blobs.iter().map(|blob| (blob.name.as_str(), blob.snapshot.as_ref())).collect();
    assert_eq!(names, [("copy.txt", None), ("notes.txt", Some(&taken)), ("notes.txt", None)]);
    let told = blobs[0].properties.copy.as_ref().unwrap();
    assert_eq!((&told.copy_id, &told.status), (copy.id(), &CopyStatus::Success));
    assert_eq!(blobs[2].properties.metadata.get("owner"), Some("team a"));
    assert_eq!(blobs[2].tags.get("k"), Some("v"));
    assert_eq!(blobs[2].properties.content_length, 10);
    assert_eq!(blobs[2].properties.etag, notes.get_properties().await.unwrap().etag);
}

async fn a_list_by_hierarchy_stops_at_the_delimiter(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    for name in ["a", "dir/b", "dir/deeper/c", "z"] {
        container.block_blob_client(name).upload("x").await.unwrap();
    }
    let listed = async |prefix: &str| -> Vec<String> {
        let list = container.list_blobs().prefix(prefix).by_hierarchy("/");
        let items: Vec<BlobHierarchyItem> = list.collect_all().await.unwrap();
        let mut names: Vec<String> = items
            .into_iter()
            .map(|item| match item {
                BlobHierarchyItem::Blob(blob) => blob.name,
                BlobHierarchyItem::Prefix(prefix) => prefix,
                other => panic!("{other:?}"),
            })
            .collect();
        // The service interleaves blobs and prefixes; the emulator returns prefixes separately.
        names.sort();
        names
    };
    assert_eq!(listed("").await, ["a", "dir/", "z"]);
    assert_eq!(listed("dir/").await, ["dir/b", "dir/deeper/"]);
}

async fn containers_are_listed_with_their_metadata(azurite: &Azurite) {
    let service = service(azurite, &ACCOUNT);
    let name = unused_name();
    service.container_client(&name).create().metadata([("origin", "test")]).await.unwrap();
    let list =
        service.list_containers().prefix(&name).include([ContainerInclude::Metadata]).page_size(1);
    let found: Vec<_> = list.collect_all().await.unwrap();
    let found = found.iter().find(|container| container.name == name).unwrap();
    assert_eq!(found.metadata.get("origin"), Some("test"));
    assert!(found.etag.is_some() && found.last_modified.is_some());
}
