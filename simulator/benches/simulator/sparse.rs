//! A page blob of the largest size, almost empty, with a hundred snapshots.

use std::time::Instant;

use blobcopy_simulator::Simulator;
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::Method;

use crate::{processor, stock::Stock};

const LENGTH: u64 = 8 << 40;
const SNAPSHOTS: u64 = 100;
const WRITES: u64 = 64;
const WRITTEN: usize = 64 << 10;

pub(crate) async fn measure(name: &str) {
    let sim = Simulator::builder().accept_bearer(|_| true).build();
    let stock = Stock::of(&sim);
    stock.send(Method::PUT, "/one?restype=container", &[], Bytes::new()).await;
    let page_blob = [
        ("x-ms-blob-type", "PageBlob".to_owned()),
        ("x-ms-blob-content-length", LENGTH.to_string()),
    ];
    stock.send(Method::PUT, "/one/disk", &page_blob, Bytes::new()).await;

    let (before, body) = (processor::memory(), Bytes::from(vec![7; WRITTEN]));
    let mut snapshots = Vec::new();
    let mut seed = 1_u64;
    for _ in 0..SNAPSHOTS {
        for _ in 0..WRITES {
            // Spread over the disk; the constants are Knuth's.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = seed % (LENGTH / WRITTEN as u64) * WRITTEN as u64;
            let write = [
                ("x-ms-page-write", "update".to_owned()),
                ("x-ms-range", format!("bytes={at}-{}", at + WRITTEN as u64 - 1)),
            ];
            stock.send(Method::PUT, "/one/disk?comp=page", &write, body.clone()).await;
        }
        let taken = stock.send(Method::PUT, "/one/disk?comp=snapshot", &[], Bytes::new()).await;
        snapshots.push(taken["x-ms-snapshot"].to_str().unwrap().to_owned());
    }
    let written = SNAPSHOTS * WRITES * WRITTEN as u64;
    let used = processor::memory().saturating_sub(before);

    let mut diffs = Vec::new();
    for earlier in [&snapshots[98], &snapshots[0]] {
        let target =
            format!("/one/disk?comp=pagelist&snapshot={}&prevsnapshot={earlier}", snapshots[99]);
        let mut best = f64::INFINITY;
        for _ in 0..20 {
            let begun = Instant::now();
            let answer = stock.ask(Method::GET, &target, &[], Bytes::new()).await;
            best = best.min(begun.elapsed().as_secs_f64());
            assert_eq!(answer.status(), 200);
            let _: Vec<Bytes> = answer.into_parts().2.try_collect().await.unwrap();
        }
        diffs.push(best * 1e3);
    }
    println!(
        "{name}: {:.0} MiB in memory for {:.0} MiB written; the difference to the snapshot before \
         ({WRITES} ranges) in {:.2} ms, to the first ({} ranges) in {:.2} ms",
        used as f64 / f64::from(1 << 20),
        written as f64 / f64::from(1 << 20),
        diffs[0],
        (SNAPSHOTS - 1) * WRITES,
        diffs[1],
    );
}
