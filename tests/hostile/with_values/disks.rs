//! Retention policies with hostile times, numbers and text.

use blobcopy::disks::*;
use time::UtcOffset;

use super::{
    super::{bounds, driven::*},
    Run,
    models::{json, text},
};

pub(super) fn drive(run: &Run<'_>) {
    let values = run.values;
    text::<KeepCount>(run);
    text::<KeepDuration>(run);
    json::<Keep>(run);
    json::<KeepRule>(run);
    json::<Kept>(run);
    json::<Reason>(run);
    let count = || match values.number() {
        u64::MAX => KeepCount::Unlimited,
        number => KeepCount::AtMost(u32::try_from(number).unwrap_or(u32::MAX)),
    };
    let span = || KeepDuration {
        years: values.small(),
        months: values.small(),
        days: values.small(),
        hours: values.small(),
    };
    let (years, days) = (values.small(), values.small());
    for policy in [
        call!(Keep::new(), last(values.small())),
        call!(Keep::new(), hourly(count())),
        call!(Keep::new(), daily(count())),
        call!(Keep::new(), weekly(count())),
        call!(Keep::new(), monthly(count())),
        call!(Keep::new(), yearly(count())),
        call!(Keep::new(), within(span())),
        Keep::new().within(KeepDuration { years, ..KeepDuration::default() }),
        Keep::new().within(KeepDuration { days, ..KeepDuration::default() }),
    ] {
        for zone in [UtcOffset::UTC, values.date().offset()] {
            let policy = call!(policy.clone(), zone(zone));
            let read = serde_json::to_string(&policy).expect("a policy can be written");
            assert_eq!(serde_json::from_str::<Keep>(&read).expect("as it was written"), policy);
            let snapshots = || (0..5).map(|_| (values.snapshot(), values.date()));
            let dated = call!(&policy, apply(snapshots()));
            let plain = policy.apply(snapshots().map(|(snapshot, _)| snapshot));
            for kept in [dated, plain].into_iter().filter_map(|kept| run.made(kept)) {
                assert!(kept.iter().any(Kept::stays), "{policy} keeps nothing");
                let lines: String = kept.iter().map(Kept::to_string).collect();
                assert!(lines.len() <= bounds::SHORT, "{lines}");
                serde_json::to_string(&kept).expect("it can be written");
            }
        }
    }
}
