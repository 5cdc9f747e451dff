//! Differences that are explained wherever they occur.

/// A header or an element that differs in the same way in many answers.
#[derive(Debug)]
pub(crate) struct HeaderRule {
    pub(crate) header: String,
    pub(crate) theirs: String,
    pub(crate) ours: String,
}

impl HeaderRule {
    /// Whether it explains these two values. `sent` is any value, `not sent` none, and `any` both.
    pub(crate) fn fits(&self, theirs: Option<&str>, ours: Option<&str>) -> bool {
        let one = |rule: &str, value: Option<&str>| match rule {
            "any" => true,
            "sent" => value.is_some(),
            "not sent" => value.is_none(),
            _ => value == Some(rule),
        };
        one(&self.theirs, theirs) && one(&self.ours, ours)
    }
}
