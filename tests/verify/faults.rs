//! A fault never makes a wrong verdict.

use blobcopy::{
    Error,
    jobs::{UnverifiableReason, Verdict, verify},
};
use blobcopy_simulator::{FaultRule, Op};

use super::{Kind, World, different, noise, ranges, write};

async fn world() -> World {
    let world = World::new().await;
    let mut content = noise(40 * 512, 1);
    write(&world.from("a"), Kind::Page, &content).await;
    write(&world.to("same"), Kind::Page, &content).await;
    content[20 * 512] ^= 1;
    write(&world.to("flipped"), Kind::Page, &content).await;
    world.sim.forget_requests();
    world
}

#[tokio::test(start_paused = true)]
async fn lost_answers_and_refusals_change_no_verdict() {
    type Fault = fn(FaultRule) -> FaultRule;
    let faults: [Fault; 5] = [
        FaultRule::lose_answer,
        FaultRule::reset,
        |rule| rule.answer(503, "ServerBusy"),
        |rule| rule.answer(500, "InternalError"),
        |rule| rule.land_late(std::time::Duration::from_secs(2)),
    ];
    for fault in faults {
        let world = world().await;
        fault(world.sim.faults().on_any()).chance(0.3);
        let (mut ended, mut failed) = (0, 0);
        for _ in 0..20 {
            for name in ["same", "flipped"] {
                match verify(&world.from("a"), &world.to(name)).piece(4096).await {
                    Err(error) => {
                        assert!(error.is_retryable(), "{error}");
                        failed += 1;
                    }
                    Ok(verified) if name == "same" => {
                        assert!(verified.is_identical(), "{verified}");
                        ended += 1;
                    }
                    Ok(verified) => {
                        assert_eq!(different(&verified).ranges, ranges([(10_240, 10_752)]));
                        ended += 1;
                    }
                }
            }
        }
        assert!(ended >= 20, "{ended} ended, {failed} failed");
        assert_eq!(world.sim.count(Op::GetBlob) + world.sim.count(Op::PutBlockList), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_stays_busy_is_an_error_and_not_a_verdict() {
    let world = world().await;
    world.sim.faults().on(Op::PutBlockFromUrl).after(3).answer(503, "ServerBusy");
    let error = verify(&world.from("a"), &world.to("same")).piece(4096).await.expect_err("busy");
    assert!(error.is_retryable() && matches!(error, Error::Service(_)), "{error}");
    world.sim.faults().clear();
    // The blocks that were staged before are gone.
    world.check_clean().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_verified_for_now_is_an_error() {
    let world = world().await;
    for status in [429, 500, 503] {
        let rule = world.sim.faults().on(Op::PutBlockFromUrl);
        rule.answer(status, "CannotVerifyCopySource");
        let compare = verify(&world.from("a"), &world.to("same"));
        let error = compare.await.expect_err("not for now");
        assert!(error.is_retryable(), "{error}");
        world.sim.faults().clear();
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_crc_nothing_is_claimed() {
    let world = world().await;
    world.sim.faults().on(Op::PutBlockFromUrl).drop_header("x-ms-content-crc64");
    let verified = verify(&world.from("a"), &world.to("same")).await.expect("compared");
    let Verdict::Unverifiable(why) = &verified.verdict else { panic!("{verified}") };
    assert_eq!(why.reason, UnverifiableReason::NoChecksum);
    world.sim.faults().clear();
    world.check_clean().await;
}
