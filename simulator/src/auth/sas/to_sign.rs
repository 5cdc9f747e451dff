//! The strings to sign for a SAS, by type and version.

use http::HeaderMap;

use super::{Kind, Sas};
use crate::wire::error::Refusal;

const RESPONSE_HEADERS: [&str; 5] = ["rscc", "rscd", "rsce", "rscl", "rsct"];

impl Sas<'_> {
    pub(super) fn string_to_sign(&self, headers: Option<&HeaderMap>) -> Result<String, Refusal> {
        match self.kind() {
            Kind::Account => Ok(self.account_string()),
            Kind::Service => self.service_string(),
            Kind::Delegation => self.delegation_string(headers),
        }
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
            fields.extend([self.field("sr"), self.time_of_resource()]);
        }
        if version >= "2020-12-06" {
            fields.push(self.field("ses"));
        }
        if version >= "2013-08-15" {
            fields.extend(RESPONSE_HEADERS.map(|name| self.field(name)));
        }
        Ok(fields.join("\n"))
    }

    fn delegation_string(&self, headers: Option<&HeaderMap>) -> Result<String, Refusal> {
        let resource = self.canonical_resource()?;
        let version = self.version;
        let mut fields = vec![self.field("sp"), self.field("st"), self.field("se"), &resource];
        fields.extend(["skoid", "sktid", "skt", "ske", "sks", "skv"].map(|name| self.field(name)));
        if version >= "2020-02-10" {
            fields.extend(["saoid", "suoid", "scid"].map(|name| self.field(name)));
        }
        if version >= "2025-07-05" {
            fields.extend(["skdutid", "sduoid"].map(|name| self.field(name)));
        }
        fields.extend([self.field("sip"), self.field("spr"), version]);
        fields.extend([self.field("sr"), self.time_of_resource()]);
        if version >= "2020-12-06" {
            fields.push(self.field("ses"));
        }
        let (request_headers, request_query) = self.request_parts(headers);
        if version >= "2026-04-06" {
            fields.extend([request_headers.as_str(), &request_query]);
        }
        fields.extend(RESPONSE_HEADERS.map(|name| self.field(name)));
        Ok(fields.join("\n"))
    }

    /// The values in the request of the headers and parameters that `srh` and `srq` name.
    fn request_parts(&self, headers: Option<&HeaderMap>) -> (String, String) {
        let header = |name: &str| {
            let value = headers.and_then(|headers| headers.get(name)?.to_str().ok());
            format!("{name}:{}\n", value.unwrap_or(""))
        };
        let parameter = |name: &str| format!("\n{name}:{}", self.field(name));
        let names = |field| self.field(field).split(',').filter(|name: &&str| !name.is_empty());
        (names("srh").map(header).collect(), names("srq").map(parameter).collect())
    }

    /// The snapshot or version that the SAS is limited to, if any.
    fn time_of_resource(&self) -> &str {
        match self.field("sr") {
            "bs" => self.field("snapshot"),
            "bv" => self.field("versionid"),
            _ => "",
        }
    }

    /// The resource that `sr` refers to, as far as this URL names it.
    fn canonical_resource(&self) -> Result<String, Refusal> {
        let refuse = |why: &str| Refusal::unauthenticated(why);
        let service = if self.version >= "2015-02-21" { "/blob" } else { "" };
        let container = self.route.container.as_deref();
        let container =
            container.ok_or_else(|| refuse("A service SAS is for a container or a blob"))?;
        let mut resource = format!("{service}/{}/{container}", self.route.account);
        let blob = || self.route.blob.as_deref().ok_or_else(|| refuse("The SAS is for a blob"));
        match self.field("sr") {
            "c" => {}
            "b" => resource.extend(["/", blob()?]),
            "bs" | "bv" if self.version < "2018-11-09" || self.time_of_resource().is_empty() => {
                return Err(refuse("The SAS is for a snapshot or a version, and none is named"));
            }
            "bs" | "bv" => resource.extend(["/", blob()?]),
            "d" if self.version >= "2020-02-10" => {
                let depth = self.field("sdd").parse::<usize>();
                let depth = depth.map_err(|_| refuse("sdd is mandatory for a directory"))?;
                let names: Vec<_> = blob()?.split('/').take(depth).collect();
                if names.len() < depth {
                    return Err(refuse("The blob is not within the directory of the SAS"));
                }
                for name in names {
                    resource.extend(["/", name]);
                }
            }
            _ => return Err(refuse("sr is mandatory: b, bs, bv, c or d")),
        }
        Ok(resource)
    }
}
