"""Listings: flat and by hierarchy, in pages, with copies, snapshots, metadata and tags."""

from azure.storage.blob import BlobPrefix

from kit import ENDLESS, check, equal, readable, refused, settled


@check
def blobs_are_listed_in_order_and_in_pages(world):
    container = world.container()
    for name in ("b", "a/2", "a/1", "B"):
        world.block_blob(container, name)
    equal([blob.name for blob in container.list_blobs()], ["B", "a/1", "a/2", "b"])
    batches = [list(batch) for batch in container.list_blobs(results_per_page=3).by_page()]
    equal([len(batch) for batch in batches], [3, 1])
    equal([blob.name for blob in container.list_blobs(name_starts_with="a/")], ["a/1", "a/2"])


@check
def a_hierarchy_shows_folders_once(world):
    container = world.container()
    for name in ("a/1", "a/2", "b", "c/d/e"):
        world.block_blob(container, name)
    found = [(item.name, isinstance(item, BlobPrefix)) for item in container.walk_blobs()]
    equal(sorted(found), [("a/", True), ("b", False), ("c/", True)])


@check
def awkward_names_come_back_as_they_were(world):
    container = world.container()
    names = ["100%", "a b", "a%20b", "a+b", "a&b<c>", "größe", "日本語"]
    for name in names:
        world.block_blob(container, name)
    equal(sorted(blob.name for blob in container.list_blobs()), sorted(names))
    equal(container.get_blob_client("a%20b").download_blob().readall(), b"some notes")


@check
def metadata_and_tags_are_listed_when_asked_for(world):
    container = world.container()
    world.block_blob(container, metadata={"day": "1"}, tags={"kind": "note"})
    (plain,) = container.list_blobs()
    equal((plain.metadata, plain.tags), ({}, None))
    (full,) = container.list_blobs(include=["metadata", "tags"])
    equal((full.metadata, full.tags), ({"day": "1"}, {"kind": "note"}))


@check
def snapshots_are_listed_before_their_blob(world):
    container = world.container()
    blob = world.page_blob(container)
    taken = [blob.create_snapshot()["snapshot"] for _ in range(2)]
    equal([found.snapshot for found in container.list_blobs(include="snapshots")], [*taken, None])
    equal(len(list(container.list_blobs())), 1)


@check
def pending_and_finished_copies_are_listed(world):
    container = world.container()
    source = world.page_blob(container, "source", size=ENDLESS)
    pending = container.get_blob_client("pending")
    copy_id = pending.start_copy_from_url(source.url)["copy_id"]
    small = world.block_blob(container, "small")
    done = container.get_blob_client("done")
    done.start_copy_from_url(small.url)
    settled(done)
    listed = {blob.name: blob.copy for blob in container.list_blobs(include=["copy"])}
    equal((listed["pending"].id, listed["pending"].status), (copy_id, "pending"))
    equal((listed["done"].status, listed["done"].progress), ("success", "10/10"))
    equal(listed["source"].id, None)
    assert listed["done"].completion_time
    equal({blob.copy.id for blob in container.list_blobs()}, {None})
    pending.abort_copy(copy_id)


@check
def incremental_copies_are_listed_with_their_snapshots(world):
    source = world.page_blob(world.container())
    container = world.container()
    destination = container.get_blob_client("backup.vhd")
    snapshot = source.create_snapshot()["snapshot"]
    destination.start_copy_from_url(readable(source, snapshot), incremental_copy=True)
    made = settled(destination).copy.destination_snapshot
    backup, base = container.list_blobs(include=["copy", "snapshots", "metadata"])
    equal((backup.snapshot, base.snapshot), (made, None))
    equal((backup.copy.incremental_copy, base.copy.incremental_copy), (True, True))
    equal((backup.copy.status, base.copy.status), ("success", "success"))


@check
def uncommitted_blobs_are_listed_when_asked_for(world):
    container = world.container()
    container.get_blob_client("staged").stage_block("b1", b"1")
    equal([blob.name for blob in container.list_blobs()], [])
    equal([blob.name for blob in container.list_blobs(include="uncommittedblobs")], ["staged"])


@check
def containers_are_listed_by_prefix_with_metadata(world):
    container = world.container()
    container.set_container_metadata({"day": "1"})
    (found,) = world.service.list_containers(container.container_name, include_metadata=True)
    equal((found.name, found.metadata), (container.container_name, {"day": "1"}))


@check
def a_missing_container_cannot_be_listed(world):
    with refused(404, "ContainerNotFound"):
        list(world.service.get_container_client("missing").list_blobs())
