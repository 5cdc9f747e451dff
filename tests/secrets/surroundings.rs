//! The builders of operations other than copies, and their results.

use blobcopy::{
    AccessTier, BlobContainerClient, BlockId, BlockListEntry, CustomerProvidedKey, LeaseId,
    SequenceNumberAction, TierChange,
};

use super::{Shown, TOKEN};
use crate::support::script::{Script, Step, answer};

pub(super) async fn builders(shown: &mut Shown, container: &BlobContainerClient) {
    let (disk, notes) = (container.page_blob_client("disk0.vhd"), container.block_blob_client("b"));
    let blob = container.blob_client("disk0.vhd");
    let customer_key = CustomerProvidedKey::new([0x5a; 32]);
    shown.secrets.insert("WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=".into());
    shown.debug(&customer_key);
    let source: url::Url = "https://example.com/a?sig=abc".parse().expect("a URL");
    let copy = blob.copy_from_uri(source.clone()).source_authorization(TOKEN);
    shown.debug(&copy);
    let upload = notes.upload_from_uri(source.clone()).source_authorization(TOKEN);
    shown.debug(&upload.customer_key(customer_key.clone()).source_customer_key(customer_key));
    let id = BlockId::numbered(1);
    shown.id(&id);
    shown.debug(&BlockListEntry::from(&id));
    shown.debug(&notes.stage_block(&id, TOKEN));
    shown.debug(&notes.stage_block_from_uri(&id, source.clone()).source_authorization(TOKEN));
    shown.debug(&notes.commit_block_list([&id]));
    shown.debug(&notes.get_block_list());
    shown.debug(&disk.upload_pages_from_uri(source.clone(), 0..512, 0).source_authorization(TOKEN));
    shown.debug(&disk.resize(512));
    shown.debug(&SequenceNumberAction::Increment);
    shown.debug(&disk.set_sequence_number(SequenceNumberAction::Increment));
    let log = container.append_blob_client("log");
    shown.debug(&log);
    shown.debug(&log.create());
    shown.debug(&log.append_block(TOKEN));
    shown.debug(&log.append_block_from_uri(source).source_authorization(TOKEN));
    shown.debug(&disk.set_metadata([("k", "v")]));
    shown.debug(&disk.set_properties().content_type("a/b"));
    shown.debug(&disk.get_tags());
    shown.debug(&disk.set_tags([("k", "v")]));
    shown.debug(&disk.set_tier(AccessTier::Hot));
    shown.debug(&TierChange::Done);
    let lease = "11111111-2222-3333-4444-555555555555".parse::<LeaseId>().expect("a lease");
    shown.debug(&disk.acquire_infinite_lease());
    let appended = "x-ms-blob-append-offset: 0\nx-ms-copy-id: id\nx-ms-copy-status: success\n\
                    x-ms-lease-id: 11111111-2222-3333-4444-555555555555";
    let script = Script::new([answer(202, appended)]);
    let scripted = script.service().container_client("vhds");
    let copied = scripted.blob_client("b").copy_from_uri(&blob).await.expect("an answer");
    shown.model(&copied);
    let notes_there = scripted.block_blob_client("b");
    shown.model(&notes_there.stage_block(&id, "x").await.expect("an answer"));
    let appended = scripted.append_blob_client("b").append_block("x").await;
    shown.model(&appended.expect("an answer"));
    shown.model(&scripted.blob_client("b").renew_lease(&lease).await.expect("an answer"));
    shown.debug(&scripted.blob_client("b").acquire_infinite_lease().guard().await.expect("held"));
    let list = "<BlockList><CommittedBlocks><Block><Name>QQ==</Name><Size>1</Size></Block>\
                </CommittedBlocks></BlockList>";
    let body = Step::Answer { status: 200, headers: vec![], body: list.to_owned() };
    let blocks = Script::new([body]).service().container_client("vhds").block_blob_client("b");
    let blocks = blocks.get_block_list().await.expect("listed");
    shown.model(&blocks);
    shown.model(&blocks.committed[0]);
    shown.debug(&disk.acquire_infinite_lease().guard());
    shown.debug(&disk.renew_lease(&lease));
    shown.debug(&disk.change_lease(&lease, lease.clone()));
    shown.debug(&disk.release_lease(&lease));
    shown.debug(&disk.break_lease());
}
