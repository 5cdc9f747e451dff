use std::cell::RefCell;

use futures_util::{
    FutureExt,
    future::{join, join_all, select},
};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// A service that accepts so many requests a second.
struct Service {
    per_second: u32,
    /// The longest time for which it saves unused requests.
    saves: Duration,
    pause: Option<Duration>,
    used_until: RefCell<Option<Instant>>,
    accepted: RefCell<Vec<u64>>,
}

impl Service {
    fn new(per_second: u32, saves: Duration, pause: Option<Duration>) -> Self {
        let (used_until, accepted) = (RefCell::default(), RefCell::default());
        Self { per_second, saves, pause, used_until, accepted }
    }

    fn accepts(&self) -> bool {
        let now = clock::instant();
        let mut used = self.used_until.borrow_mut();
        let until = used.map_or(now, |until| until.max(now)) + SECOND / self.per_second;
        let accepted = until <= now + self.saves;
        if accepted {
            *used = Some(until);
        }
        accepted
    }

    /// Calls it with 64 workers for a time; returns the part of its rate that was used.
    async fn work(&self, budget: &Budget, time: Duration) -> f64 {
        let end = clock::instant() + time;
        self.accepted.replace(vec![0; 64]);
        let worker = async |number: usize| {
            while clock::instant() < end {
                let permit = budget.admit(0).await;
                clock::sleep(Duration::from_millis(5 + fastrand::u64(0..10))).await;
                match self.accepts() {
                    true => self.accepted.borrow_mut()[number] += 1,
                    false => budget.throttled_by_service(permit, self.pause),
                }
            }
        };
        join_all((0..64).map(worker)).await;
        let accepted: u64 = self.accepted.borrow().iter().sum();
        accepted as f64 / (f64::from(self.per_second) * time.as_secs_f64())
    }

    fn least_and_most(&self) -> (u64, u64) {
        let accepted = self.accepted.borrow();
        (*accepted.iter().min().expect("64"), *accepted.iter().max().expect("64"))
    }
}

#[tokio::test(start_paused = true)]
async fn nine_tenths_of_what_the_service_takes_is_used() {
    fastrand::seed(7);
    for (saves, pause) in
        [(20 * MILLI, None), (SECOND, None), (SECOND, Some(SECOND)), (20 * MILLI, Some(SECOND))]
    {
        let service = Service::new(2000, saves, pause);
        let budget = Budget::new();
        if saves < SECOND && pause.is_some() {
            // Finding the rate costs such a service several pauses, which it does not make up for.
            let used = service.work(&budget, 60 * SECOND).await;
            assert!(used > 0.7, "{used}");
        }
        let used = service.work(&budget, 60 * SECOND).await;
        let (least, most) = service.least_and_most();
        let throttled = budget.throttled() as f64 / budget.requests() as f64;
        println!("{saves:?} {pause:?}: {used:.3}, throttled {throttled:.4}, {least}..{most}");
        assert!(used >= 0.9, "{saves:?} {pause:?}: {used}");
        assert!(least * 10 >= most * 9, "{saves:?} {pause:?}: {least} and {most}");
        assert!(throttled < 0.05, "{saves:?} {pause:?}: {throttled}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_recovers_is_used_again() {
    let budget = Budget::new();
    Service::new(50, 20 * MILLI, None).work(&budget, 30 * SECOND).await;
    assert!(budget.rate() < 100.0, "{}", budget.rate());
    let service = Service::new(2000, 20 * MILLI, None);
    service.work(&budget, 25 * SECOND).await;
    let used = service.work(&budget, 20 * SECOND).await;
    assert!(used > 0.9, "{used}");
}

#[tokio::test(start_paused = true)]
async fn the_limit_holds_and_places_are_given_in_turn() {
    let budget = Budget::new().requests_per_second(1000);
    let begun = clock::instant();
    let order = RefCell::new(Vec::new());
    join_all((0..2000).map(async |number| {
        budget.admit(0).await;
        order.borrow_mut().push(number);
    }))
    .await;
    let took = begun.elapsed();
    assert!((1900 * MILLI..2100 * MILLI).contains(&took), "{took:?}");
    assert!(order.borrow().is_sorted());
    assert_eq!((budget.requests(), budget.throttled()), (2000, 0));
    assert!(budget.waited() > 1900 * SECOND / 2, "{:?}", budget.waited());
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_go_several_at_a_time() {
    for (per_second, together) in [(500, 5), (2000, 8)] {
        let budget = Budget::new().requests_per_second(per_second);
        let (begun, times) = (clock::instant(), RefCell::new(Vec::new()));
        join_all((0..per_second).map(async |_| {
            budget.admit(0).await;
            times.borrow_mut().push(clock::instant());
        }))
        .await;
        let took = begun.elapsed();
        assert!((970 * MILLI..1010 * MILLI).contains(&took), "{per_second}: {took:?}");
        let mut times = times.into_inner();
        times.dedup();
        let wakes = u32::try_from(times.len()).expect("few");
        assert!(wakes <= per_second / together + 1, "{per_second}: woke {wakes} times");
    }
}

#[tokio::test(start_paused = true)]
async fn one_after_the_other_uses_the_whole_limit_too() {
    let budget = Budget::new().requests_per_second(500);
    let begun = clock::instant();
    for _ in 0..1000 {
        budget.admit(0).await;
        clock::sleep(MILLI).await;
    }
    assert!((1970 * MILLI..2020 * MILLI).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_one_for_all() {
    let budget = Budget::new();
    let permits = join_all((0..64).map(|_| budget.admit(0))).await;
    for permit in permits {
        budget.throttled_by_service(permit, Some(7 * SECOND));
    }
    let begun = clock::instant();
    join_all((0..64).map(|_| budget.admit(0))).await;
    assert!((7 * SECOND..7 * SECOND + 50 * MILLI).contains(&begun.elapsed()));
    assert_eq!(budget.throttled(), 64);
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_no_longer_than_the_patience() {
    let budget = Budget::new().patience(60 * SECOND);
    let permit = budget.admit(0).await;
    budget.throttled_by_service(permit, Some(86_400 * SECOND));
    let begun = clock::instant();
    budget.admit(0).await;
    assert!(begun.elapsed() <= 61 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_waiting_holds_up_nobody() {
    let budget = Budget::new().requests_per_second(1);
    budget.admit(0).await;
    let begun = clock::instant();
    let first = Box::pin(budget.admit(0));
    let second = Box::pin(budget.admit(0));
    let gives_up = select(first, Box::pin(clock::sleep(10 * MILLI))).map(|_| ());
    join(gives_up, second).await;
    assert!(begun.elapsed() <= SECOND + 10 * MILLI, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn bytes_are_paid_for_by_the_calls_that_follow() {
    let budget = Budget::new().bytes_per_second(1 << 20);
    let begun = clock::instant();
    budget.spend_bytes(10 << 20).await;
    assert!(begun.elapsed().is_zero());
    budget.admit(1 << 20).await;
    assert!((9900 * MILLI..10_100 * MILLI).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    budget.admit(0).await;
    budget.owe_bytes(1 << 20);
    budget.for_one_blob().admit(1).await;
    assert!((11_900 * MILLI..12_100 * MILLI).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert_eq!(budget.bytes(), (12 << 20) + 1);
    budget.spend_bytes(u64::MAX).await;
}

#[tokio::test(start_paused = true)]
async fn one_blob_has_its_own_limit_and_draws_from_the_account() {
    let account = Budget::new().requests_per_second(800);
    let (one, other) = (account.for_one_blob(), account.for_one_blob());
    let begun = clock::instant();
    join_all((0..1000).map(|_| one.admit(0))).await;
    assert!((1900 * MILLI..2100 * MILLI).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    let begun = clock::instant();
    let both = [&one, &other].map(|of| join_all((0..800).map(|_| of.admit(0))));
    join_all(both).await;
    assert!((1900 * MILLI..2100 * MILLI).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert_eq!((one.requests(), account.requests()), (1800, 2600));
}

#[tokio::test(start_paused = true)]
async fn one_busy_blob_slows_only_itself_and_two_the_account() {
    let account = Budget::new();
    let (one, other) = (account.for_one_blob(), account.for_one_blob());
    for _ in 0..5 {
        let permit = one.admit(0).await;
        one.throttled_by_service(permit, None);
        clock::sleep(MILLI).await;
    }
    assert!(one.rate() < 250.0 && other.rate() == 500.0 && account.rate() == 20_000.0);
    let permit = other.admit(0).await;
    other.throttled_by_service(permit, None);
    assert!(account.rate() < 20_000.0);
    assert_eq!((one.throttled(), other.throttled(), account.throttled()), (5, 1, 6));
}
