//! Shared access signatures, from the service's side:
//! [service SAS](https://learn.microsoft.com/rest/api/storageservices/create-service-sas),
//! [account SAS](https://learn.microsoft.com/rest/api/storageservices/create-account-sas) and
//! [user delegation SAS](https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas).

mod to_sign;

use std::{net::IpAddr, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    access::{Access, Principal},
    delegation::DelegationKey,
    shared_key::{sign, signed_by},
};
use crate::{
    model::{account::Account, container::StoredPolicy},
    wire::{
        answer::Answer,
        dates,
        error::{Code, Refusal},
        op::Op,
        route::{Query, Route},
        versions,
    },
};

/// The longest validity of a user delegation key.
pub(crate) const LONGEST_KEY: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The SAS in a query.
pub(super) struct Sas<'a> {
    query: &'a Query,
    route: &'a Route,
    version: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Account,
    Service,
    Delegation,
}

/// The permissions of a blob, a directory or a container, in the order that a SAS uses. Those of an
/// account come in more than one order.
const PERMISSIONS: &str = "racwdxyltfmeopi";

/// The permissions and validity of a SAS, from its own fields or from its stored policy.
struct Terms<'a> {
    start: &'a str,
    expiry: &'a str,
    permissions: &'a str,
}

impl<'a> Sas<'a> {
    pub(super) fn of(query: &'a Query, route: &'a Route) -> Result<Self, Refusal> {
        let version = query.get("sv").unwrap_or(versions::OLDEST);
        if !versions::is_known(version) {
            return Err(Refusal::bad_query("sv", version, "This version is not supported"));
        }
        Ok(Self { query, route, version })
    }

    /// Checks the signature first, then the fields.
    pub(super) fn verify(
        &self,
        account: &Account,
        access: &Access<'_>,
    ) -> Result<Principal, Refusal> {
        let to_sign = self.string_to_sign(access.headers)?;
        let given = self.query.get("sig").unwrap_or("");
        let signed = match self.kind() {
            Kind::Delegation => {
                let key = STANDARD.decode(self.delegation_key(access)?.value(account));
                sign(&key.unwrap_or_default(), &to_sign) == given
            }
            Kind::Account | Kind::Service => signed_by(account, &to_sign, given),
        };
        if !signed {
            let why = format!("Signature did not match. String to sign used was {to_sign}");
            return Err(Refusal::unauthenticated(why));
        }
        self.check_form()?;
        let terms = self.terms(account)?;
        check_time(&terms, access)?;
        self.check_sender(access)?;
        self.check_scope(access)?;
        if self.kind() == Kind::Account {
            self.check_reach(access)?;
        }
        self.check_permission(access, terms.permissions)
    }

    fn kind(&self) -> Kind {
        match (self.query.get("srt"), self.query.get("skoid")) {
            (Some(_), _) => Kind::Account,
            (None, Some(_)) => Kind::Delegation,
            (None, None) => Kind::Service,
        }
    }

    fn field(&self, name: &str) -> &'a str {
        self.query.get(name).unwrap_or("")
    }

    /// The key that signed a user delegation SAS; it must be valid now.
    fn delegation_key(&self, access: &Access<'_>) -> Result<DelegationKey<'a>, Refusal> {
        let key = DelegationKey {
            object_id: self.field("skoid"),
            tenant_id: self.field("sktid"),
            start: self.field("skt"),
            expiry: self.field("ske"),
            service: self.field("sks"),
            version: self.field("skv"),
            delegated_tenant_id: self.field("skdutid"),
        };
        let times = dates::parse_sas_time(key.start).zip(dates::parse_sas_time(key.expiry));
        let good = times.is_some_and(|(start, expiry)| {
            start <= access.now && access.now < expiry && expiry - start <= LONGEST_KEY
        });
        if !good || key.service != "b" || self.version < "2018-11-09" {
            return Err(Refusal::unauthenticated(format!(
                "The user delegation key is not valid: service [{}] - Start [{}] - Expiry [{}] - \
                 Current [{}]",
                key.service,
                key.start,
                key.expiry,
                dates::http_date(access.now)
            )));
        }
        let user = self.field("sduoid");
        if !user.is_empty() && access.user.is_none_or(|present| present.object_id != user) {
            let why = "The SAS takes a bearer token of the user in sduoid beside it";
            return Err(Refusal::unauthenticated(why));
        }
        Ok(key)
    }

    /// A stored policy may supply fields that the SAS omits, but no field may be in both.
    fn terms(&self, account: &'a Account) -> Result<Terms<'a>, Refusal> {
        let [permissions, start, expiry] = ["sp", "st", "se"].map(|name| self.field(name));
        let own = Terms { start, expiry, permissions };
        let id = self.field("si");
        if id.is_empty() || self.kind() != Kind::Service {
            return Ok(own);
        }
        let container = self.route.container.as_ref();
        let container = container.and_then(|container| account.containers.get(container));
        let policy = container.and_then(|it| it.policies.iter().find(|policy| policy.id == id));
        let Some(StoredPolicy { start, expiry, permissions, .. }) = policy else {
            let why = format!("The container has no stored access policy '{id}'");
            return Err(Refusal::unauthenticated(why));
        };
        let either = |name: &str, own: &'a str, stored: &'a Option<String>| match stored {
            Some(stored) if own.is_empty() => Ok(stored.as_str()),
            None => Ok(own),
            Some(_) => Err(Refusal::unauthenticated(format!(
                "{name} is in the SAS and in its stored access policy; it must be in one of them"
            ))),
        };
        Ok(Terms {
            start: either("st", own.start, start)?,
            expiry: either("se", own.expiry, expiry)?,
            permissions: either("sp", own.permissions, permissions)?,
        })
    }

    fn check_sender(&self, access: &Access<'_>) -> Result<(), Refusal> {
        if self.field("spr") == "https" && !access.https {
            return Err(Code::AuthorizationProtocolMismatch.into());
        }
        let range = self.field("sip");
        let Some(address) = access.address.filter(|_| !range.is_empty()) else { return Ok(()) };
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let inside = match (first.parse::<IpAddr>(), last.parse::<IpAddr>()) {
            (Ok(first), Ok(last)) => first <= address && address <= last,
            _ => false,
        };
        if inside {
            return Ok(());
        }
        Err(Refusal::from(Code::AuthorizationSourceIPMismatch)
            .detail("SourceIP", address.to_string()))
    }

    /// Signed values must also be in the service's format.
    fn check_form(&self) -> Result<(), Refusal> {
        let permissions = self.field("sp");
        let doubled = |at: usize, letter: char| permissions[..at].contains(letter);
        let mut letters = permissions.char_indices();
        let places = permissions.chars().filter_map(|letter| PERMISSIONS.find(letter));
        let ordered = self.kind() == Kind::Account || places.is_sorted_by(|one, next| one < next);
        if !ordered || letters.any(|(at, letter)| doubled(at, letter)) {
            let why = "sp has a permission twice, or not in the order that is prescribed";
            return Err(Refusal::unauthenticated(why));
        }
        match self.field("spr") {
            "" | "https" | "https,http" => Ok(()),
            _ => Err(Refusal::unauthenticated("spr must be https or https,http")),
        }
    }

    /// An account SAS names services and resource types.
    fn check_reach(&self, access: &Access<'_>) -> Result<(), Refusal> {
        if !self.field("ss").contains('b') {
            return Err(Code::AuthorizationServiceMismatch.into());
        }
        let kind = match (&access.route.container, &access.route.blob) {
            (_, Some(_)) => 'o',
            (Some(_), None) => 'c',
            (None, None) => 's',
        };
        if !self.field("srt").contains(kind) {
            let refusal = Refusal::from(Code::AuthorizationResourceTypeMismatch);
            if access.version < "2024-08-04" {
                return Err(refusal);
            }
            let why =
                format!("SignedResourceTypes '{kind}' is required to perform this operation.");
            return Err(refusal.detail("ExtendedErrorDetail", why));
        }
        Ok(())
    }

    /// Writes that name an encryption scope must name the SAS's own (`ses`).
    fn check_scope(&self, access: &Access<'_>) -> Result<(), Refusal> {
        let asked = access.headers.and_then(|headers| headers.get("x-ms-encryption-scope"));
        match self.query.get("ses") {
            Some(scope) if asked.is_some_and(|asked| asked != scope) => {
                Err(Code::AuthorizationFailure.into())
            }
            _ => Ok(()),
        }
    }

    fn check_permission(&self, access: &Access<'_>, given: &str) -> Result<Principal, Refusal> {
        let action = access.headers.and_then(|headers| headers.get("x-ms-lease-action"));
        // The delete permission allows breaking a lease, and no other lease action.
        let breaks =
            action.is_some_and(|action| action == "break") && access.version >= "2017-07-29";
        let needed = match access.op {
            Op::LeaseBlob | Op::LeaseContainer if !breaks => "w",
            op => op.permissions(),
        };
        // On a container as a whole, a service SAS may only permit listing.
        let whole = access.route.blob.is_none() && self.kind() != Kind::Account;
        let open = matches!(access.op, Op::GetAccountInformation | Op::BlobBatch);
        let closed = whole && needed != "l" && !open;
        let writes_tags = !access.op.reads()
            && access.headers.is_some_and(|headers| headers.contains_key("x-ms-tags"));
        if closed
            || !needed.chars().any(|needed| given.contains(needed))
            || (writes_tags && !given.contains('t'))
        {
            return Err(Code::AuthorizationPermissionMismatch.into());
        }
        Ok(Principal::Sas { overwrite: given.contains('w') })
    }
}

fn check_time(terms: &Terms<'_>, access: &Access<'_>) -> Result<(), Refusal> {
    let Terms { start, expiry, .. } = *terms;
    let unread = |field: &str| {
        let why = format!("{field} is missing, or is not a time in one of the forms allowed");
        Refusal::unauthenticated(why)
    };
    let begun = match start {
        "" => true,
        start => dates::parse_sas_time(start).ok_or_else(|| unread("st"))? <= access.now,
    };
    let ended = dates::parse_sas_time(expiry).ok_or_else(|| unread("se"))? <= access.now;
    if begun && !ended {
        return Ok(());
    }
    let now = dates::http_date(access.now);
    let refusal = Refusal::unauthenticated(format!(
        "Signature not valid in the specified time frame: Start [{start}] - Expiry [{expiry}] - \
         Current [{now}]"
    ));
    Err(if ended { refusal.by_front() } else { refusal })
}

/// How a SAS changes the answer to a request that it authorizes: the response headers that it
/// overrides.
pub(crate) fn dress(answer: &mut Answer, query: &Query, reads: bool) {
    const OVERRIDES: [(&str, &str); 5] = [
        ("rscc", "cache-control"),
        ("rscd", "content-disposition"),
        ("rsce", "content-encoding"),
        ("rscl", "content-language"),
        ("rsct", "content-type"),
    ];
    let signed = query.get("srt").is_none();
    for (parameter, header) in OVERRIDES.into_iter().filter(|_| reads && signed) {
        if let Some(value) = query.get(parameter) {
            answer.set(header, value);
        }
    }
}

#[cfg(test)]
mod tests;
