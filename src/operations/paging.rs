//! Lists that come in pages: each page names the next one by a marker.

use crate::{
    error::{Error, Result},
    wire::malformed::Malformed,
};

/// Refuses a page after which the same one would be requested again.
pub(super) fn check_next(sent: Option<&str>, next: Option<&str>) -> Result<(), Malformed> {
    match next {
        Some(next) if sent == Some(next) => Err(circle()),
        _ => Ok(()),
    }
}

/// Refuses a page size that the service does not take.
pub(super) fn check_size(size: Option<u32>) -> Result<()> {
    match size {
        Some(size) if !(1..=5000).contains(&size) => {
            Err(Error::invalid("page size", size, "must be 1 to 5000"))
        }
        _ => Ok(()),
    }
}

/// The markers that a list was followed by; finds out when they lead in a circle.
///
/// It keeps one of them at a time, for twice as many pages as the one before (Brent's way), so a
/// circle of any length is found within a few rounds, however long the list is.
#[derive(Debug, Clone, Default)]
pub(super) struct Trail {
    kept: Option<String>,
    /// For how many pages the marker is still kept, and for how many it was.
    left: u64,
    span: u64,
}

impl Trail {
    /// Takes note of the marker of the next page.
    pub(super) fn follow(&mut self, next: Option<&str>) -> Result<(), Malformed> {
        let Some(next) = next else { return Ok(()) };
        if self.kept.as_deref() == Some(next) {
            return Err(circle());
        }
        if self.left == 0 {
            self.kept = Some(next.to_owned());
            self.span = self.span.saturating_mul(2).max(1);
            self.left = self.span;
        }
        self.left -= 1;
        Ok(())
    }
}

fn circle() -> Malformed {
    Malformed::new("NextMarker leads to a page that was read already")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pages are read of a list that leads from page `tail` in circles of `length`.
    fn pages_read(tail: u64, length: u64) -> u64 {
        let mut trail = Trail::default();
        for page in 0.. {
            let place = if page < tail { page } else { tail + (page - tail) % length };
            if trail.follow(Some(&place.to_string())).is_err() {
                return page;
            }
        }
        unreachable!("it has no end")
    }

    #[test]
    fn a_circle_is_found_within_a_few_rounds() {
        for tail in [0, 1, 2, 7, 100] {
            for length in 1..100 {
                let pages = pages_read(tail, length);
                let rounds = 3 * (tail + length) + 3;
                assert!(pages <= rounds, "{pages} pages of {tail} + {length}");
            }
        }
    }

    #[test]
    fn a_list_without_a_circle_is_followed_to_its_end() {
        let mut trail = Trail::default();
        for page in 0..10_000 {
            trail.follow(Some(&page.to_string())).expect("goes on");
        }
        trail.follow(None).expect("ends");
    }

    #[test]
    fn the_same_page_again_is_refused_at_once() {
        let check = |sent, next| check_next(sent, next);
        assert!(check(None, Some("a")).is_ok() && check(Some("a"), None).is_ok());
        assert!(check(Some("a"), Some("b")).is_ok());
        let error = check(Some("a"), Some("a")).expect_err("a circle").to_string();
        assert!(error.contains("NextMarker"), "{error}");
    }
}
