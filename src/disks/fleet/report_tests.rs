use super::*;

fn report(index: u32, count: u32) -> FleetReport {
    let disk = |name: &str, failure| FleetDisk {
        destination: format!("https://a.blob.core.windows.net/c/{name}"),
        copied: 2,
        present: 3,
        bytes: 512,
        removed: 1,
        failure,
        ..FleetDisk::default()
    };
    let failure = FleetFailure::new(FleetStep::Mirror, &MirrorError::refused("x", "no"));
    FleetReport {
        fleet: "00".into(),
        shard: Some(Shard::new(index, count).expect("legal")),
        disks: vec![
            disk(&format!("z{index}"), None),
            disk(&format!("a{index}"), (index == 1).then_some(failure)),
        ],
        left: 1,
        left_blobs: vec![LeftBlob { source: format!("left{index}"), because: String::new() }],
        unlisted: None,
        requests: 10,
        retries: 1,
        elapsed: Duration::from_secs(u64::from(index)),
    }
}

#[test]
fn the_reports_of_all_shards_add_up() {
    let merged = FleetReport::merge([report(2, 3), report(0, 3), report(1, 3)]).expect("a whole");
    let names: Vec<_> =
        merged.disks.iter().map(|disk| disk.destination.rsplit('/').next()).collect();
    assert_eq!(names, ["a0", "a1", "a2", "z0", "z1", "z2"].map(Some));
    assert_eq!(
        (merged.copied(), merged.present(), merged.removed(), merged.bytes(), merged.failed()),
        (12, 18, 6, 3072, 1)
    );
    assert_eq!(merged.left_blobs.len(), 3);
    assert_eq!((merged.left, merged.requests, merged.retries), (3, 30, 3));
    assert_eq!((merged.elapsed, merged.shard.as_ref()), (Duration::from_secs(2), None));
    assert!(!merged.is_ok() && !merged.may_be_mended());
    assert_eq!(
        merged.to_string(),
        "6 disks, 1 failed: 12 snapshots copied, 18 there before, 6 removed; 3072 bytes, 30 \
         requests\nhttps://a.blob.core.windows.net/c/a1: x: no (another run alone does not mend \
         this)"
    );
    let text = serde_json::to_string(&merged).expect("JSON");
    assert_eq!(serde_json::from_str::<FleetReport>(&text).expect("JSON"), merged);
}

#[test]
fn what_passes_may_be_mended_by_another_run() {
    let cases = [
        (MirrorError::not_now("x", "in use"), true),
        (MirrorError::refused("x", "no"), false),
        (Error::invalid("x", "y", "no").into(), false),
    ];
    for (error, expected) in cases {
        let failure = FleetFailure::new(FleetStep::Mirror, &error);
        assert_eq!((failure.may_be_mended, error.is_passing()), (expected, expected), "{error}");
    }
}

#[test]
fn reports_that_are_no_whole_are_refused() {
    let other = FleetReport { fleet: "01".into(), ..report(1, 2) };
    for (reports, why) in [
        (vec![], "one for each shard"),
        (vec![report(0, 2)], "1/2"),
        (vec![report(1, 2)], "0/2"),
        (vec![report(0, 2), report(0, 2)], "there twice"),
        (vec![report(0, 2), report(1, 3)], "number of shards"),
        (vec![report(0, 2), other], "another fleet"),
    ] {
        let error = FleetReport::merge(reports).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
    let whole = FleetReport { shard: None, ..report(0, 1) };
    assert!(FleetReport::merge([whole.clone()]).is_ok());
    assert!(FleetReport::merge([whole, report(1, 2)]).is_err());
}

#[test]
fn a_listing_that_broke_off_is_not_ok() {
    let error = MirrorError::Call(Error::invalid("a", "b", "c"));
    let unlisted = Some(FleetFailure::new(FleetStep::List, &error));
    let broken = FleetReport { unlisted, ..report(0, 2) };
    assert!(report(0, 2).is_ok() && !broken.is_ok());
    let merged = FleetReport::merge([broken, report(1, 2)]).expect("a whole");
    assert!(merged.unlisted.is_some());
    assert!(merged.to_string().contains("not all disks are listed"), "{merged}");
}
