//! `--keep-…`: which snapshots stay.

use blobcopy::{
    disks::{Keep, KeepCount, KeepDuration},
    time::UtcOffset,
};
use clap::Args;
use time::macros::format_description;

use crate::failure::{Failure, Result};

/// A retention policy in restic's words.
#[derive(Debug, Clone, Default, PartialEq, Args)]
#[command(next_help_heading = "Retention (a snapshot stays if any rule keeps it)")]
pub(crate) struct KeepArgs {
    /// Keeps the N newest snapshots; a number, or unlimited
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    keep_last: Option<KeepCount>,
    /// Keeps the newest snapshot of each of the last N hours that have one
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    keep_hourly: Option<KeepCount>,
    /// The same for days
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    keep_daily: Option<KeepCount>,
    /// The same for weeks, from Monday
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    keep_weekly: Option<KeepCount>,
    /// The same for months
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    keep_monthly: Option<KeepCount>,
    /// The same for years
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    keep_yearly: Option<KeepCount>,
    /// Keeps all that were taken less than this before the newest, such as 1m15d: years (y), months
    /// (m), days (d) and hours (h)
    #[arg(long, value_name = "SPAN", value_parser = span)]
    keep_within: Option<KeepDuration>,
    /// Where hours, days and so on begin, such as +01:00 (UTC)
    #[arg(long, value_name = "OFFSET", value_parser = zone, allow_hyphen_values = true)]
    keep_zone: Option<UtcOffset>,
    /// Removes at most N, the oldest first; the next run goes on
    #[arg(long, value_name = "N")]
    max_delete: Option<u64>,
}

/// Sets a rule of a policy.
type Set = fn(Keep, KeepCount) -> Keep;

impl KeepArgs {
    /// The policy, if there is one.
    pub(crate) fn policy(&self) -> Result<Option<Keep>> {
        let mut keep = Keep::new();
        for (count, set) in self.counts() {
            if let Some(count) = count {
                keep = set(keep, count);
            }
        }
        if let Some(span) = self.keep_within {
            keep = keep.within(span);
        }
        if let Some(zone) = self.keep_zone {
            keep = keep.zone(zone);
        }
        match keep.is_empty() {
            false => Ok(Some(keep)),
            true if *self == Self::default() => Ok(None),
            true => Err(no_rule("the flags keep no snapshot but the newest")),
        }
    }

    /// The policy, which must be there.
    pub(crate) fn required(&self) -> Result<Keep> {
        self.policy()?.ok_or_else(|| no_rule("no rule says which snapshots stay"))
    }

    pub(crate) fn max_delete(&self) -> Option<u64> {
        self.max_delete
    }

    /// The same flags, for a command to be shown.
    pub(crate) fn repeated(&self) -> String {
        let named = ["last", "hourly", "daily", "weekly", "monthly", "yearly"];
        let counts = named.iter().zip(self.counts());
        let mut flags: String = counts
            .filter_map(|(name, (count, _))| Some(format!(" --keep-{name} {}", count?)))
            .collect();
        if let Some(span) = self.keep_within {
            flags.push_str(&format!(" --keep-within {span}"));
        }
        if let Some(zone) = self.keep_zone {
            let zone = zone.to_string();
            let zone = zone.strip_suffix(":00").unwrap_or(&zone);
            flags.push_str(&format!(" --keep-zone={zone}"));
        }
        if let Some(most) = self.max_delete {
            flags.push_str(&format!(" --max-delete {most}"));
        }
        flags
    }

    /// The rules that count, from the shortest period to the longest.
    fn counts(&self) -> [(Option<KeepCount>, Set); 6] {
        [
            (self.keep_last, Keep::last),
            (self.keep_hourly, Keep::hourly),
            (self.keep_daily, Keep::daily),
            (self.keep_weekly, Keep::weekly),
            (self.keep_monthly, Keep::monthly),
            (self.keep_yearly, Keep::yearly),
        ]
    }
}

fn no_rule(what: &str) -> Failure {
    Failure::usage(what, "give a rule, such as --keep-daily 7; --help shows all")
}

fn count(text: &str) -> std::result::Result<KeepCount, String> {
    text.parse().map_err(|_| "it is neither a number nor unlimited".to_owned())
}

fn span(text: &str) -> std::result::Result<KeepDuration, String> {
    text.parse().map_err(|_| "it is not a time span such as 7d, 36h or 1y6m15d".to_owned())
}

fn zone(text: &str) -> std::result::Result<UtcOffset, String> {
    let form = format_description!("[offset_hour sign:mandatory]:[offset_minute]");
    match text {
        "Z" | "UTC" => Ok(UtcOffset::UTC),
        _ => UtcOffset::parse(text, form)
            .ok()
            .filter(|zone| (-12 * 3600..=14 * 3600).contains(&zone.whole_seconds()))
            .ok_or_else(|| "it is not an offset from -12:00 to +14:00, such as +01:00".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        keep: KeepArgs,
    }

    fn read(flags: &str) -> KeepArgs {
        Line::parse_from(["x"].into_iter().chain(flags.split_whitespace())).keep
    }

    #[test]
    fn flags_are_a_policy_and_repeated_as_they_were() {
        let flags = " --keep-last 3 --keep-hourly unlimited --keep-daily 7 --keep-weekly 4 \
                     --keep-monthly 12 --keep-yearly 10 --keep-within 1m15d --keep-zone=-05:30 \
                     --max-delete 9";
        let keep = read(flags);
        assert_eq!(keep.repeated(), flags);
        assert_eq!(
            keep.required().expect("rules").to_string(),
            "keep 3 last, all hourly, 7 daily, 4 weekly, 12 monthly, 10 yearly snapshots and all \
             within 1m15d of the newest (days begin at midnight -05:30)"
        );
        assert_eq!(read("--keep-last -1").repeated(), " --keep-last unlimited");
        let spaced = read("--keep-daily 1 --keep-zone -05:00").repeated();
        assert_eq!(spaced, " --keep-daily 1 --keep-zone=-05:00");
    }

    #[test]
    fn flags_without_a_rule_are_refused() {
        assert!(read("").policy().expect("nothing is said").is_none());
        for flags in ["--keep-zone +01:00", "--keep-daily 0", "--max-delete 3"] {
            assert_eq!(read(flags).policy().expect_err(flags).exit_code(), 64);
        }
        assert_eq!(read("").required().expect_err("no rule").exit_code(), 64);
        for bad in ["--keep-daily=x", "--keep-within=2w", "--keep-zone=1", "--keep-zone=Rome"] {
            assert!(Line::try_parse_from(["x", bad]).is_err(), "{bad}");
        }
        for (zone, is_one) in [("-12:00", true), ("+14:00", true), ("+14:01", false)] {
            let read = Line::try_parse_from(["x", "--keep-zone", zone]);
            assert_eq!(read.is_ok(), is_one, "{zone}");
        }
        assert!(Line::try_parse_from(["x", "--keep-zone", "+25:00"]).is_err());
    }
}
