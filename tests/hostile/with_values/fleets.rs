//! Fleets of mirrors with hostile names and numbers.

use blobcopy::{
    BlobServiceClient,
    disks::*,
    jobs::{Budget, Shard},
};

use super::{
    super::{bounds, driven::*, values::Values},
    Run, container, key,
    models::json,
};

pub(super) async fn drive(run: &Run<'_>) {
    let values = run.values;
    json::<FleetDisk>(run);
    json::<FleetFailure>(run);
    json::<FleetPlan>(run);
    json::<FleetReport>(run);
    json::<FleetStep>(run);
    json::<LeftBlob>(run);
    json::<PlannedDisk>(run);
    let report = FleetReport::default();
    run.made(make!(FleetReport::merge([report.clone(), report])));

    let settings: [&dyn Fn(MirrorFleet) -> MirrorFleet; 10] = [
        &|fleet| call!(fleet, concurrency(values.small() as usize)),
        &|fleet| call!(fleet, budget(&Budget::new())),
        &|fleet| call!(fleet, part_of(Shard::new(0, 2).expect("a shard"))),
        &|fleet| call!(fleet, keep(&Keep::new().last(values.small()))),
        &|fleet| call!(fleet, max_delete(values.number())),
        &|fleet| call!(fleet, each(|mirror| mirror.route(MirrorRoute::Ranges))),
        &MirrorFleet::verify,
        &MirrorFleet::verify_all,
        &|fleet| call!(fleet.verify(), receipts(&MirrorReceipts::new())),
        &|fleet| fleet,
    ];
    for settle in settings {
        for of_container in [true, false] {
            // With a service of its own, whose requests are counted apart.
            let run = Run::new(values);
            let service = run.service(key());
            let fleet = settle(fleet(values, &service, of_container));
            bounds::shown(&fleet, bounds::of_values(values));
            let mut events = 0_u32;
            shown(values, &call!(fleet.run(), on_event(|_| events += 1)).await);
            shown(values, &fleet.plan().await);
        }
    }
}

fn fleet(values: &Values, service: &BlobServiceClient, of_container: bool) -> MirrorFleet {
    let (from, to) = (container(service), service.container_client("backups"));
    if of_container {
        return make!(MirrorFleet::of_container(&from, &values.text(), &to, &values.text()));
    }
    let mirror = || {
        let source = from.page_blob_client(&values.text());
        SnapshotMirror::new(&source, &to.page_blob_client(&values.text()))
    };
    make!(MirrorFleet::new([mirror(), mirror()]))
}

fn shown<T: std::fmt::Debug>(values: &Values, ended: &Result<T, MirrorError>) {
    match ended {
        Ok(made) => bounds::shown(made, bounds::of_values(values)),
        Err(error) => bounds::shown(error, bounds::of_values(values)),
    }
}
