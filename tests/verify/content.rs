//! Whether a difference is found, and where.

use blobcopy::jobs::{Verdict, verify};
use blobcopy_simulator::Op;
use crc::{CRC_64_NVME, Crc};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};

use super::{Kind, World, different, noise, ranges, write};

/// The base64 of the CRC-64 of the whole content.
fn crc64(content: &[u8]) -> blobcopy::ContentCrc64 {
    Crc::<u64>::new(&CRC_64_NVME).checksum(content).to_le_bytes().into()
}

#[derive(Debug, Clone)]
struct Case {
    kinds: [Kind; 2],
    content: Content,
    /// The flipped bytes.
    flips: Vec<Index>,
    piece: u64,
    concurrency: usize,
}

#[derive(Clone)]
struct Content(Vec<u8>);

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

fn case() -> impl Strategy<Value = Case> {
    let kind = || select(vec![Kind::Block, Kind::Append, Kind::Page]);
    let sparse = vec((0_usize..6, any::<u64>()), 1..12);
    let pieces = select(vec![512_u64, 1024, 4096, 16_384, 1 << 20]);
    ([kind(), kind()], sparse, 1_usize..512, vec(any::<Index>(), 1..4), pieces, 2_usize..20)
        .prop_map(|(kinds, runs, tail, flips, piece, concurrency)| {
            // Runs of zeros and of data, in turn.
            let mut content = Vec::new();
            for (pages, seed) in runs {
                content.resize(content.len() + pages * 512, 0);
                content.extend(noise((pages + 1) * 512, seed));
            }
            if !kinds.contains(&Kind::Page) {
                content.truncate(content.len() - tail);
            }
            Case { kinds, content: Content(content), flips, piece, concurrency }
        })
}

async fn check(case: Case) {
    let Case { kinds, content: Content(content), flips, piece, concurrency } = case;
    let world = World::new().await;
    let (source, destination) = (world.from("a"), world.to("a"));
    write(&source, kinds[0], &content).await;
    write(&destination, kinds[1], &content).await;
    world.sim.forget_requests();
    let compare = || verify(&source, &destination).piece(piece).concurrency(concurrency);
    let verified = compare().await.expect("compared");
    let Verdict::Identical(identity) = &verified.verdict else { panic!("{verified}") };
    assert_eq!((identity.length, identity.crc64), (content.len() as u64, crc64(&content)));
    world.check_clean().await;

    let places: Vec<usize> = flips.iter().map(|flip| flip.index(content.len())).collect();
    let mut flipped = content.clone();
    places.iter().for_each(|place| flipped[*place] = !content[*place]);
    write(&destination, kinds[1], &flipped).await;
    world.sim.forget_requests();
    let verified = compare().await.expect("compared");
    world.check_clean().await;
    let found = different(&verified);
    assert!(!found.may_be_more, "{found}");
    let differs = |range: &blobcopy::PageRange| {
        let [start, end] = [range.start, range.end].map(|at| usize::try_from(at).expect("short"));
        content[start..end] != flipped[start..end]
    };
    assert!(found.ranges.iter().all(differs), "{found}");
    for place in places.into_iter().map(|place| place as u64) {
        let holds = |range: &blobcopy::PageRange| (range.start..range.end).contains(&place);
        let range = found.ranges.iter().find(|range| holds(range)).expect("found");
        assert!(range.start % 512 == 0 && range.len() <= 512 * 3, "{found}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_byte_is_found_with_its_place(case in case()) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().start_paused(true).build().expect("a runtime");
        runtime.block_on(check(case));
    }
}

#[tokio::test(start_paused = true)]
async fn a_flipped_byte_is_found_at_each_border() {
    for kind in [Kind::Block, Kind::Append, Kind::Page] {
        let world = World::new().await;
        let (source, destination) = (world.from("a"), world.to("a"));
        let content = noise(24 * 512, 5);
        write(&source, kind, &content).await;
        for place in [0, 511, 512, 8 * 512 - 1, 8 * 512, 17 * 512 + 3, 24 * 512 - 1] {
            let mut flipped = content.clone();
            flipped[place] ^= 1;
            write(&destination, kind, &flipped).await;
            let verified = verify(&source, &destination).piece(8 * 512).await.expect("compared");
            let page = place as u64 / 512 * 512;
            assert_eq!(
                different(&verified).ranges,
                ranges([(page, page + 512)]),
                "{kind:?} {place}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_page_among_thousands_takes_few_requests() {
    let world = World::new().await;
    let (source, destination) = (world.from("a"), world.to("a"));
    let mut content = noise(1 << 20, 1).repeat(5);
    write(&source, Kind::Block, &content).await;
    content[3_300_000] ^= 0x80;
    write(&destination, Kind::Block, &content).await;
    world.sim.forget_requests();
    let verified = verify(&source, &destination).await.expect("compared");
    let page = 3_300_000 / 512 * 512;
    assert_eq!(different(&verified).ranges, ranges([(page, page + 512)]));
    // 5 MiB are one piece. It is cut four times, into at most 16 parts.
    assert!(world.sim.count(Op::PutBlockFromUrl) <= 2 + 4 * 32, "{:?}", world.sim.requests());
    world.check_clean().await;
}

#[tokio::test(start_paused = true)]
async fn blobs_that_have_nothing_in_common_are_not_compared_page_by_page() {
    let world = World::new().await;
    let (source, destination) = (world.from("a"), world.to("a"));
    write(&source, Kind::Block, &noise(1 << 20, 1)).await;
    write(&destination, Kind::Block, &noise(1 << 20, 2)).await;
    world.sim.forget_requests();
    let compare = || verify(&source, &destination).piece(8 << 10);
    let verified = compare().differences(3).await.expect("compared");
    let found = different(&verified);
    assert_eq!(found.ranges, ranges([(0, 3 * (8 << 10))]));
    assert!(found.may_be_more, "{found}");
    let last = world.sim.requests().pop().expect("requests");
    assert_eq!(last.op(), Op::DeleteBlob, "nothing is staged after the scratch blob is removed");
    // The pieces in flight, and their parts.
    assert!(world.sim.count(Op::PutBlockFromUrl) <= (3 + 8) * 34);
    world.check_clean().await;
    let all = compare().differences(1000).await.expect("compared");
    assert_eq!(different(&all).ranges, ranges([(0, 1 << 20)]));
    assert!(!different(&all).may_be_more);
}

#[tokio::test(start_paused = true)]
async fn blobs_of_different_lengths_are_not_read() {
    let world = World::new().await;
    let (source, destination) = (world.from("a"), world.to("a"));
    write(&source, Kind::Block, &noise(1000, 1)).await;
    write(&destination, Kind::Append, &noise(900, 1)).await;
    world.sim.forget_requests();
    let verified = verify(&source, &destination).await.expect("compared");
    let found = different(&verified);
    assert_eq!((found.source_length, found.destination_length), (1000, 900));
    assert_eq!((&found.ranges, found.may_be_more), (&ranges([(900, 1000)]), true));
    assert_eq!(verified.to_string(), "different lengths: 1000 and 900 bytes");
    assert_eq!(world.sim.requests().len(), 2, "{:?}", world.sim.requests());
}

#[tokio::test(start_paused = true)]
async fn empty_blobs_are_identical() {
    let world = World::new().await;
    for kinds in [[Kind::Block, Kind::Append], [Kind::Append, Kind::Page]] {
        let (source, destination) = (world.from("a"), world.to("a"));
        for (blob, kind) in [&source, &destination].into_iter().zip(kinds) {
            write(blob, kind, b"").await;
        }
        let verified = verify(&source, &destination).await.expect("compared");
        let Verdict::Identical(identity) = verified.verdict else { panic!("{verified}") };
        assert_eq!((identity.length, identity.crc64), (0, crc64(b"")));
        for blob in [source, destination] {
            blob.delete().await.expect("deleted");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_huge_page_blob_costs_only_its_ranges() {
    let world = World::new().await;
    let (source, destination) = (world.from("a"), world.to("a"));
    const LENGTH: u64 = 8 << 40;
    for blob in [&source, &destination] {
        let pages = blob.page_blob_client();
        pages.create(LENGTH).await.expect("created");
        for offset in [0, 1 << 30, 5 << 40, LENGTH - 512] {
            pages.upload_pages(offset, vec![7; 512]).await.expect("written");
        }
    }
    world.sim.forget_requests();
    assert!(verify(&source, &destination).await.expect("compared").is_identical());
    assert_eq!(world.sim.count(Op::PutBlockFromUrl), 2 * 4);
    assert!(world.sim.requests().len() <= 20, "{:?}", world.sim.requests());

    // In one of them only, and zeros: read too, and the same.
    let pages = destination.page_blob_client();
    pages.upload_pages(3 << 40, vec![0; 512]).await.expect("written");
    assert!(verify(&source, &destination).await.expect("compared").is_identical());
    pages.upload_pages(3 << 40, vec![1; 512]).await.expect("written");
    let verified = verify(&source, &destination).await.expect("compared");
    assert_eq!(different(&verified).ranges, ranges([(3 << 40, (3 << 40) + 512)]));
    world.check_clean().await;
}

#[tokio::test(start_paused = true)]
async fn ranges_that_are_close_are_read_together() {
    let world = World::new().await;
    let (source, destination) = (world.from("a"), world.to("a"));
    let source_pages = source.page_blob_client();
    source_pages.create(256 << 20).await.expect("created");
    for offset in (0..64).map(|number| number * 64 * 1024) {
        source_pages.upload_pages(offset, vec![3; 512]).await.expect("written");
    }
    destination.start_copy_from_uri(&source).await.expect("started").wait().await.expect("copied");
    world.sim.forget_requests();
    assert!(verify(&source, &destination).await.expect("compared").is_identical());
    assert_eq!(world.sim.count(Op::PutBlockFromUrl), 2);
}

#[tokio::test(start_paused = true)]
async fn a_flipped_byte_is_found_between_accounts() {
    for kind in [Kind::Block, Kind::Append, Kind::Page] {
        let world = World::new().await;
        let (source, destination) =
            (world.from("a"), world.other.container_client("dest").blob_client("a"));
        let mut content = noise(40 * 512, 9);
        write(&source, kind, &content).await;
        write(&destination, kind, &content).await;
        world.sim.forget_requests();
        let compare = || verify(&source, &destination).piece(7 * 512);
        assert!(compare().await.expect("compared").is_identical(), "{kind:?}");
        world.check_clean().await;
        content[30 * 512 + 77] ^= 4;
        write(&destination, kind, &content).await;
        world.sim.forget_requests();
        let verified = compare().await.expect("compared");
        let page = 30 * 512;
        assert_eq!(different(&verified).ranges, ranges([(page, page + 512)]), "{kind:?}");
        world.check_clean().await;
    }
}
