//! The tenant that the service names when it refuses a bearer token: its challenge.
//!
//! From [Authorize with Microsoft Entra
//! ID](https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory):
//! a 401 with `WWW-Authenticate: Bearer
//! authorization_uri=https://login.microsoftonline.com/<tenant>/oauth2/authorize
//! resource_id=https://storage.azure.com`.

use http::{HeaderMap, header::WWW_AUTHENTICATE};
use url::Url;

use crate::models::opaque::guid;

/// The login hosts of Entra ID: the public cloud, US government and China.
const LOGINS: [&str; 6] = [
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoftonline.us",
    "login-us.microsoftonline.com",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
];

/// The tenant that the challenge names for `scope`; `None` if it is not a challenge of the service,
/// or is for another resource.
///
/// Nothing else in the challenge is used, so no endpoint can choose where the client logs in, or
/// for what.
pub(super) fn tenant(headers: &HeaderMap, scope: &str) -> Option<String> {
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter();
    let resource = scope.trim_end_matches(".default").trim_end_matches('/');
    challenges.filter_map(|value| value.to_str().ok()).find_map(|text| named(text, resource))
}

fn named(challenge: &str, resource: &str) -> Option<String> {
    let (scheme, parameters) = challenge.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let parameter = |wanted: &str| {
        let mut pairs =
            parameters.split([' ', ',']).filter_map(|parameter| parameter.split_once('='));
        pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value.trim_matches('"'))
    };
    if parameter("resource_id").is_some_and(|id| id.trim_end_matches('/') != resource) {
        return None;
    }
    let login = Url::parse(parameter("authorization_uri")?).ok()?;
    let trusted = login.scheme() == "https"
        && login.port().is_none()
        && login.username().is_empty()
        && login.host_str().is_some_and(|host| LOGINS.contains(&host));
    let tenant = login.path_segments()?.next()?;
    (trusted && (guid(tenant).is_ok() || is_domain(tenant))).then(|| tenant.to_owned())
}

/// Whether it is a domain name such as `contoso.onmicrosoft.com`. `common` and the like are not
/// tenants.
fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    fn of(challenge: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, "Basic realm=\"x\"".parse().expect("a value"));
        headers.append(WWW_AUTHENTICATE, challenge.parse().expect("a value"));
        tenant(&headers, "https://storage.azure.com/.default")
    }

    #[test]
    fn the_tenant_is_read_from_the_services_challenge() {
        let uri = format!("https://login.microsoftonline.com/{TENANT}/oauth2/authorize");
        for challenge in [
            format!("Bearer authorization_uri={uri} resource_id=https://storage.azure.com"),
            format!(
                "bearer authorization_uri=\"{uri}\", resource_id=\"https://storage.azure.com/\""
            ),
            format!("Bearer  resource_id=https://storage.azure.com authorization_uri={uri}"),
            format!("Bearer authorization_uri={uri}"),
        ] {
            assert_eq!(of(&challenge).as_deref(), Some(TENANT), "{challenge}");
        }
        let domain = "Bearer authorization_uri=https://login.microsoftonline.us/a-b.example.com/x";
        assert_eq!(of(domain).as_deref(), Some("a-b.example.com"));
    }

    #[test]
    fn nothing_else_is_followed() {
        let elsewhere = |uri: &str| format!("Bearer authorization_uri={uri}");
        for challenge in [
            "Bearer".to_owned(),
            "Bearer resource_id=https://storage.azure.com".to_owned(),
            format!("Basic authorization_uri=https://login.microsoftonline.com/{TENANT}"),
            format!(
                "Bearer authorization_uri=https://login.microsoftonline.com/{TENANT} \
                 resource_id=https://graph.microsoft.com"
            ),
            elsewhere("https://login.microsoftonline.com"),
            elsewhere("https://login.microsoftonline.com/common/oauth2/authorize"),
            elsewhere("https://login.microsoftonline.com/a..b/oauth2/authorize"),
            elsewhere("https://login.microsoftonline.com/-a.b/oauth2/authorize"),
            elsewhere("https://login.microsoftonline.com/a%2Fb.c/oauth2/authorize"),
            elsewhere(&format!("http://login.microsoftonline.com/{TENANT}")),
            elsewhere(&format!("https://login.microsoftonline.com:8443/{TENANT}")),
            elsewhere(&format!("https://login.microsoftonline.com.example.com/{TENANT}")),
            elsewhere(&format!("https://login.microsoftonline.com@example.com/{TENANT}")),
            elsewhere(&format!("https://example.com/{TENANT}")),
            elsewhere(&format!("not a URL {TENANT}")),
        ] {
            assert_eq!(of(&challenge), None, "{challenge}");
        }
    }
}
