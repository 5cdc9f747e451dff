//! Verification inside the service, on the simulator and on virtual time.

mod content;
mod endings;
mod faults;
mod scratch;

use blobcopy::{
    BlobClient, BlobServiceClient, ClientOptions, Clock, Credential, PageRange,
    jobs::{Differences, Verdict, Verified},
};
use blobcopy_simulator::{Op, Simulator};
use time::macros::datetime;

const OTHER: &str = "otheraccount";
const OTHER_KEY: &str = "b3RoZXI=";

/// A simulator with two accounts, each with the containers `from` and `dest`.
struct World {
    sim: Simulator,
    /// The first account, over https.
    own: BlobServiceClient,
    other: BlobServiceClient,
}

impl World {
    async fn new() -> Self {
        let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
        let sim = Simulator::builder()
            .account("account1", "b25l")
            .account(OTHER, OTHER_KEY)
            .clock(clock.clone())
            .build();
        let client = |name: &str, key: &str| {
            BlobServiceClient::builder(sim.endpoint_over_https(name))
                .credential(Credential::shared_key(name, key).expect("a key"))
                .options(ClientOptions::new().transport(sim.transport()).clock(clock.clone()))
                .build()
                .expect("a client")
        };
        let (own, other) = (client("account1", "b25l"), client(OTHER, OTHER_KEY));
        for service in [&own, &other] {
            for name in ["from", "dest"] {
                service.container_client(name).create().await.expect("created");
            }
        }
        Self { sim, own, other }
    }

    fn from(&self, name: &str) -> BlobClient {
        self.own.container_client("from").blob_client(name)
    }

    fn to(&self, name: &str) -> BlobClient {
        self.own.container_client("dest").blob_client(name)
    }

    /// Checks that no content passed through the client, that nothing was committed, and that no
    /// block is left.
    async fn check_clean(&self) {
        for op in [Op::GetBlob, Op::PutBlock, Op::PutBlockList, Op::PutBlob] {
            assert_eq!(self.sim.count(op), 0, "{op}");
        }
        for container in [self.own.container_client("dest"), self.other.container_client("dest")] {
            assert_eq!(scratch::left_in(&container).await, [""; 0]);
        }
    }
}

trait Https {
    fn endpoint_over_https(&self, account: &str) -> url::Url;
}

impl Https for Simulator {
    /// An address of the account with https, which customer-provided keys need.
    fn endpoint_over_https(&self, account: &str) -> url::Url {
        format!("https://{account}.localhost").parse().expect("a URL")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Block,
    Append,
    Page,
}

/// Writes a blob with this content. Of a page blob, pages of zeros are not written.
async fn write(blob: &BlobClient, kind: Kind, content: &[u8]) {
    match kind {
        Kind::Block => {
            blob.block_blob_client().upload(content.to_vec()).await.expect("uploaded");
        }
        Kind::Append => {
            let blob = blob.append_blob_client();
            blob.create().await.expect("created");
            for piece in content.chunks(7000) {
                blob.append_block(piece.to_vec()).await.expect("appended");
            }
        }
        Kind::Page => {
            let blob = blob.page_blob_client();
            blob.create(content.len() as u64).await.expect("created");
            for (number, page) in content.chunks(512).enumerate() {
                if page.iter().any(|byte| *byte != 0) {
                    let offset = number as u64 * 512;
                    blob.upload_pages(offset, page.to_vec()).await.expect("written");
                }
            }
        }
    }
}

/// Bytes without a pattern.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn different(verified: &Verified) -> &Differences {
    match &verified.verdict {
        Verdict::Different(found) => found,
        _ => panic!("{verified}"),
    }
}

fn ranges<const N: usize>(ranges: [(u64, u64); N]) -> Vec<PageRange> {
    ranges.map(|(start, end)| PageRange { start, end }).to_vec()
}
