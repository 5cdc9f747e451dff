//! `blobcopy copy -r`, killed by the system after any request, and run again until it ends.

use std::{
    collections::BTreeMap,
    process::{Child, Command},
    time::Duration,
};

use blobcopy::{BlobContainerClient, BlobInclude, BlobServiceClient};
use blobcopy_simulator::{Op, Simulator};

use crate::support::{World, bare, disk::Folder, finish, spawn};

/// The processes that `cargo test` kills; `BLOBCOPY_KILLS` sets another number.
const KILLS: u32 = 20;

/// The blobs of each round, a third of each type.
const BLOBS: usize = 36;

const KEYS: [&str; 2] = ["bmVhcg==", "ZmFy"];

/// Two accounts: the sources are in the first.
struct Accounts {
    world: World,
    near: BlobServiceClient,
    far: BlobServiceClient,
    folder: Folder,
}

impl Accounts {
    fn new() -> Self {
        let builder = Simulator::builder()
            .account("near", KEYS[0])
            .account("far", KEYS[1])
            .copy_duration(Duration::from_millis(30));
        let world = World::of(builder);
        let string = |account| world.simulator.connection_string_of(account).expect("an account");
        let client = |account| {
            BlobServiceClient::from_connection_string(&string(account)).expect("a client")
        };
        let (near, far) = (client("near"), client("far"));
        let folder = Folder::new("killed");
        folder.write("near", string("near").as_bytes());
        folder.write("far", string("far").as_bytes());
        Self { world, near, far, folder }
    }

    /// Block, append and page blobs in `from`, and an empty container `to` in both accounts.
    fn fill(&self, from: &str, to: &str) {
        self.world.runtime.block_on(async {
            let source = self.near.container_client(from);
            source.create().await.expect("created");
            self.near.container_client(to).create().await.expect("created");
            self.far.container_client(to).create().await.expect("created");
            for number in 0..BLOBS {
                let name = format!("{}/{number:02}", ["a", "a-b", "b"][number % 3]);
                let content = vec![u8::try_from(number).expect("few") + 1; 512 + number * 512];
                match number % 3 {
                    0 => {
                        let blob = source.block_blob_client(&name);
                        let upload = blob.upload(content).metadata([("owner", "team")]);
                        upload.tags([("stage", "test")]).await.expect("uploaded");
                    }
                    1 => {
                        let blob = source.append_blob_client(&name);
                        blob.create().content_type("text/csv").await.expect("created");
                        blob.append_block(content).await.expect("appended");
                    }
                    _ => {
                        let blob = source.page_blob_client(&name);
                        let create = blob.create(64 << 20).metadata([("owner", "team")]);
                        create.await.expect("created");
                        for place in [0, 9 << 20, 40 << 20] {
                            let pages = content.clone();
                            blob.upload_pages(place, pages).await.expect("written");
                        }
                    }
                }
            }
        });
        // Dates have whole seconds.
        self.world.simulator.clock().advance(Duration::from_secs(2));
    }

    fn copy(&self, from: &str, to: &str, far: bool) -> Command {
        let (from, to) = (format!("{from}/"), format!("{to}/"));
        let file = self.folder.path(if far { "far" } else { "near" });
        let source_file = self.folder.path("near");
        let flags = [
            ["--connection-string-file", &*file],
            ["--source-connection-string-file", &*source_file],
            ["--concurrency", "4"],
        ];
        bare(&[&["copy", "-r", &*from, &*to][..], flags.as_flattened()].concat())
    }

    fn requests(&self) -> u64 {
        self.world.simulator.counts().values().sum()
    }

    /// Content, headers, metadata and tags of all blobs. Fails if a snapshot is left.
    fn contents(&self, container: &BlobContainerClient) -> BTreeMap<String, (Vec<u8>, String)> {
        use BlobInclude::{Metadata, Snapshots, Tags, UncommittedBlobs};
        let include = [Metadata, Snapshots, Tags, UncommittedBlobs];
        self.world.runtime.block_on(async {
            let mut blobs = BTreeMap::new();
            let listed = container.list_blobs().include(include).collect_all().await;
            for item in listed.expect("listed") {
                assert!(item.snapshot.is_none(), "a snapshot of {} is left", item.name);
                let blob = container.blob_client_of(&item);
                let content = match blob.page_blob_client().get_page_ranges().collect_all().await {
                    // All that holds data.
                    Ok(ranges) => {
                        let mut content = format!("{:?}", ranges.ranges).into_bytes();
                        for range in ranges.ranges {
                            let part = blob.download().range(range.start..range.end).await;
                            let part = part.expect("there").bytes().await.expect("read");
                            content.extend(part);
                        }
                        content
                    }
                    Err(_) => {
                        let whole = blob.download().await.expect("there").bytes().await;
                        whole.expect("read").to_vec()
                    }
                };
                let of = &item.properties;
                let kept = format!(
                    "{:?} {} {:?} {:?} {:?}",
                    of.blob_type, of.content_length, of.content_type, of.metadata, item.tags
                );
                blobs.insert(item.name.clone(), (content, kept));
            }
            blobs
        })
    }
}

#[test]
fn a_job_whose_processes_are_killed_is_done_when_it_is_run_again() {
    let (kills, seed) = (kills(), seed());
    println!("BLOBCOPY_SEED={seed} kills after the same numbers of requests");
    let mut random = Random(seed);
    let accounts = Accounts::new();
    let (mut killed, mut rounds) = (0, 0);
    while killed < kills {
        let (from, to) = (format!("from-{rounds}"), format!("to-{rounds}"));
        killed += accounts.round(&from, &to, rounds % 2 == 0, kills - killed, &mut random);
        rounds += 1;
    }
    println!("{killed} processes killed in {rounds} jobs");
}

impl Accounts {
    /// Runs one job, and kills at most so many of its processes. Returns how many were killed.
    fn round(&self, from: &str, to: &str, far: bool, most: u32, random: &mut Random) -> u32 {
        self.fill(from, to);
        let started = self.world.simulator.copies().started();
        let (mut killed, mut runs) = (0, 0);
        loop {
            let mut child = spawn(self.copy(from, to, far));
            if killed < most {
                let end = self.requests() + 1 + random.below(60);
                self.world.until(|| self.requests() >= end || has_ended(&mut child));
                // The system's SIGKILL, if it has not ended.
                child.kill().expect("it can be killed");
            }
            let ended = finish(child, "");
            match ended.code {
                Some(0) => break,
                None => killed += 1,
                // What a dead process has sent came in its way.
                Some(1) => runs += 1,
                Some(_) => panic!("{ended:#?}"),
            }
            assert!(runs < 5, "{ended:#?}");
        }
        let source = self.contents(&self.near.container_client(from));
        let service = if far { &self.far } else { &self.near };
        let copies = self.contents(&service.container_client(to));
        assert_eq!(source.len(), BLOBS);
        for (name, of) in &source {
            let kept = copies.get(name).map(|(_, kept)| kept);
            assert_eq!(kept, Some(&of.1), "{name}");
            assert!(copies.get(name) == Some(of), "{name} has other content");
        }
        assert_eq!(copies.len(), BLOBS);
        let started = self.world.simulator.copies().started() - started;
        let expected = if far { BLOBS / 3 } else { BLOBS };
        assert_eq!(started, expected as u64, "each copy is started once");

        self.world.simulator.forget_requests();
        let last = finish(spawn(self.copy(from, to, far)), "");
        assert_eq!(last.code, Some(0), "{last:#?}");
        assert_eq!(self.world.simulator.counts(), [(Op::ListBlobs, 2)].into(), "{last:#?}");
        killed
    }
}

/// How many processes are killed.
pub(crate) fn kills() -> u32 {
    let kills = std::env::var("BLOBCOPY_KILLS").ok();
    kills.map_or(KILLS, |text| text.parse().expect("BLOBCOPY_KILLS is a number"))
}

/// What the numbers follow from.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("BLOBCOPY_SEED").ok();
    seed.map_or_else(
        || u64::from(std::process::id()),
        |text| text.parse().expect("BLOBCOPY_SEED is a number"),
    )
}

/// Whether a process has ended by itself.
pub(crate) fn has_ended(child: &mut Child) -> bool {
    child.try_wait().expect("it is ours").is_some()
}

/// Numbers that follow from a seed: SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
