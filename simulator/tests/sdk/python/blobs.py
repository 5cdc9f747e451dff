"""Block and append blobs, their metadata, headers, tags and tiers; containers."""

import base64
from datetime import timedelta
from hashlib import sha256

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, ContentSettings, PublicAccess, AccessPolicy
from azure.storage.blob import BlobClient, ContainerSasPermissions, CustomerProvidedEncryptionKey

from kit import check, equal, in_an_hour, over_https, refused


@check
def blocks_become_a_blob_when_they_are_listed(world):
    blob = world.container().get_blob_client("blocks")
    for name in ("a", "b", "c"):
        blob.stage_block(name, name.encode() * 3)
    blob.commit_block_list([BlobBlock("c"), BlobBlock("a")])
    equal(blob.download_blob().readall(), b"cccaaa")
    committed, staged = blob.get_block_list("all")
    equal([(block.id, block.size) for block in committed], [("c", 3), ("a", 3)])
    equal(staged, [])


@check
def large_uploads_go_by_blocks(world):
    blob = BlobClient.from_blob_url(
        world.container().get_blob_client("large").url,
        credential=world.service.credential,
        max_single_put_size=1024,
        max_block_size=1024,
    )
    data = bytes(range(256)) * 16
    blob.upload_blob(data, validate_content=True)
    equal(len(blob.get_block_list("committed")[0]), 4)
    equal(blob.download_blob(max_concurrency=2).readall(), data)


def customer_key(byte):
    key = bytes([byte]) * 32
    as_text = lambda data: base64.b64encode(data).decode()
    return CustomerProvidedEncryptionKey(as_text(key), as_text(sha256(key).digest()))


@over_https
@check
def a_blob_is_shown_to_whoever_has_its_key(world):
    key = customer_key(1)
    blob = world.container(world.secure).get_blob_client("secret")
    blob.upload_blob(b"some notes", cpk=key)
    equal(blob.download_blob(cpk=key).readall(), b"some notes")
    equal(blob.get_blob_properties(cpk=key).encryption_key_sha256, key.key_hash)
    with refused(409, "BlobUsesCustomerSpecifiedEncryption"):
        blob.download_blob()
    with refused(409, "BlobUsesCustomerSpecifiedEncryption"):
        blob.download_blob(cpk=customer_key(2))


@check
def append_blobs_grow(world):
    blob = world.container().get_blob_client("log")
    blob.create_append_blob()
    equal(blob.append_block(b"one,")["blob_append_offset"], "0")
    equal(blob.append_block(b"two", validate_content=True)["blob_append_offset"], "4")
    equal(blob.download_blob().readall(), b"one,two")
    equal(blob.get_blob_properties().append_blob_committed_block_count, 2)


@check
def headers_and_metadata_are_replaced_as_a_whole(world):
    settings = ContentSettings(content_type="text/plain", cache_control="no-cache")
    blob = world.block_blob(world.container(), content_settings=settings, metadata={"a": "1"})
    blob.set_blob_metadata({"b": "2"})
    blob.set_http_headers(ContentSettings(content_type="text/html"))
    properties = blob.get_blob_properties()
    equal(properties.metadata, {"b": "2"})
    equal(properties.content_settings.content_type, "text/html")
    equal(properties.content_settings.cache_control, None)


@check
def tags_are_kept_beside_the_blob(world):
    blob = world.block_blob(world.container(), tags={"kind": "note"})
    equal(blob.get_blob_tags(), {"kind": "note"})
    blob.set_blob_tags({"kind": "letter", "to": "a friend"})
    equal(blob.get_blob_tags(), {"kind": "letter", "to": "a friend"})
    equal(blob.get_blob_properties().tag_count, 2)
    with refused(412):
        blob.get_blob_properties(if_tags_match_condition="\"kind\" = 'note'")


@check
def tiers_change_and_an_archived_blob_comes_back(world):
    blob = world.block_blob(world.container())
    blob.set_standard_blob_tier("Cool")
    equal(blob.get_blob_properties().blob_tier, "Cool")
    blob.set_standard_blob_tier("Archive")
    with refused(409, "BlobArchived"):
        blob.download_blob()
    blob.set_standard_blob_tier("Hot", rehydrate_priority="High")
    equal(blob.get_blob_properties().archive_status, "rehydrate-pending-to-hot")


@check
def reads_and_writes_keep_their_conditions(world):
    blob = world.block_blob(world.container())
    etag = blob.get_blob_properties().etag
    with refused(304):
        blob.get_blob_properties(etag=etag, match_condition=MatchConditions.IfModified)
    with refused(412, "ConditionNotMet"):
        blob.set_blob_metadata({}, etag='"0x1"', match_condition=MatchConditions.IfNotModified)
    with refused(409, "BlobAlreadyExists"):
        blob.upload_blob(b"again")


@check
def containers_have_metadata_and_go_away(world):
    container = world.container()
    container.set_container_metadata({"purpose": "tests"})
    equal(container.get_container_properties().metadata, {"purpose": "tests"})
    with refused(409, "ContainerAlreadyExists"):
        container.create_container()
    container.delete_container()
    assert not container.exists()


@check
def a_public_container_is_read_without_a_key(world):
    container = world.container()
    blob = world.block_blob(container, data=b"for all")
    stranger = BlobClient.from_blob_url(blob.url)
    with refused(401):
        stranger.download_blob()
    container.set_container_access_policy(signed_identifiers={}, public_access=PublicAccess.BLOB)
    equal(stranger.download_blob().readall(), b"for all")
    equal(container.get_container_properties().public_access, "blob")


@check
def access_policies_are_kept(world):
    container = world.container()
    policy = AccessPolicy(
        ContainerSasPermissions(read=True), expiry=in_an_hour(), start=in_an_hour() - timedelta(hours=2)
    )
    container.set_container_access_policy(signed_identifiers={"readers": policy})
    (found,) = container.get_container_access_policy()["signed_identifiers"]
    equal((found.id, found.access_policy.permission), ("readers", "r"))
