//! Jobs in parts: by a hash, and by the ranges of a job file.

use blobcopy::{
    BlobServiceClient, ClientOptions,
    jobs::{CopyJob, JobFile, Outcome, Overwrite, Report, Shard},
};
use blobcopy_simulator::Op;

use super::world::World;

/// Names that UTF-8 and UTF-16 order differently among others.
fn names() -> Vec<String> {
    let odd = ["a/b", "a-b", "é", "\u{10000}", "\u{ffee}", "\u{e000}", "z\u{10ffff}"];
    let many = (0..200).map(|number| format!("{}/{number:03}", number % 7));
    odd.into_iter().map(str::to_owned).chain(many).collect()
}

async fn written(job: &CopyJob, count: u32) -> JobFile {
    let file = job.cut(count).await.expect("cut");
    // As a worker reads it.
    let text = serde_json::to_string(&file).expect("JSON");
    assert_eq!(serde_json::from_str::<JobFile>(&text).expect("JSON"), file);
    file
}

/// All shards by hash, or by a job file.
async fn parts(job: &CopyJob, count: u32, by_file: bool) -> Vec<CopyJob> {
    match by_file {
        false => {
            let shard = |index| Shard::new(index, count).expect("legal");
            (0..count).map(|index| job.clone().shard(shard(index))).collect()
        }
        true => {
            let file = written(job, count).await;
            let part = |index| job.part_of(&file, index).expect("the job's file");
            (0..count).map(part).collect()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_shards_of_a_job_copy_each_blob_once() {
    for by_file in [false, true] {
        let world = World::new().await;
        world.fill(names()).await;
        world.far_to().block_blob_client("kept/3/003").upload("old").await.expect("uploaded");
        world.far_to().block_blob_client("kept/x").upload("extra").await.expect("uploaded");
        world.later();
        let job = world.far_job().destination_prefix("kept/").delete_extra(1);
        let mut reports = Vec::new();
        for part in parts(&job, 5, by_file).await {
            reports.push(part.run().await.expect("a report"));
        }
        for report in &reports {
            assert!((15..90).contains(&report.count(Outcome::Copied)), "{by_file} {report:?}");
        }
        let all = Report::merge(reports).expect("a whole");
        assert_eq!(all.count(Outcome::Copied), 207, "{by_file} {all:?}");
        assert_eq!((all.count(Outcome::Deleted), all.failures), (1, 0), "{by_file} {all:?}");
        let copies = World::contents(&world.far_to()).await;
        let sources = World::contents(&world.from()).await;
        let sources: Vec<_> =
            sources.into_iter().map(|(name, content)| (format!("kept/{name}"), content)).collect();
        assert_eq!(copies.into_iter().collect::<Vec<_>>(), sources);
        // What one shard has done, no other does again.
        let again = job.run().await.expect("a report");
        assert_eq!(again.count(Outcome::Same), 207, "{again:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_range_lists_only_its_names_where_the_version_allows_it() {
    let world = World::new().await;
    world.fill((0..6_500).map(|number| format!("{number:05}"))).await;
    world.later();
    let file = written(&world.near_job(), 3).await;
    for (version, pages) in [("2026-02-06", [2, 2, 2]), ("2025-11-05", [2, 3, 4])] {
        let string = world.sim.connection_string_of("near").expect("an account");
        let options: ClientOptions = world.sim.client_options();
        let options = options.service_version(version.parse().expect("a version"));
        let service = BlobServiceClient::builder_from_connection_string(&string)
            .and_then(|builder| builder.options(options).build())
            .expect("a client");
        for index in 0..3 {
            let to = service.container_client(&format!("to-{version}-{index}"));
            to.create().await.expect("created");
            let job = CopyJob::new(&service.container_client("source"), &to);
            let job = job.shard(file.shard(index).expect("there"));
            world.sim.forget_requests();
            let report = job.run().await.expect("a report");
            let copied = report.count(Outcome::Copied);
            assert!((2_050..2_300).contains(&copied), "{version} {index}: {copied}");
            // Those of the source, and one of the empty destination.
            let listed = world.sim.count(Op::ListBlobs) - 1;
            assert_eq!(listed, pages[index as usize], "{version} {index}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_range_of_an_account_that_lists_path_by_path_misses_nothing() {
    let world = World::of(|builder| builder.hierarchical_order("near")).await;
    world.fill(names()).await;
    world.later();
    let file = written(&world.far_job(), 4).await;
    let mut reports = Vec::new();
    for index in 0..4 {
        let part = world.far_job().part_of(&file, index).expect("the job's file");
        reports.push(part.run().await.expect("a report"));
    }
    let all = Report::merge(reports).expect("a whole");
    assert_eq!((all.count(Outcome::Copied), all.failures), (207, 0), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_lists_path_by_path_is_not_written_twice() {
    let world = World::of(|builder| builder.hierarchical_order("far")).await;
    // Each listed in another place than its neighbours of the same range.
    let names = (0..40).flat_map(|number| {
        ["-", "/"].map(|middle| format!("{}{middle}{number:02}", ["a", "b", "c"][number % 3]))
    });
    world.fill(names).await;
    world.later();
    let job = world.far_job().overwrite(Overwrite::Never);
    let file = written(&job, 4).await;
    for copied in [80, 0] {
        let mut reports = Vec::new();
        for index in 0..4 {
            let part = job.part_of(&file, index).expect("the job's file");
            reports.push(part.run().await.expect("a report"));
        }
        let all = Report::merge(reports).expect("a whole");
        // What a listing misses is found when it is not overwritten.
        let kept = all.count(Outcome::Kept) + all.count(Outcome::Same);
        assert_eq!((all.count(Outcome::Copied), kept, all.failures), (copied, 80 - copied, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_file_is_of_one_job() {
    let world = World::new().await;
    world.fill(["a", "b", "c"]).await;
    let file = written(&world.near_job(), 2).await;
    for other in [
        world.far_job(),
        world.near_job().prefix("a"),
        world.near_job().tags(false),
        world.near_job().move_sources(),
    ] {
        let error = other.part_of(&file, 0).expect_err("another job").to_string();
        assert!(error.contains("is the file of another job"), "{error}");
    }
    assert!(world.near_job().concurrency(3).part_of(&file, 1).is_ok());
    assert!(world.near_job().part_of(&file, 2).is_err());
    for count in [0, 10_001] {
        assert!(world.near_job().cut(count).await.is_err(), "{count}");
    }
}
