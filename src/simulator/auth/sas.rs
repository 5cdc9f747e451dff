//! Shared access signatures, from the service's side:
//! [service SAS](https://learn.microsoft.com/rest/api/storageservices/create-service-sas) and
//! [account SAS](https://learn.microsoft.com/rest/api/storageservices/create-account-sas).

use std::net::IpAddr;

use super::{Access, Principal, shared_key::sign};
use crate::simulator::{
    account::Account,
    dates,
    error::{Code, Refusal},
    op::Op,
    route::{Query, Route},
};

/// The SAS in a query.
pub(super) struct Sas<'a> {
    query: &'a Query,
    route: &'a Route,
    version: &'a str,
}

impl<'a> Sas<'a> {
    pub(super) fn of(query: &'a Query, route: &'a Route) -> Result<Self, Refusal> {
        let version = query.get("sv").unwrap_or("2009-09-19");
        if query.get("skoid").is_some() {
            return Err(Refusal::unauthenticated("No such user delegation key exists"));
        }
        Ok(Self { query, route, version })
    }

    /// Checks the signature first, then everything that it promises.
    pub(super) fn verify(
        &self,
        account: &Account,
        access: &Access<'_>,
    ) -> Result<Principal, Refusal> {
        let for_account = self.query.get("srt").is_some();
        let to_sign = if for_account { self.account_string() } else { self.service_string()? };
        if sign(&account.key, &to_sign).as_deref() != self.query.get("sig") {
            let why = format!("Signature did not match. String to sign used was {to_sign}");
            return Err(Refusal::unauthenticated(why));
        }
        self.check_time(access)?;
        self.check_sender(access)?;
        if for_account {
            self.check_reach(access)?;
        }
        self.check_permission(access.op)
    }

    fn field(&self, name: &str) -> &'a str {
        self.query.get(name).unwrap_or("")
    }

    fn account_string(&self) -> String {
        let mut fields = vec![self.route.account.as_str()];
        fields.extend(
            ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"].map(|name| self.field(name)),
        );
        if self.version >= "2020-12-06" {
            fields.push(self.field("ses"));
        }
        fields.push("");
        fields.join("\n")
    }

    fn service_string(&self) -> Result<String, Refusal> {
        let resource = self.canonical_resource()?;
        let mut fields = vec![self.field("sp"), self.field("st"), self.field("se"), &resource];
        fields.push(self.field("si"));
        let version = self.version;
        if version >= "2015-04-05" {
            fields.extend([self.field("sip"), self.field("spr")]);
        }
        if version >= "2012-02-12" {
            fields.push(version);
        }
        if version >= "2018-11-09" {
            let time = match self.field("sr") {
                "bs" => self.field("snapshot"),
                "bv" => self.field("versionid"),
                _ => "",
            };
            fields.extend([self.field("sr"), time]);
        }
        if version >= "2020-12-06" {
            fields.push(self.field("ses"));
        }
        if version >= "2013-08-15" {
            fields.extend(["rscc", "rscd", "rsce", "rscl", "rsct"].map(|name| self.field(name)));
        }
        Ok(fields.join("\n"))
    }

    /// What `sr` says that the SAS is for, as far as this URL names it.
    fn canonical_resource(&self) -> Result<String, Refusal> {
        let refuse = |why: &str| Refusal::unauthenticated(why);
        let service = if self.version >= "2015-02-21" { "/blob" } else { "" };
        let container = self.route.container.as_deref();
        let container =
            container.ok_or_else(|| refuse("A service SAS is for a container or a blob"))?;
        let mut resource = format!("{service}/{}/{container}", self.route.account);
        match self.field("sr") {
            "c" => {}
            "b" | "bs" | "bv" => {
                let blob = self.route.blob.as_deref();
                resource.push('/');
                resource.push_str(blob.ok_or_else(|| refuse("The SAS is for a blob"))?);
            }
            _ => return Err(refuse("sr is mandatory: b, bs, bv or c")),
        }
        Ok(resource)
    }

    fn check_time(&self, access: &Access<'_>) -> Result<(), Refusal> {
        let (start, expiry) = (self.field("st"), self.field("se"));
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
        Err(Refusal::unauthenticated(format!(
            "Signature not valid in the specified time frame: Start [{start}] - Expiry [{expiry}] - \
             Current [{now}]"
        )))
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

    /// An account SAS names services and kinds of resource.
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
            return Err(Code::AuthorizationResourceTypeMismatch.into());
        }
        Ok(())
    }

    fn check_permission(&self, op: Op) -> Result<Principal, Refusal> {
        let given = self.field("sp");
        // Nothing that acts on a container as a whole is open to a service SAS.
        let whole =
            matches!(op, Op::CreateContainer | Op::DeleteContainer | Op::GetContainerProperties);
        let closed = whole && self.query.get("srt").is_none();
        if closed || !op.permissions().chars().any(|needed| given.contains(needed)) {
            return Err(Code::AuthorizationPermissionMismatch.into());
        }
        Ok(Principal::Sas { overwrite: given.contains('w') })
    }
}

#[cfg(test)]
mod tests;
