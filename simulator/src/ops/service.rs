//! Get and Set Blob Service Properties, and Get Account Information.
//!
//! The properties are stored and returned; none is enforced. Their format, and which are refused,
//! are taken from recorded exchanges with the live service (version 2019-02-02).

use http::StatusCode;

use crate::{
    model::state::State,
    wire::{
        answer::Answer,
        call::Call,
        document::Element,
        error::{Code, Refusal},
        names::Order,
        xml::Xml,
    },
};

const MOST_RULES: usize = 5;
const LONGEST_RETENTION: u64 = 365;

/// The parts of the document, in the order in which they are returned.
const PARTS: [&str; 7] = [
    "Logging",
    "HourMetrics",
    "MinuteMetrics",
    "Cors",
    "DeleteRetentionPolicy",
    "StaticWebsite",
    "DefaultServiceVersion",
];

/// [Get Blob Service Properties](https://learn.microsoft.com/rest/api/storageservices/get-blob-service-properties).
pub(super) fn properties(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let account = state.accounts.get(&call.route.account).ok_or(Code::ResourceNotFound)?;
    let mut xml = Xml::new();
    xml.element("StorageServiceProperties", |xml| {
        account.properties.0.iter().for_each(|part| write(xml, part));
    });
    Ok(Answer::new(StatusCode::OK).xml(xml))
}

fn write(xml: &mut Xml, part: &Element) {
    match part.children.is_empty() {
        true => xml.maybe_element(&part.name, Some(part.text.trim())),
        false => xml.element(&part.name, |xml| part.children.iter().for_each(|it| write(xml, it))),
    }
}

/// [Set Blob Service
/// Properties](https://learn.microsoft.com/rest/api/storageservices/set-blob-service-properties):
/// sets the parts in the request; the others stay.
pub(super) fn set_properties(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let document = Element::of(call, "StorageServiceProperties")?;
    for part in &document.children {
        check(part)?;
    }
    let account = state.accounts.0.get_mut(&call.route.account).ok_or(Code::ResourceNotFound)?;
    let kept = &mut account.properties.0;
    for mut part in document.children {
        if part.name == "Cors" {
            part.children.iter_mut().for_each(arrange);
        }
        kept.retain(|old| old.name != part.name);
        kept.push(part);
    }
    kept.sort_by_key(|part| PARTS.iter().position(|name| *name == part.name));
    Ok(Answer::new(StatusCode::ACCEPTED))
}

fn check(part: &Element) -> Result<(), Refusal> {
    let refuse =
        |why: &str| Err(Refusal::from(Code::InvalidXmlDocument).detail("Reason", why.to_owned()));
    if !PARTS.contains(&part.name.as_str()) {
        return refuse("An element that is not known");
    }
    if part.name == "Cors" && part.children.len() > MOST_RULES {
        return refuse("At most 5 rules");
    }
    let nested = part.child("RetentionPolicy");
    let retention = nested.or(Some(part).filter(|part| part.name == "DeleteRetentionPolicy"));
    let Some(retention) = retention else { return Ok(()) };
    let days = match retention.child_text("Days") {
        None if retention.child_text("Enabled") != Some("true") => return Ok(()),
        days => days.and_then(|days| days.parse().ok()),
    };
    match days {
        Some(1..=LONGEST_RETENTION) => Ok(()),
        _ => refuse("Retention days must be greater than 0 and less than or equal to 365 days."),
    }
}

/// A rule as it is returned: its parts in a fixed order, and whole header names before prefixes.
fn arrange(rule: &mut Element) {
    const ORDER: [&str; 5] =
        ["AllowedMethods", "AllowedOrigins", "AllowedHeaders", "ExposedHeaders", "MaxAgeInSeconds"];
    rule.children.sort_by_key(|part| ORDER.iter().position(|name| *name == part.name));
    let lists = rule.children.iter_mut().filter(|part| part.name.ends_with("Headers"));
    for list in lists {
        let (beginnings, whole): (Vec<&str>, Vec<&str>) = list
            .text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .partition(|name| name.ends_with('*'));
        list.text = [whole, beginnings].concat().join(",");
    }
}

/// [Get Account
/// Information](https://learn.microsoft.com/rest/api/storageservices/get-account-information),
/// which may also address a container or a blob, even one that does not exist.
pub(super) fn account_information(state: &State, call: &Call) -> Answer {
    let account = state.accounts.get(&call.route.account);
    let by_paths = account.is_some_and(|account| account.order == Order::Paths);
    let answer = Answer::new(StatusCode::OK)
        .header("x-ms-sku-name", "Standard_LRS")
        .header("x-ms-account-kind", "StorageV2");
    match call.since("2019-07-07") {
        true => answer.header("x-ms-is-hns-enabled", if by_paths { "true" } else { "false" }),
        false => answer,
    }
}
