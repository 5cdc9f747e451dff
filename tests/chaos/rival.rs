//! Other clients that use the same blobs, unaware of the client under test.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use blobcopy::{
    BlobContainerClient, DeleteSnapshots, PageBlobClient, PublicAccessType, SnapshotId,
};
use bytes::Bytes;
use fastrand::Rng;
use time::OffsetDateTime;

use super::{
    lane::{Kind, NAMES},
    tally::Group,
    truth::Truth,
    world::{World, sleep},
};

/// The length of a source's pages.
pub(super) const PAGES: u64 = 2048;

/// A source blob, and everything that it has ever contained.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) container: BlobContainerClient,
    pub(super) pages: bool,
    pub(super) name: &'static str,
    /// Its contents, each with the time from which it held it.
    pub(super) history: Mutex<Vec<(OffsetDateTime, Bytes)>>,
}

impl Source {
    pub(super) fn disk(&self) -> PageBlobClient {
        self.container.page_blob_client(self.name)
    }

    /// Writes new content into it.
    pub(super) async fn change(&self, world: &World, rng: &mut Rng) {
        let mut content = self.current().to_vec();
        if self.pages {
            content.resize(usize::try_from(PAGES).expect("small"), 0);
            let page = rng.usize(..4) * 512;
            let written = vec![rng.u8(1..); 512];
            content[page..page + 512].copy_from_slice(&written);
            let at = u64::try_from(page).expect("small");
            self.disk().upload_pages(at, written).await.expect("written");
        } else {
            content = vec![0; rng.usize(1..400)];
            rng.fill(&mut content);
            let blob = self.container.block_blob_client(self.name);
            blob.upload(content.clone()).await.expect("written");
        }
        self.history.lock().expect("one thread").push((world.now(), content.into()));
    }

    pub(super) fn current(&self) -> Bytes {
        let history = self.history.lock().expect("one thread");
        history.last().map(|(_, content)| content.clone()).unwrap_or_default()
    }

    /// Whether it held `content` at some time between two moments.
    pub(super) fn held(&self, content: &Bytes, from: OffsetDateTime, to: OffsetDateTime) -> bool {
        let history = self.history.lock().expect("one thread");
        let ends =
            history.iter().skip(1).map(|(since, _)| *since).chain([OffsetDateTime::MAX_DATE]);
        history
            .iter()
            .zip(ends)
            .any(|((since, held), until)| held == content && *since <= to && until >= from)
    }
}

trait MaxDate {
    const MAX_DATE: Self;
}

impl MaxDate for OffsetDateTime {
    const MAX_DATE: Self = time::macros::datetime!(9999-12-31 0:00 UTC);
}

/// What a rival needs to know about the copy that it disturbs.
#[derive(Debug)]
pub(super) struct Rival {
    pub(super) truth: Arc<Truth>,
    pub(super) kind: Kind,
    pub(super) to: BlobContainerClient,
    pub(super) source: Arc<Source>,
    pub(super) other: Arc<Source>,
    pub(super) snapshot: Option<SnapshotId>,
    pub(super) rng: Rng,
}

impl Rival {
    /// Does one or two things at random times.
    pub(super) async fn run(mut self, world: Arc<World>) {
        let longest = [30, 1_500, 8_000, 60_000][self.rng.usize(..4)];
        for _ in 0..self.rng.u8(1..=2) {
            sleep(Duration::from_millis(self.rng.u64(0..=longest))).await;
            let what = self.act(&world).await;
            self.truth.count(Group::Rival, what);
            let line = format!("{} a rival {what} at {}", world.now(), self.to.name());
            self.truth.book().log.push(line);
        }
    }

    /// Requests of rivals may fail; that is not checked.
    async fn act(&mut self, world: &World) -> &'static str {
        match self.rng.u8(..16) {
            0..=3 => {
                let _ = self.to.blob_client(NAMES[self.kind as usize]).abort_pending_copy().await;
                "aborts"
            }
            4..=5 => {
                let blob = self.to.blob_client(NAMES[self.kind as usize]);
                let _ = blob.abort_pending_copy().await;
                let _ = blob.delete().snapshots(DeleteSnapshots::Include).await;
                "deletes"
            }
            6..=7 => {
                self.overwrite().await;
                "writes the destination"
            }
            8..=10 => {
                if self.rng.bool() {
                    let blob = self.to.blob_client(NAMES[self.kind as usize]);
                    let _ = blob.abort_pending_copy().await;
                }
                self.copy(&self.source.clone()).await;
                "copies the same source"
            }
            11..=12 => {
                if self.rng.bool() {
                    let blob = self.to.blob_client(NAMES[self.kind as usize]);
                    let _ = blob.abort_pending_copy().await;
                }
                self.copy(&self.other.clone()).await;
                "copies another source"
            }
            13..=14 => {
                self.source.change(world, &mut self.rng).await;
                "changes the source"
            }
            _ => {
                let _ = self.to.delete().await;
                sleep(Duration::from_millis(self.rng.u64(0..3_000))).await;
                let _ = self.to.create().public_access(PublicAccessType::Blob).await;
                "deletes the container"
            }
        }
    }

    async fn overwrite(&self) {
        let name = NAMES[self.kind as usize];
        match self.kind {
            Kind::Blocks => {
                let _ = self.to.block_blob_client(name).upload("a rival's").await;
            }
            Kind::Pages | Kind::PagesOfSnapshot => {
                let _ = self.to.page_blob_client(name).create(512).await;
            }
            // It cannot be written to, so it is replaced.
            Kind::Incremental => {
                let blob = self.to.page_blob_client(name);
                let _ = blob.delete().snapshots(DeleteSnapshots::Include).await;
                let _ = blob.create(512).await;
            }
        }
    }

    async fn copy(&self, source: &Source) {
        let name = NAMES[self.kind as usize];
        let (disk, blocks) = (source.disk(), source.container.blob_client(source.name));
        match (self.kind, &self.snapshot) {
            (Kind::Incremental, Some(snapshot)) => {
                let to = self.to.page_blob_client(name);
                let _ = to.start_copy_incremental(&disk, snapshot).await;
            }
            (Kind::PagesOfSnapshot, Some(snapshot)) => {
                let snapshot = disk.with_snapshot(snapshot);
                let _ = self.to.blob_client(name).start_copy_from_uri(&snapshot).await;
            }
            _ => {
                let _ = self.to.blob_client(name).start_copy_from_uri(&blocks).await;
            }
        }
    }
}
