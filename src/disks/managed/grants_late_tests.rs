//! What is noted until it is given back, and access that is granted late.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_grant_of_a_dead_run_that_lands_late_is_given_back_too() {
    let world = World::new(1);
    *world.note.0.lock().expect("unlocked") = vec!["0".to_owned()];
    world.begin().await.end().await;
    // It lands after a whole run has come and gone.
    world.access.named("0").grant(HOUR).expect("granted");
    let found = world.snapshots().await;
    let grants = world.begin().await;
    assert_eq!(world.granted(), 0);
    // And another, while this run is at work.
    world.access.named("0").grant(HOUR).expect("granted");
    assert!(reads(&grants.client(&found[0]).await.expect("it is no one else's")).await);
    grants.end().await;
    assert_eq!(world.granted(), 0);

    // It lands at the last moment: the first run after that gives it back, whenever it comes.
    pass(Duration::from_secs(50 * 60)).await;
    world.access.named("0").grant(HOUR).expect("granted");
    world.begin().await.end().await;
    assert_eq!(world.granted(), 0);
    assert_eq!(*world.note.0.lock().expect("unlocked"), [""; 0]);
    world.access.named("0").grant(HOUR).expect("granted");
    let grants = world.begin().await;
    let error = grants.client(&found[0]).await.expect_err("somebody else's").to_string();
    assert!(error.contains("somebody else has access"), "{error}");
    grants.end().await;
    assert_eq!(world.granted(), 1, "access of others is left alone");
}

#[tokio::test(start_paused = true)]
async fn a_grant_of_a_live_run_that_lands_after_it_was_given_back_is_given_back_too() {
    // Its own error was seen, or only the access knows of it.
    for is_seen in [true, false] {
        let world = World::new(1);
        let (grants, found) = (world.begin().await, world.snapshots().await);
        match is_seen {
            true => {
                world.steps.log().lose_grant = Some(true);
                grants.client(&found[0]).await.expect_err("lost");
            }
            false => world.steps.log().may_grant_late = true,
        }
        assert!(reads(&grants.client(&found[0]).await.expect("granted")).await);
        assert_eq!(grants.end().await, []);
        assert_eq!(world.granted(), 0);
        let noted = world.note.0.lock().expect("unlocked").clone();
        assert_eq!(noted, ["late 2026-01-01T00:15:00Z 0"]);
        // It lands when the run is over, and the next run comes much later.
        world.access.named("0").grant(HOUR).expect("granted");
        pass(HOUR / 2).await;
        world.steps.log().may_grant_late = false;
        let grants = world.begin().await;
        assert_eq!(world.granted(), 0);
        assert!(reads(&grants.client(&found[0]).await.expect("it is no one else's")).await);
        assert_eq!(grants.end().await, []);
        assert_eq!(*world.note.0.lock().expect("unlocked"), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_grant_that_must_have_ended_by_now_is_no_reason_to_revoke() {
    let world = World::new(1);
    *world.note.0.lock().expect("unlocked") = vec!["late 2025-12-31T23:00:00Z 0".to_owned()];
    world.access.named("0").grant(HOUR).expect("granted");
    let grants = world.begin().await;
    assert_eq!((grants.end().await, world.granted()), (vec![], 1), "it is somebody else's");
}

#[tokio::test(start_paused = true)]
async fn what_another_access_was_granted_stays_noted_until_that_gives_it_back() {
    let world = World::new(1);
    *world.note.0.lock().expect("unlocked") = vec!["/group/a".to_owned(), "0".to_owned()];
    let (grants, found) = (world.begin().await, world.snapshots().await);
    // The request of the earlier run may still land.
    let late = "note /group/a,late 2026-01-01T00:15:00Z 0";
    assert_eq!(world.steps.take(), ["revoke 0", late]);
    grants.client(&found[0]).await.expect("granted");
    assert_eq!(world.steps.take(), ["note 0,/group/a", "grant 0"]);
    assert_eq!(grants.end().await, []);
    assert_eq!(world.steps.take(), ["revoke 0", late]);
}

#[tokio::test(start_paused = true)]
async fn a_grant_whose_answer_was_lost_is_given_back() {
    // The error of somebody's own `GrantAccess` may be that of a call that reads.
    for ambiguous in [true, false] {
        let world = World::new(1);
        let (grants, found) = (world.begin().await, world.snapshots().await);
        world.steps.log().lose_grant = Some(ambiguous);
        grants.client(&found[0]).await.expect_err("lost");
        assert_eq!(world.granted(), 1);
        assert_eq!(*world.note.0.lock().expect("unlocked"), ["0"]);
        // It is this run's own, so it is no obstacle.
        grants.client(&found[0]).await.expect("granted");
        assert_eq!(grants.end().await, []);
        assert_eq!(world.granted(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn access_that_cannot_be_given_back_is_told_and_left_to_the_next_run() {
    let world = World::new(1);
    let (grants, found) = (world.begin().await, world.snapshots().await);
    grants.client(&found[0]).await.expect("granted");
    world.steps.log().fail_revokes = true;
    grants.give_back(&found[0]).await;
    let left = MirrorWarning::GrantLeft { snapshot: "0".to_owned() };
    assert_eq!(grants.end().await, [left]);
    assert_eq!(world.granted(), 1);
    world.steps.log().fail_revokes = false;
    let next = world.begin().await;
    assert_eq!((world.granted(), next.end().await), (0, vec![]));
}
