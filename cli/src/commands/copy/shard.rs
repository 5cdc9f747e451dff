//! Which part of a job this process runs.

use blobcopy::jobs::{JobFile, Shard};

use crate::failure::{Failure, Result};

/// The shard of the flags or, where they are silent, of the environment; `None` for all of the job.
pub(crate) fn chosen(
    flag: Option<&str>,
    file: Option<&JobFile>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<Shard>> {
    let count = file.map(JobFile::count);
    let shard = match flag {
        Some(text) => Some(text.parse::<Shard>()?),
        None => of_environment(count, environment)?,
    };
    let (Some(file), Some(count)) = (file, count) else { return Ok(shard) };
    let Some(shard) = shard else {
        return Err(Failure::usage(
            "--job is given, but not which shard this is",
            format!("give --shard I/{count}, or set JOB_COMPLETION_INDEX"),
        ));
    };
    if shard.count() != count {
        return Err(Failure::usage(
            format!("the job file has {count} shards, and {shard} is one of {}", shard.count()),
            format!("give --shard I/{count}, or write the job file again with --plan --shards"),
        ));
    }
    Ok(Some(file.shard(shard.index())?))
}

const INDEX: &str = "JOB_COMPLETION_INDEX";
const TOTAL: &str = "BLOBCOPY_SHARDS";

/// The shard that Kubernetes gives a pod of an Indexed Job. A job file knows the total itself.
fn of_environment(
    of_file: Option<u32>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<Shard>> {
    let total = environment(TOTAL).or_else(|| of_file.map(|count| count.to_string()));
    let (index, total) = match (environment(INDEX), total) {
        (Some(index), Some(total)) => (index, total),
        (Some(_), None) => {
            return Err(Failure::usage(
                format!("{INDEX} is set, and {TOTAL} is not"),
                format!("set {TOTAL} to the number of completions, or give --shard (0/1 for all)"),
            ));
        }
        (None, Some(_)) if of_file.is_none() => {
            return Err(Failure::usage(
                format!("{TOTAL} is set, and {INDEX} is not"),
                format!("set {INDEX} too, or give --shard (0/1 for all)"),
            ));
        }
        (None, _) => return Ok(None),
    };
    let text = format!("{index}/{total}");
    text.parse().map(Some).map_err(|error: blobcopy::Error| {
        Failure::usage(format!("{INDEX} and {TOTAL}: {error}"), "correct the variables")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> JobFile {
        let text = r#"{"version":1,"in_order":true,"borders":["g","p"],
            "job":{"source":"s","destination":"d","settings":"0"}}"#;
        serde_json::from_str(text).expect("a job file")
    }

    /// The shard of a flag, with a job file or not, and the values of the two variables.
    fn of(flag: Option<&str>, with_file: bool, variables: [&str; 2]) -> Result<Option<Shard>> {
        let file = with_file.then(file);
        chosen(flag, file.as_ref(), |name| {
            let value = variables[usize::from(name == TOTAL)];
            (!value.is_empty()).then(|| value.to_owned())
        })
    }

    #[test]
    fn flags_go_before_variables() {
        let shown = |chosen: Result<Option<Shard>>| chosen.expect("good").map(|s| s.to_string());
        assert_eq!(shown(of(None, false, ["", ""])), None);
        assert_eq!(shown(of(None, false, ["3", "16"])).as_deref(), Some("3/16"));
        assert_eq!(shown(of(Some("1/2"), false, ["3", "16"])).as_deref(), Some("1/2"));
        assert_eq!(shown(of(Some("0/1"), false, ["3", ""])).as_deref(), Some("0/1"));
    }

    #[test]
    fn a_job_file_has_the_range_and_the_total() {
        for chosen in [of(Some("1/3"), true, ["", ""]), of(None, true, ["1", ""])] {
            let shard = chosen.expect("good").expect("one");
            assert_eq!(shard.start_from(), Some("g"));
        }
    }

    #[test]
    fn half_of_a_shard_is_a_usage_error() {
        for (flag, with_file, variables) in [
            (None, false, ["3", ""]),
            (None, false, ["", "16"]),
            (None, false, ["16", "16"]),
            (None, false, ["x", "16"]),
            (Some("16/16"), false, ["", ""]),
            (None, true, ["", ""]),
            (Some("1/2"), true, ["", ""]),
            (None, true, ["1", "4"]),
        ] {
            let failure = of(flag, with_file, variables).expect_err("half a shard");
            assert_eq!(failure.exit_code(), 64, "{flag:?} {variables:?}");
        }
    }
}
