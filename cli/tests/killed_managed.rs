//! `blobcopy mirror` of a managed disk, killed by the system after any request, and run again until
//! it ends: what its dead processes were granted is given back.

use std::{process::Child, time::Duration};

use blobcopy::PageBlobClient;
use blobcopy_simulator::{GrantUrl, ManagedDisk, Op};

use crate::{
    killed::{Random, has_ended, kills, seed},
    killed_mirror::content,
    managed_disks::Managed,
    support::spawn,
};

/// The snapshots of each round's disk: more than can be granted at a time.
const SNAPSHOTS: usize = 7;

/// The disk's size: two windows of what a hop notes.
const SIZE: u64 = 3 << 29;

const PAGE: u64 = 512;

/// Longer than any process lives here.
const NEVER: Duration = Duration::from_secs(3600);

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// After so many requests.
    Requests(u64),
    /// When so many of these were applied, and the last of them is not answered.
    Unanswered(Op, u64),
    /// When so many changes of the marker, of which the first makes it, were applied, and the last
    /// of them is not answered: what it notes is not yet granted, or given back already.
    Noted(u64),
    /// When its first access was granted, and an earlier request for it is still on its way.
    Late,
}

/// How long what is late is on its way: longer than a process lives here.
const LATE: Duration = Duration::from_secs(60);

impl Moment {
    fn random(random: &mut Random) -> Self {
        let count = 1 + random.below(4);
        match random.below(10) {
            0..4 => Self::Requests(1 + random.below(60)),
            4 => Self::Unanswered(Op::GrantSnapshotAccess, count),
            5 => Self::Unanswered(Op::RevokeSnapshotAccess, count),
            6 => Self::Late,
            _ => Self::Noted(count),
        }
    }
}

#[test]
fn what_killed_processes_were_granted_is_given_back() {
    let (kills, seed) = (kills(), seed());
    println!("BLOBCOPY_SEED={seed} kills after the same numbers of requests");
    let mut random = Random(seed);
    let managed = Managed::new("killed");
    let (mut killed, mut rounds, mut left) = (0, 0, 0);
    while killed < kills {
        let round = Round::new(&managed, rounds, &mut random);
        let (now_killed, with_grants) = round.run((kills - killed).min(7), &mut random);
        killed += now_killed;
        left += with_grants;
        rounds += 1;
    }
    println!("{killed} processes killed in {rounds} mirrors, {left} of which left access behind");
    assert!(left > 0, "no process was killed while it had access");
}

/// One disk and its mirror.
struct Round<'a> {
    managed: &'a Managed,
    disk: ManagedDisk,
    copy: PageBlobClient,
}

impl<'a> Round<'a> {
    fn new(managed: &'a Managed, number: usize, random: &mut Random) -> Self {
        let simulator = &managed.world.simulator;
        let disk = simulator.managed_disks().create("disks", &format!("killed{number}"), SIZE);
        let forms = [GrantUrl::Blob, GrantUrl::BlobWithPolicy, GrantUrl::Snapshot];
        disk.grant_urls(forms[number % forms.len()]);
        for snapshot in 0..SNAPSHOTS {
            change(&disk, u8::try_from(snapshot).expect("few"), random);
            disk.snapshot(&format!("{}-{snapshot}", disk.name()));
            simulator.clock().advance(Duration::from_secs(1));
        }
        let service = simulator.service_client().expect("a client");
        let copy = service.container_client("backups").page_blob_client(&disk.name());
        Self { managed, disk, copy }
    }

    /// Mirrors the disk, and kills at most so many of its processes. Returns how many were killed,
    /// and how many of those while they had access to a snapshot.
    fn run(&self, most: u32, random: &mut Random) -> (u32, u32) {
        let (mut killed, mut left) = (0, 0);
        loop {
            let moment = (killed < most).then(|| Moment::random(random));
            let ended = self.managed.finish(self.spawned(moment));
            self.managed.world.simulator.faults().clear();
            if ended.code.is_some() {
                assert_eq!(ended.code, Some(0), "{moment:?}: {ended:#?}");
                break;
            }
            killed += 1;
            left += u32::from(self.disk.granted() > 0);
        }
        assert_eq!(self.disk.granted(), 0, "all that was granted is given back");
        self.expect_granted_in_turn();
        self.managed.world.runtime.block_on(self.expect_equal());

        let simulator = &self.managed.world.simulator;
        simulator.clock().advance(LATE);
        simulator.forget_requests();
        let last = self.managed.finish(self.spawned(None));
        assert_eq!(last.code, Some(0), "{last:#?}");
        for op in [Op::GrantSnapshotAccess, Op::PutPageFromUrl, Op::SnapshotBlob] {
            assert_eq!(simulator.count(op), 0, "{op:?}: {last:#?}");
        }
        assert_eq!(self.disk.granted(), 0, "what was granted late is given back");
        simulator.forget_requests();
        (killed, left)
    }

    /// A process that mirrors the disk, which is dead if it had not ended at the moment.
    fn spawned(&self, moment: Option<Moment>) -> Child {
        let world = &self.managed.world;
        let faults = world.simulator.faults();
        let marker = format!("{}.blobcopy", self.disk.name());
        let (op, count) = match moment {
            Some(Moment::Unanswered(op, count)) => {
                let _ = faults.on(op).after(count - 1).stall(NEVER);
                (Some(op), count)
            }
            Some(Moment::Noted(count)) => {
                let _ = faults.on(Op::PutBlob).blob(&marker).after(count - 1).stall(NEVER);
                (Some(Op::PutBlob), count)
            }
            Some(Moment::Late) => {
                let _ = faults.on(Op::GrantSnapshotAccess).times(1).land_late(LATE);
                (Some(Op::GrantSnapshotAccess), 1)
            }
            Some(Moment::Requests(count)) => (None, count),
            None => (None, u64::MAX),
        };
        let counted = || match op {
            Some(op) => world.simulator.count(op),
            None => world.simulator.counts().values().sum(),
        };
        let end = counted().saturating_add(count);
        let dest = format!("backups/{}", self.disk.name());
        let flags = [&*dest, "--take-lock", "--quiet"];
        let mut child = spawn(self.managed.mirror_of(&self.disk.name(), &flags));
        if moment.is_some() {
            world.until(|| counted() >= end || has_ended(&mut child));
            // The system's SIGKILL, if it has not ended.
            child.kill().expect("it can be killed");
        }
        child
    }

    /// Fails if a sixth snapshot was to be granted, which the service refuses.
    fn expect_granted_in_turn(&self) {
        assert!(self.disk.most_granted() <= 5);
        let requests = self.managed.world.simulator.requests();
        let grants = requests.iter().filter(|request| request.op() == Op::GrantSnapshotAccess);
        for grant in grants {
            assert_eq!(grant.status(), 202, "{grant:?}");
        }
    }

    /// Fails unless each snapshot has exactly one that holds the same pages with the same bytes.
    async fn expect_equal(&self) {
        let copies = self.copy.list_snapshots().collect_all().await.expect("listed");
        let snapshots = self.disk.snapshots();
        assert_eq!((copies.len(), snapshots.len()), (SNAPSHOTS, SNAPSHOTS), "each is there once");
        let options = self.managed.world.simulator.client_options();
        for (snapshot, copy) in snapshots.iter().zip(&copies) {
            let url = snapshot.grant(NEVER).expect("granted");
            let source = PageBlobClient::builder(url).options(options.clone()).build();
            let source = source.expect("a client");
            let copied = self.copy.with_snapshot(&copy.snapshot);
            let length = [&source, &copied]
                .map(async |blob| blob.get_properties().await.expect("there").content_length);
            let [of_source, of_copy] = length;
            assert_eq!(of_copy.await, of_source.await, "with the footer");
            let [source, copied] = [content(&source).await, content(&copied).await];
            assert!(source.len() > 1, "there is more than a footer");
            assert!(source == copied, "{} is not {}", snapshot.name(), copy.snapshot);
            snapshot.revoke();
        }
    }
}

/// Writes and clears some pages, in places of both windows.
fn change(disk: &ManagedDisk, number: u8, random: &mut Random) {
    for change in 0..6 {
        // Few places, so that some are written again.
        let at = random.below(SIZE / (64 << 20)) * (64 << 20) + random.below(4) * PAGE;
        let length = PAGE * (1 + random.below(4));
        if change > 0 && random.below(3) == 0 {
            disk.clear(at..at + length);
        } else {
            let byte = number * 16 + u8::try_from(random.below(16)).expect("small");
            disk.write(at, &vec![byte; usize::try_from(length).expect("small")]);
        }
    }
}
