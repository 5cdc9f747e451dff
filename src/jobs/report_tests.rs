//! Reports of a fleet make one, if they are those of one job.

use super::*;
use crate::jobs::JobFile;

fn job(source: &str) -> Fingerprint {
    let settings = [("overwrite", "never".to_owned())];
    Fingerprint::new(format!("https://a/{source}"), "https://b/c".into(), settings)
}

fn report(index: u32, count: u32) -> Report {
    let failure = Failure {
        name: format!("blob{index}"),
        source: "https://a/c/blob".into(),
        destination: "https://b/c/blob".into(),
        outcome: Outcome::Failed,
        code: Some("BlobArchived".into()),
        message: "no".into(),
        request_id: None,
        may_be_mended: index == 0,
    };
    let hundred = u64::from(index) * 100;
    Report {
        job: Some(job("c")),
        shard: Some(Shard::new(index, count).expect("legal")),
        outcomes: [(Outcome::Copied, hundred + 1), (Outcome::Failed, 1)].into(),
        routes: [(Route::ServiceCopy, hundred + 1)].into(),
        bytes: hundred * 10,
        requests: hundred + 5,
        retries: 2,
        elapsed: Duration::from_secs(u64::from(7 - index)),
        failures: 1,
        failed: vec![failure],
        ..Report::default()
    }
}

#[test]
fn the_reports_of_all_shards_add_up_in_any_order() {
    let merged = Report::merge([report(2, 3), report(0, 3), report(1, 3)]).expect("a set");
    assert_eq!(merged.job, Some(job("c")));
    assert_eq!(merged.shard, None);
    assert_eq!((merged.count(Outcome::Copied), merged.count(Outcome::Failed)), (303, 3));
    assert_eq!(merged.routes, [(Route::ServiceCopy, 303)].into());
    assert_eq!((merged.bytes, merged.requests, merged.retries), (3000, 315, 6));
    assert_eq!(merged.failures, 3);
    assert_eq!(merged.elapsed, Duration::from_secs(7), "they ran at the same time");
    let names: Vec<&str> = merged.failed.iter().map(|failure| failure.name.as_str()).collect();
    assert_eq!(names, ["blob0", "blob1", "blob2"]);
    // The sum of a whole job is a set of its own.
    assert_eq!(Report::merge([merged.clone()]).expect("a set"), merged);
}

#[test]
fn reports_that_are_no_set_are_refused() {
    let other = Report { job: Some(job("other")), ..report(1, 2) };
    let nameless = Report { job: None, ..report(1, 2) };
    let whole = Report { shard: None, ..report(0, 1) };
    for (reports, why) in [
        (vec![], "none"),
        (vec![report(0, 2), other], "another job"),
        (vec![report(0, 2), nameless], "name the job"),
        (vec![report(0, 2), report(1, 3)], "number of shards"),
        (vec![report(0, 2)], "\"1/2\" is a shard that is missing"),
        (vec![report(1, 2)], "\"0/2\" is a shard that is missing"),
        (vec![report(0, 3), report(2, 3)], "\"1/3\" is a shard that is missing"),
        (vec![report(0, 2), report(1, 2), report(1, 2)], "\"1/2\" is a shard that is there twice"),
        (vec![whole.clone(), whole], "\"0/1\" is a shard that is there twice"),
    ] {
        let error = Report::merge(reports).expect_err(why).to_string();
        assert!(error.starts_with("reports: ") && error.contains(why), "{error}");
    }
}

#[test]
fn shards_of_different_borders_are_refused() {
    let file = |border: &str| JobFile::new(job("c"), true, vec![border.into()]).expect("legal");
    let cut = |border: &str, index| {
        let shard = file(border).shard(index).expect("there");
        Report { shard: Some(shard), ..report(index, 2) }
    };
    assert!(Report::merge([cut("g", 0), cut("g", 1)]).is_ok());
    for reports in [[cut("g", 0), cut("h", 1)], [cut("g", 0), report(1, 2)]] {
        let error = Report::merge(reports).expect_err("no set").to_string();
        assert!(error.contains("do not end where"), "{error}");
    }
}

#[test]
fn a_report_is_read_as_it_was_written() {
    for report in [report(1, 3), Report::default()] {
        let text = serde_json::to_string(&report).expect("JSON");
        assert_eq!(serde_json::from_str::<Report>(&text).expect("JSON"), report, "{text}");
    }
}

#[test]
fn no_more_failures_are_kept_than_one_report_holds() {
    let full = |index| {
        let one = report(index, 2);
        Report { failed: vec![one.failed[0].clone(); 6_000], ..one }
    };
    let merged = Report::merge([full(0), full(1)]).expect("a set");
    assert_eq!(merged.failed.len(), Report::MOST_FAILURES);
}
