"""Every write whose content the service fetches from a URL by itself."""

import hashlib

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, ContentSettings

from kit import PAGE, check, equal, readable, refused

SOURCE = b"0123456789" * 100


@check
def copy_blob_from_url_is_over_when_it_answers(world):
    source = world.block_blob(world.container(world.other), data=SOURCE, metadata={"day": "1"})
    destination = world.container().get_blob_client("copy")
    answer = destination.start_copy_from_url(readable(source), requires_sync=True)
    equal(answer["copy_status"], "success")
    properties = destination.get_blob_properties()
    equal((properties.copy.status, properties.metadata), ("success", {"day": "1"}))
    equal(destination.download_blob().readall(), SOURCE)


@check
def put_blob_from_url_brings_content_and_properties(world):
    settings = ContentSettings(content_type="text/plain", content_language="en")
    source = world.block_blob(world.container(), data=SOURCE, content_settings=settings)
    destination = world.container().get_blob_client("copy")
    destination.upload_blob_from_url(readable(source))
    properties = destination.get_blob_properties()
    equal(properties.content_settings.content_type, "text/plain")
    equal(properties.content_settings.content_language, "en")
    equal(properties.copy.id, None)
    equal(destination.download_blob().readall(), SOURCE)


@check
def put_blob_from_url_takes_any_type_of_source(world):
    source = world.page_blob(world.container(), size=2 * PAGE)
    destination = world.container().get_blob_client("copy")
    destination.upload_blob_from_url(readable(source))
    equal(destination.get_blob_properties().blob_type, "BlockBlob")
    equal(destination.download_blob().readall(), b"a" * PAGE + bytes(PAGE))


@check
def put_blob_from_url_can_leave_the_properties_behind(world):
    settings = ContentSettings(content_type="text/plain")
    source = world.block_blob(world.container(), content_settings=settings)
    destination = world.container().get_blob_client("copy")
    destination.upload_blob_from_url(readable(source), include_source_blob_properties=False)
    found = destination.get_blob_properties().content_settings.content_type
    equal(found, "application/octet-stream")


@check
def put_block_from_url_takes_a_range(world):
    source = world.block_blob(world.container(world.other), data=SOURCE)
    destination = world.container().get_blob_client("copy")
    digest = bytearray(hashlib.md5(SOURCE[10:15]).digest())
    destination.stage_block_from_url("b1", readable(source), 0, 5)
    destination.stage_block_from_url("b2", readable(source), 10, 5, source_content_md5=digest)
    committed, staged = destination.get_block_list("all")
    equal((committed, [block.size for block in staged]), ([], [5, 5]))
    destination.commit_block_list([BlobBlock("b2"), BlobBlock("b1")])
    equal(destination.download_blob().readall(), SOURCE[10:15] + SOURCE[:5])


@check
def put_page_from_url_takes_a_range(world):
    source = world.block_blob(world.container(world.other), data=b"s" * 2 * PAGE)
    destination = world.page_blob(world.container(), size=4 * PAGE)
    destination.upload_pages_from_url(
        readable(source), offset=2 * PAGE, length=PAGE, source_offset=PAGE
    )
    equal(destination.download_blob(offset=2 * PAGE, length=PAGE).readall(), b"s" * PAGE)


@check
def append_block_from_url_takes_a_range(world):
    source = world.block_blob(world.container(world.other), data=SOURCE)
    destination = world.container().get_blob_client("log")
    destination.create_append_blob()
    destination.append_block(b"first ")
    destination.append_block_from_url(
        readable(source), source_offset=0, source_length=10, appendpos_condition=6
    )
    equal(destination.download_blob().readall(), b"first 0123456789")
    with refused(412, "AppendPositionConditionNotMet"):
        destination.append_block_from_url(
            readable(source), source_offset=0, source_length=10, appendpos_condition=6
        )


@check
def a_wrong_checksum_of_the_source_is_refused(world):
    source = world.block_blob(world.container(), data=SOURCE)
    destination = world.container().get_blob_client("copy")
    with refused(400, "Md5Mismatch"):
        destination.stage_block_from_url(
            "b1", readable(source), 0, 5, source_content_md5=bytearray(16)
        )


@check
def the_source_is_authorized_by_itself(world):
    source = world.block_blob(world.container())
    destination = world.container().get_blob_client("copy")
    for write in (
        lambda: destination.start_copy_from_url(source.url, requires_sync=True),
        lambda: destination.upload_blob_from_url(source.url),
        lambda: destination.stage_block_from_url("b1", source.url, 0, 4),
    ):
        with refused(401):
            write()


@check
def conditions_on_the_source_are_kept(world):
    source = world.block_blob(world.container())
    destination = world.container().get_blob_client("copy")
    with refused(412, "SourceConditionNotMet"):
        destination.upload_blob_from_url(
            readable(source),
            source_etag='"0x1"',
            source_match_condition=MatchConditions.IfNotModified,
        )
