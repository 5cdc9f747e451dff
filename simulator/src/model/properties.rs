//! The properties of an account's blob service.

use crate::wire::document::Element;

/// The properties of an account's blob service.
#[derive(Debug)]
pub(crate) struct ServiceProperties(pub(crate) Vec<Element>);

impl Default for ServiceProperties {
    /// The defaults of a new account: hourly metrics, kept for a week, and everything else off.
    fn default() -> Self {
        let leaf = |name: &str, text: &str| element(name, text, vec![]);
        let off = |name: &str| element(name, "", vec![leaf("Enabled", "false")]);
        let (version, retention) = (|| leaf("Version", "1.0"), || off("RetentionPolicy"));
        let week = vec![leaf("Enabled", "true"), leaf("Days", "7")];
        let logging = ["Read", "Write", "Delete"].map(|name| leaf(name, "false"));
        let logging = [version()].into_iter().chain(logging).chain([retention()]);
        let by_hour = vec![
            version(),
            leaf("Enabled", "true"),
            leaf("IncludeAPIs", "true"),
            element("RetentionPolicy", "", week),
        ];
        let by_minute = vec![version(), leaf("Enabled", "false"), retention()];
        Self(vec![
            element("Logging", "", logging.collect()),
            element("HourMetrics", "", by_hour),
            element("MinuteMetrics", "", by_minute),
            leaf("Cors", ""),
            off("DeleteRetentionPolicy"),
            off("StaticWebsite"),
        ])
    }
}

fn element(name: &str, text: &str, children: Vec<Element>) -> Element {
    Element { name: name.to_owned(), text: text.to_owned(), children }
}
