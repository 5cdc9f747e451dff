//! The memory of the client, however many blobs there are.

use crate::{client, process::mib, server::Server};

/// The most that the client may take.
const MOST: u64 = 64 << 20;

/// How much more a run may take than the smallest. Runs of one size differ by a tenth too, as the
/// allocator moves its thresholds: where the smallest is given several times, the greatest counts.
const GROWTH: f64 = 1.1;

/// Copies so many small blobs in each run. Panics if the client takes too much memory.
pub(crate) fn rows(counts: &[usize]) {
    let counts = if counts.is_empty() { &[100_000, 100_000, 100_000, 1_000_000] } else { counts };
    println!("\nSmall blobs between two containers, 64 in flight");
    println!(
        "{:>9} {:>8} {:>16} {:>18} {:>9}",
        "blobs", "wall s", "CPU us per blob", "requests per blob", "peak MiB"
    );
    let mut peaks = Vec::new();
    for &blobs in counts {
        let server = Server::start(blobs, 1024);
        let ran = client::start("copy", &server.accounts, &["copies", "64"]);
        assert_eq!(ran.figure("blobs"), blobs as f64);
        let peak = ran.figure("peak");
        println!(
            "{blobs:>9} {:>8.1} {:>16.0} {:>18.4} {:>9.1}",
            ran.wall,
            1e6 * ran.cpu / blobs as f64,
            ran.figure("requests") / blobs as f64,
            peak / f64::from(1 << 20),
        );
        peaks.push(peak);
    }
    let of_smallest =
        peaks.iter().zip(counts).filter(|(_, blobs)| Some(*blobs) == counts.iter().min());
    let first = of_smallest.map(|(peak, _)| *peak).fold(0.0, f64::max);
    for (peak, blobs) in peaks.iter().zip(counts) {
        assert!(*peak <= MOST as f64, "{blobs} blobs: more than {} MiB", mib(MOST));
        assert!(*peak <= GROWTH * first, "{blobs} blobs: the memory grows with the blobs");
    }
    println!("at most {} MiB, and {GROWTH} times the smallest run: yes", mib(MOST));
}
