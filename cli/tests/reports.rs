//! `blobcopy report`: the reports of shards as one.

use blobcopy_simulator::Op;
use serde_json::Value;

use crate::{
    jobs::{count, json, with},
    support::{World, disk::Folder},
};

#[test]
fn reports_of_shards_become_one() {
    let world = World::new().with_blobs(40);
    let folder = Folder::new("reports");
    let files = [folder.path("0.jsonl"), folder.path("1.jsonl")];
    let run = |shard: usize| {
        let shown = format!("{shard}/2");
        world.run(&with(&["--shard", &shown, "--report", &files[shard]]))
    };
    assert_eq!((run(0).code, run(1).code), (Some(0), Some(0)));
    let both = ["report", &files[0], &files[1]];
    let merged = json(&world.good(&[&both[..], &["-o", "json"]].concat()));
    assert_eq!((count(&merged, "copied"), &merged["shard"]), (40, &Value::Null), "{merged}");
    assert!(world.good(&both).contains("\ncopied       40\n"));

    // A shard that ran again: the last report of its file counts.
    world.later();
    assert_eq!(run(0).code, Some(0));
    let merged = json(&world.good(&[&both[..], &["-o", "json"]].concat()));
    assert_eq!(count(&merged, "copied") + count(&merged, "same"), 40, "{merged}");

    for wrong in [&["report", &files[0]][..], &["report", &files[0], &files[0]], &["report"]] {
        assert_eq!(world.run(wrong).code, Some(64), "{wrong:?}");
    }
    let missing = world.run(&["report", &files[0]]);
    assert!(missing.err.contains("1/2"), "{missing:#?}");
    folder.write("none.jsonl", b"");
    let none = world.run(&["report", &folder.path("none.jsonl")]);
    assert!(none.code == Some(64) && none.err.contains("none.jsonl"), "{none:#?}");

    // What a worker wrote to standard output is read too.
    let all = world.good(&with(&["-o", "json"]));
    folder.write("all.json", all.as_bytes());
    assert!(world.good(&["report", &folder.path("all.json")]).contains("\nthe same "));
    let all = world.good(&with(&["-o", "jsonl"]));
    folder.write("all.jsonl", all.as_bytes());
    assert!(world.good(&["report", &folder.path("all.jsonl")]).contains("\nthe same "));

    world.simulator.faults().on(Op::CopyBlob).answer(403, "AuthorizationFailure");
    let ended = world.run(&with(&["--overwrite", "always", "--report", &folder.path("bad")]));
    let merged = world.run(&["report", &folder.path("bad")]);
    assert_eq!((ended.code, merged.code), (Some(1), Some(1)), "{merged:#?}");
    assert!(merged.err.contains("40 blobs were not copied"), "{merged:#?}");
}
