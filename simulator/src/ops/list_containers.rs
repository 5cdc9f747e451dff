//! List Containers.

use http::StatusCode;

use super::{
    list::write_metadata,
    list_page::{Asked, Marker},
};
use crate::{
    model::{leases, state::State},
    wire::{
        answer::Answer,
        call::Call,
        dates,
        error::{Code, Refusal},
    },
};

/// The values of `include`. Deleted containers are not kept.
const INCLUDE: [(&str, &str); 3] =
    [("metadata", "2009-09-19"), ("deleted", "2019-12-12"), ("system", "2020-10-02")];

/// [List Containers](https://learn.microsoft.com/rest/api/storageservices/list-containers2).
pub(super) fn list(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let account = state.accounts.get(&call.route.account).ok_or(Code::ResourceNotFound)?;
    let asked = Asked::of(call, &INCLUDE)?;
    let from = asked.marker.as_ref().map_or("", |marker| &marker.name).max(asked.prefix);
    let found = account.containers.range(from.to_owned()..);
    let found = found.take_while(|(name, _)| name.starts_with(asked.prefix));
    let list = asked.write(call, None, None, |xml, most| {
        xml.element("Containers", |xml| {
            for (count, (name, container)) in found.enumerate() {
                if count == most {
                    return Some(Marker { name: name.clone(), snapshot: None });
                }
                xml.element("Container", |xml| {
                    xml.text_element("Name", name);
                    xml.element("Properties", |xml| {
                        let modified = dates::http_date(container.last_modified);
                        xml.text_element("Last-Modified", &modified);
                        xml.text_element("Etag", &container.etag);
                        leases::list(xml, container.lease.as_ref(), call.now);
                        if let Some(level) = container.public_access.as_str() {
                            xml.text_element("PublicAccess", level);
                        }
                        xml.text_element("DefaultEncryptionScope", "$account-encryption-key");
                        xml.text_element("DenyEncryptionScopeOverride", "false");
                        xml.text_element("HasImmutabilityPolicy", "false");
                        xml.text_element("HasLegalHold", "false");
                    });
                    if asked.includes("metadata") {
                        write_metadata(xml, &container.metadata);
                    }
                });
            }
            None
        })
    });
    Ok(Answer::new(StatusCode::OK).xml(list))
}
