"""Page blobs: their pages, their snapshots, and what differs between two of those."""

from azure.storage.blob import SequenceNumberAction

from kit import KIB, PAGE, at_snapshot, check, equal, refused


@check
def a_page_blob_holds_what_was_written_and_zeros_elsewhere(world):
    blob = world.page_blob(world.container(), size=4 * PAGE)
    blob.upload_page(b"b" * PAGE, offset=2 * PAGE, length=PAGE, validate_content=True)
    expected = b"a" * PAGE + bytes(PAGE) + b"b" * PAGE + bytes(PAGE)
    equal(blob.download_blob(validate_content=True).readall(), expected)
    equal(blob.download_blob(offset=500, length=24).readall(), b"a" * 12 + bytes(12))


@check
def its_properties_say_page_blob_size_and_sequence_number(world):
    blob = world.page_blob(world.container(), size=8 * KIB, metadata={"made": "by hand"})
    properties = blob.get_blob_properties()
    equal(properties.blob_type, "PageBlob")
    equal(properties.size, 8 * KIB)
    equal(properties.page_blob_sequence_number, 0)
    equal(properties.metadata, {"made": "by hand"})
    assert properties.creation_time and properties.last_modified and properties.etag


@check
def cleared_pages_leave_the_list_of_pages(world):
    blob = world.page_blob(world.container())
    blob.upload_page(b"b" * 2 * PAGE, offset=8 * PAGE, length=2 * PAGE)
    blob.clear_page(offset=8 * PAGE, length=PAGE)
    found = [(page.start, page.end, page.cleared) for page in blob.list_page_ranges()]
    equal(found, [(0, 511, False), (9 * PAGE, 10 * PAGE - 1, False)])


@check
def the_list_of_pages_keeps_to_a_range_and_comes_in_pages(world):
    blob = world.page_blob(world.container())
    for page in (2, 4, 6):
        blob.upload_page(b"b" * PAGE, offset=page * PAGE, length=PAGE)
    window = blob.list_page_ranges(offset=PAGE, length=4 * PAGE)
    equal([page.start for page in window], [2 * PAGE, 4 * PAGE])
    batches = [list(batch) for batch in blob.list_page_ranges(results_per_page=3).by_page()]
    equal([len(batch) for batch in batches], [3, 1])


@check
def resizing_cuts_and_grows_with_zeros(world):
    blob = world.page_blob(world.container(), size=2 * PAGE)
    blob.upload_page(b"b" * PAGE, offset=PAGE, length=PAGE)
    blob.resize_blob(PAGE)
    blob.resize_blob(2 * PAGE)
    equal(blob.download_blob().readall(), b"a" * PAGE + bytes(PAGE))


@check
def sequence_numbers_guard_page_writes(world):
    blob = world.page_blob(world.container())
    blob.set_sequence_number(SequenceNumberAction.UPDATE, "7")
    blob.set_sequence_number(SequenceNumberAction.MAX, "5")
    blob.set_sequence_number(SequenceNumberAction.INCREMENT)
    equal(blob.get_blob_properties().page_blob_sequence_number, 8)
    page = {"page": b"c" * PAGE, "offset": 0, "length": PAGE}
    blob.upload_page(**page, if_sequence_number_eq=8)
    with refused(412, "SequenceNumberConditionNotMet"):
        blob.upload_page(**page, if_sequence_number_lt=8)


@check
def a_range_that_is_not_whole_pages_is_refused(world):
    blob = world.page_blob(world.container())
    with refused(416, "InvalidPageRange"):
        blob.upload_page(b"c" * PAGE, offset=128 * KIB, length=PAGE)


@check
def a_snapshot_keeps_what_the_blob_was(world):
    blob = world.page_blob(world.container(), size=PAGE, metadata={"day": "1"})
    snapshot = at_snapshot(blob, blob.create_snapshot()["snapshot"])
    blob.upload_page(b"z" * PAGE, offset=0, length=PAGE)
    equal(snapshot.download_blob().readall(), b"a" * PAGE)
    equal(snapshot.get_blob_properties().metadata, {"day": "1"})
    with refused(400):
        snapshot.set_blob_metadata({"day": "2"})


@check
def a_snapshot_takes_metadata_of_its_own(world):
    blob = world.page_blob(world.container(), metadata={"day": "1"})
    snapshot = at_snapshot(blob, blob.create_snapshot(metadata={"day": "2"})["snapshot"])
    equal(snapshot.get_blob_properties().metadata, {"day": "2"})


@check
def a_blob_with_snapshots_goes_only_together_with_them(world):
    blob = world.page_blob(world.container())
    snapshot = at_snapshot(blob, blob.create_snapshot()["snapshot"])
    with refused(409, "SnapshotsPresent"):
        blob.delete_blob()
    blob.delete_blob(delete_snapshots="only")
    assert not snapshot.exists() and blob.exists()
    blob.create_snapshot()
    blob.delete_blob(delete_snapshots="include")
    assert not blob.exists()


@check
def a_diff_shows_written_and_cleared_pages_since_a_snapshot(world):
    blob = world.page_blob(world.container())
    blob.upload_page(b"b" * PAGE, offset=4 * PAGE, length=PAGE)
    earlier = blob.create_snapshot()["snapshot"]
    blob.upload_page(b"c" * PAGE, offset=8 * PAGE, length=PAGE)
    blob.clear_page(offset=4 * PAGE, length=PAGE)
    found = [
        (page.start // PAGE, page.cleared)
        for page in blob.list_page_ranges(previous_snapshot=earlier)
    ]
    equal(found, [(4, True), (8, False)])


@check
def a_diff_of_two_snapshots_leaves_later_writes_out(world):
    blob = world.page_blob(world.container())
    first = blob.create_snapshot()["snapshot"]
    blob.upload_page(b"b" * PAGE, offset=PAGE, length=PAGE)
    second = blob.create_snapshot()["snapshot"]
    blob.upload_page(b"c" * PAGE, offset=2 * PAGE, length=PAGE)
    found = at_snapshot(blob, second).list_page_ranges(previous_snapshot=first)
    equal([page.start for page in found], [PAGE])


@check
def a_diff_by_the_url_of_a_snapshot_is_for_managed_disks(world):
    blob = world.page_blob(world.container())
    earlier = blob.create_snapshot()["snapshot"]
    with refused(400, "UnsupportedHeaderForNonManagedDisksAccount"):
        blob.get_page_range_diff_for_managed_disk(at_snapshot(blob, earlier).url)


@check
def a_diff_since_a_later_or_unknown_snapshot_is_refused(world):
    blob = world.page_blob(world.container())
    first, second = (blob.create_snapshot()["snapshot"] for _ in range(2))
    with refused(400, "PreviousSnapshotCannotBeNewer"):
        list(at_snapshot(blob, first).list_page_ranges(previous_snapshot=second))
    with refused(409, "PreviousSnapshotNotFound"):
        list(blob.list_page_ranges(previous_snapshot="2020-01-01T00:00:00.0000000Z"))
