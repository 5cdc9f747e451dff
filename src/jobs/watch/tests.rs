use super::*;
use crate::operations::offline;

/// The memory that the process has in RAM.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    4096 * statm.split(' ').nth(1).expect("pages").parse::<usize>().expect("a number")
}

#[cfg(target_os = "linux")]
#[test]
fn a_watched_copy_takes_far_less_than_a_kibibyte() {
    const COPIES: usize = 100_000;
    const ALONE: &str = "BLOBCOPY_MEASURED_ALONE";
    // In a process of its own: other tests take and free memory too.
    if std::env::var_os(ALONE).is_none() {
        let name = "jobs::watch::tests::a_watched_copy_takes_far_less_than_a_kibibyte";
        let own = std::env::current_exe().expect("the program of this test");
        let alone =
            std::process::Command::new(own).args(["--exact", name]).env(ALONE, "1").output();
        let alone = alone.expect("it runs");
        let said = String::from_utf8_lossy(&alone.stdout);
        assert!(alone.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let container = offline::blob().container_client();
    let mut watch = CopyWatch::new();
    let before = resident();
    for number in 0..COPIES {
        let blob = container.blob_client(&format!("backups/2026-01-01/disk-{number:012}.vhd"));
        let id: CopyId = format!("6f3b4b1e-0f6c-4f0f-8f27-{number:012}").parse().expect("an id");
        watch = watch.operation(blob.resume_copy(id));
    }
    let each = resident().saturating_sub(before) / COPIES;
    println!("{each} bytes for each copy");
    assert_eq!(watch.places.iter().map(Place::len).sum::<usize>(), COPIES);
    assert!((100..1024).contains(&each), "{each} bytes");
}

#[test]
fn settings_out_of_range_are_refused_before_anything_is_sent() {
    for (watch, what) in [
        (CopyWatch::new().interval(Duration::ZERO), "watch interval"),
        (CopyWatch::new().interval(Duration::MAX), "watch interval"),
        (CopyWatch::new().timeout(Duration::ZERO), "watch timeout"),
        (CopyWatch::new().timeout(Duration::MAX), "watch timeout"),
    ] {
        let error = watch.check().expect_err(what).to_string();
        assert!(error.starts_with(what) && error.contains("must be 1 ms to"), "{error}");
    }
}

#[test]
fn a_name_is_watched_once_for_each_copy() {
    let blob = offline::blob();
    let copy = |id: &str| blob.resume_copy(id.parse::<CopyId>().expect("an id"));
    let watch = CopyWatch::new().operations([copy("id-1"), copy("id-1"), copy("id-2")]);
    assert_eq!(watch.places.iter().map(Place::len).collect::<Vec<_>>(), [1, 1]);
}
