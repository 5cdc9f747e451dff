//! The disk that is mirrored: written, cleared, resized, created again, and its snapshots taken and
//! deleted at random.

use std::ops::Range;

use blobcopy::{PageBlobClient, SnapshotId};
use blobcopy_simulator::ManagedDisk;
use fastrand::Rng;
use time::OffsetDateTime;

use super::truth::{Content, PAGE, Taken, WINDOW, bytes_of};

const TIB: u64 = 1 << 40;

/// How large it is at first.
const SIZE: u64 = 4 * TIB;

/// What one write may have at most.
const MOST: u64 = 4 << 20;

/// A disk and the truth about it.
#[derive(Debug)]
pub(super) struct Disk {
    kind: Kind,
    rng: Rng,
    writes: u64,
    created: u32,
    now: Content,
    pub(super) taken: Vec<Taken>,
}

#[derive(Debug)]
enum Kind {
    Blob(PageBlobClient),
    Managed(ManagedDisk),
}

impl Disk {
    /// A page blob, which is created here.
    pub(super) async fn blob(blob: PageBlobClient, seed: u64) -> Self {
        blob.create(SIZE).await.expect("created");
        Self::new(Kind::Blob(blob), Content::of(SIZE), seed)
    }

    /// A managed disk of [`Self::managed_size`].
    pub(super) fn managed(disk: ManagedDisk, seed: u64) -> Self {
        let mut content = Content::of(0);
        content.put_footer(disk.size(), 0);
        Self::new(Kind::Managed(disk), content, seed)
    }

    /// The size of a managed disk at first: it can grow over the border of 4 TiB.
    pub(super) fn managed_size() -> u64 {
        SIZE - (64 << 20)
    }

    fn new(kind: Kind, now: Content, seed: u64) -> Self {
        let rng = Rng::with_seed(seed);
        Self { kind, rng, writes: 0, created: 1, now, taken: Vec::new() }
    }

    /// What happens between two snapshots.
    pub(super) async fn change(&mut self) {
        for _ in 0..self.rng.u32(1..12) {
            match self.rng.u32(..1_000) {
                0..640 => self.write(1..=40).await,
                640..650 => self.write(1..=MOST / PAGE / 8).await,
                650 => self.many().await,
                651..930 => self.clear(1..=60).await,
                930..960 => self.clear(1..=WINDOW / PAGE * 2).await,
                _ => self.resize().await,
            }
        }
        if self.rng.u32(..25) == 0 {
            self.create_again().await;
        }
    }

    /// One write or clear, where there are few pages in all.
    pub(super) async fn write_little(&mut self) {
        let start = self.rng.u64(..8) * 300 * WINDOW + self.rng.u64(..32) * PAGE;
        let range = start..start + self.rng.u64(1..4) * PAGE;
        if self.rng.u8(..5) == 0 {
            self.clear_at(range).await;
        } else {
            self.write_at(range).await;
        }
    }

    async fn write(&mut self, pages: std::ops::RangeInclusive<u64>) {
        let range = self.place(pages);
        self.write_at(range).await;
    }

    /// A file that is larger than one request may write.
    async fn many(&mut self) {
        let all = self.place(MOST / PAGE..=2 * MOST / PAGE);
        let mut start = all.start;
        while start < all.end {
            let end = all.end.min(start + MOST);
            self.write_at(start..end).await;
            start = end;
        }
    }

    async fn write_at(&mut self, range: Range<u64>) {
        self.writes += 1;
        let number = self.writes;
        let mut bytes = Vec::with_capacity(usize::try_from(range.end - range.start).expect("few"));
        for page in range.start / PAGE..range.end / PAGE {
            bytes.extend(bytes_of(page, number));
        }
        match &self.kind {
            Kind::Blob(blob) => {
                blob.upload_pages(range.start, bytes).await.expect("written");
            }
            Kind::Managed(disk) => disk.write(range.start, &bytes),
        }
        self.now.write(range, number);
    }

    async fn clear(&mut self, pages: std::ops::RangeInclusive<u64>) {
        let range = self.place(pages);
        self.clear_at(range).await;
    }

    async fn clear_at(&mut self, range: Range<u64>) {
        match &self.kind {
            Kind::Blob(blob) => {
                blob.clear_pages(range.clone()).await.expect("cleared");
            }
            Kind::Managed(disk) => disk.clear(range.clone()),
        }
        self.now.clear(range);
    }

    async fn resize(&mut self) {
        let pages = self.rng.u64(..64) * PAGE;
        match &self.kind {
            Kind::Blob(blob) => {
                let length = match self.rng.u32(..4) {
                    0 => TIB + pages,
                    1 => WINDOW * self.rng.u64(1..9) + pages,
                    2 => 5 * TIB - pages,
                    _ => SIZE,
                };
                blob.resize(length).await.expect("resized");
                self.now.resize(length);
            }
            Kind::Managed(disk) => {
                let size = disk.size() + (1 << self.rng.u32(9..28));
                disk.resize(size);
                self.writes += 1;
                self.now.put_footer(size, self.writes);
            }
        }
    }

    /// Put Blob over it: its snapshots stay.
    async fn create_again(&mut self) {
        let Kind::Blob(blob) = &self.kind else { return };
        blob.create(SIZE).await.expect("created");
        self.now = Content::of(SIZE);
        self.created += 1;
        for _ in 0..3 {
            self.write(1..=20).await;
        }
    }

    /// Some pages where there is often something already, at a border or anywhere.
    fn place(&mut self, pages: std::ops::RangeInclusive<u64>) -> Range<u64> {
        let rng = &mut self.rng;
        let end = match &self.kind {
            Kind::Blob(_) => self.now.length,
            Kind::Managed(disk) => disk.size(),
        };
        let length = rng.u64(pages) * PAGE;
        let start = match rng.u32(..10) {
            0..4 => rng.u64(..4) * 37 * WINDOW + rng.u64(..64) * PAGE,
            4..6 => (rng.u64(1..4) * WINDOW).saturating_sub(rng.u64(..32) * PAGE),
            6 => end.saturating_sub(length + rng.u64(..16) * PAGE),
            7 => rng.u64(..64) * PAGE,
            8 => TIB - rng.u64(..64) * PAGE,
            _ => rng.u64(..end / PAGE) * PAGE,
        };
        let length = length.min(end);
        let start = start.min(end - length);
        start..start + length
    }

    pub(super) async fn snapshot(&mut self) {
        let (id, time) = match &self.kind {
            Kind::Blob(blob) => {
                let id = blob.create_snapshot().await.expect("taken").snapshot;
                let time = blobcopy::disks::DatedSnapshot::from(&id).time.expect("a time");
                (id.to_string(), time)
            }
            Kind::Managed(disk) => {
                let taken = disk.snapshot(&format!("{}-{}", disk.name(), self.taken.len()));
                (taken.id(), taken.created().expect("it is there"))
            }
        };
        let content = self.now.clone();
        self.taken.push(Taken { id, time, created: self.created, content, is_gone: false });
    }

    /// Somebody deletes a snapshot of the source.
    pub(super) async fn delete_one(&mut self) {
        let left = (0..self.taken.len()).filter(|at| !self.taken[*at].is_gone);
        let left: Vec<usize> = left.collect();
        if left.len() < 2 {
            return;
        }
        // Most often one of the newest, which the mirror is at work with.
        let newest = left.len() - self.rng.usize(1..=left.len().min(4));
        let at = left[newest];
        match &self.kind {
            Kind::Blob(blob) => {
                let id: SnapshotId = self.taken[at].id.parse().expect("an id");
                blob.with_snapshot(id).delete().await.expect("deleted");
            }
            Kind::Managed(disk) => {
                let found = disk.snapshots().into_iter().find(|it| it.id() == self.taken[at].id);
                found.expect("it is there").delete();
            }
        }
        self.taken[at].is_gone = true;
    }

    pub(super) fn find(&self, id: &str, time: Option<OffsetDateTime>) -> Option<&Taken> {
        self.taken.iter().find(|it| it.id == id && time.is_none_or(|time| time == it.time))
    }
}
