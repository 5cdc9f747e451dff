//! Sources that change, grow and vanish while they are copied.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use blobcopy::{
    BlobContainerClient, DeleteSnapshots,
    jobs::{CopyJob, JobEvent, Outcome},
};
use fastrand::Rng;

use super::{
    line::{Book, Line, sleep},
    seeds::{seeds, tried},
    stock,
    world::World,
};

/// What each blob of the source has held so far, and which of them were deleted.
#[derive(Debug, Default)]
struct History {
    contents: BTreeMap<String, Vec<Vec<u8>>>,
    /// How often each was written since it was made.
    writes: BTreeMap<String, u32>,
    deleted: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Block,
    Append,
    Page,
}

/// Somebody who works in the source.
struct Rival {
    source: BlobContainerClient,
    history: Arc<Mutex<History>>,
    rng: Rng,
}

const LENGTH: usize = 32 * 512;

impl Rival {
    async fn make(&mut self, count: usize) {
        for number in 0..count {
            let kind = [Kind::Block, Kind::Append, Kind::Page][number % 3];
            let name = format!("{kind:?}{number:02}");
            let content = vec![1; LENGTH];
            self.write(&name, kind, content.clone()).await;
            let mut history = self.history.lock().expect("no panic");
            history.contents.insert(name.clone(), vec![content]);
            history.writes.insert(name, 0);
        }
    }

    /// Writes a blob as a whole. The states on the way are no contents of it: they are noted as
    /// such.
    async fn write(&self, name: &str, kind: Kind, content: Vec<u8>) {
        match kind {
            Kind::Block => {
                let blob = self.source.block_blob_client(name);
                blob.upload(content).await.expect("uploaded");
            }
            Kind::Append => {
                let blob = self.source.append_blob_client(name);
                if !blob.exists().await.expect("looked") {
                    blob.create().await.expect("created");
                }
                blob.append_block(content).await.expect("appended");
            }
            Kind::Page => {
                let blob = self.source.page_blob_client(name);
                if !blob.exists().await.expect("looked") {
                    blob.create(content.len() as u64).await.expect("created");
                }
                blob.upload_pages(0, content).await.expect("written");
            }
        }
    }

    /// Does one thing to one blob, all in one request, so that each state is one that counts.
    async fn act(&mut self, version: u8) {
        let names: Vec<String> =
            self.history.lock().expect("no panic").contents.keys().cloned().collect();
        let name = names[self.rng.usize(..names.len())].clone();
        if self.history.lock().expect("no panic").deleted.contains(&name) {
            return;
        }
        if self.rng.u8(..8) == 0 {
            let delete = self.source.blob_client(&name).delete();
            delete.snapshots(DeleteSnapshots::Include).await.expect("deleted");
            self.history.lock().expect("no panic").deleted.insert(name);
            return;
        }
        let last = {
            let history = self.history.lock().expect("no panic");
            history.contents[&name].last().expect("one").clone()
        };
        let (kind, content) = match &name[..1] {
            // Changes, grows or shrinks.
            "B" => {
                let length = [LENGTH, LENGTH + 900, LENGTH / 2][self.rng.usize(..3)];
                (Kind::Block, vec![version; length])
            }
            "A" => (Kind::Append, [last, vec![version; 700]].concat()),
            _ => (Kind::Page, vec![version; LENGTH]),
        };
        let written = match kind {
            Kind::Append => vec![version; 700],
            _ => content.clone(),
        };
        self.write(&name, kind, written).await;
        let mut history = self.history.lock().expect("no panic");
        history.contents.get_mut(&name).expect("known").push(content);
        *history.writes.get_mut(&name).expect("known") += 1;
    }

    async fn work(mut self, acts: u8, pause: Duration) {
        for version in 2..acts.saturating_add(2) {
            sleep(pause).await;
            self.act(version).await;
        }
    }
}

#[test]
fn a_copy_is_one_state_of_its_source_whatever_happens_to_it_meanwhile() {
    let mut all: BTreeMap<Outcome, u64> = BTreeMap::new();
    let seeds = seeds("BLOBCOPY_UNQUIET_JOBS", 60);
    for seed in seeds.clone() {
        for (outcome, count) in tried(seed, unquiet(seed)) {
            *all.entry(outcome).or_default() += count;
        }
    }
    println!("{all:?}");
    if seeds.end - seeds.start >= 20 {
        for outcome in [Outcome::Copied, Outcome::Changed, Outcome::Vanished] {
            assert!(all.contains_key(&outcome), "never {outcome}");
        }
    }
}

async fn unquiet(seed: u64) -> BTreeMap<Outcome, u64> {
    let mut rng = Rng::with_seed(seed);
    let far = rng.u8(..3) > 0;
    let snapshots = rng.bool();
    let duration = Duration::from_millis([0, 60, 1_500][rng.usize(..3)]);
    let world = World::of(|builder| builder.seed(seed).copy_duration(duration)).await;
    let history = Arc::new(Mutex::new(History::default()));
    let (source, rival_rng) = (world.from(), Rng::with_seed(rng.u64(..)));
    let mut rival = Rival { source, history: history.clone(), rng: rival_rng };
    rival.make(rng.usize(2..15)).await;
    world.later();

    let book = Arc::new(Book::default());
    let (from, near_to, far_to) = world.through(Line::new(&world.sim, seed, &book));
    let to = if far { far_to } else { near_to };
    let job = CopyJob::new(&from, &to)
        .largest_single(LENGTH as u64 - 1)
        .block_size(2_000)
        .snapshot_sources(snapshots)
        .concurrency(rng.usize(1..8));
    let pause = Duration::from_millis([1, 7, 40, 300][rng.usize(..4)]);
    let rival = tokio::spawn(rival.work(rng.u8(20..250), pause));
    let mut told = BTreeMap::new();
    let report = job.run().on_event(|event| {
        if let JobEvent::Finished(blob) = event {
            assert_eq!(told.insert(blob.name.clone(), blob.outcome), None, "{}", blob.name);
        }
    });
    let report = report.await.expect("a report");
    rival.await.expect("no panic");
    let copies = World::contents(&to).await;
    let sound = stock::whole(&to).await;
    {
        let history = history.lock().expect("no panic");
        for (name, contents) in &history.contents {
            let outcome = told.get(name).copied();
            let whole = sound.get(name).is_some_and(|copy| copy.is_finished());
            if whole {
                assert!(contents.contains(&copies[name]), "{name} is a mix: {outcome:?}");
            }
            match outcome {
                Some(Outcome::Copied) => assert!(whole, "{name} is not copied"),
                Some(Outcome::Vanished) => assert!(history.deleted.contains(name), "{name}"),
                Some(Outcome::Changed) => assert!(history.writes[name] > 3, "{name}: {report:?}"),
                // It was deleted before it was listed.
                None => assert!(history.deleted.contains(name), "{name} is not told"),
                Some(outcome) => panic!("{name} is {outcome}: {report:?}"),
            }
        }
    }

    // In peace, another run makes it whole.
    world.later();
    let last = job.run().await.expect("a report");
    assert_eq!(last.failures, 0, "{last:?}");
    let (sources, copies) = (World::contents(&world.from()).await, World::contents(&to).await);
    for (name, content) in &sources {
        assert_eq!(copies.get(name), Some(content), "{name}");
    }
    assert_eq!(stock::litter(&world.from()).await, [""; 0]);
    report.outcomes
}
