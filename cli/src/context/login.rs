//! Tokens from Microsoft Entra ID, by whichever way `--login` names.

use std::{env, fmt, sync::Arc, time::Duration};

use azure_core::{
    credentials::{Secret, TokenCredential},
    http::{ClientOptions, RetryOptions},
};
use azure_identity::{
    AzureCliCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, DeveloperToolsCredential, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use blobcopy::{AccessToken, Credential, CredentialError, TokenProvider, transport::BoxFuture};
use tokio::sync::OnceCell;

use crate::{
    args::Login,
    exit::Exit,
    failure::{Failure, Result},
};

type Given<T = AccessToken> = std::result::Result<T, CredentialError>;

/// The credential of a login. Nothing is sent before the first request.
pub(super) fn credential(login: Login) -> Result<Credential> {
    let made = match login {
        Login::Cli => AzureCliCredential::new(None).map(|login| login as Arc<dyn TokenCredential>),
        Login::ManagedIdentity => managed_identity().map(|login| login as _),
        Login::Workload => workload().map(|login| login as _),
        Login::ClientSecret => {
            let [tenant, client, secret] =
                ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"].map(variable);
            let secret = Secret::new(secret?);
            let options = ClientSecretCredentialOptions { client_options: once() };
            ClientSecretCredential::new(&tenant?, client?, secret, Some(options))
                .map(|login| login as _)
        }
        Login::Auto => return Ok(Credential::token(Auto::default())),
    };
    let made = made.map_err(|error| {
        let advice = match login {
            Login::Workload => {
                "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE"
            }
            _ => "set the variables that this login needs",
        };
        Failure::new(Exit::Usage, failure(&error).to_string(), advice)
    })?;
    Ok(Credential::token(One(made)))
}

/// The identity of this machine; of several that are assigned to it, the one that the variable
/// names.
fn managed_identity() -> azure_core::Result<Arc<ManagedIdentityCredential>> {
    let client = env::var("AZURE_CLIENT_ID").ok().filter(|id| !id.is_empty());
    ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
        user_assigned_id: client.map(UserAssignedId::ClientId),
        client_options: once(),
    }))
}

fn workload() -> azure_core::Result<Arc<WorkloadIdentityCredential>> {
    WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
        credential_options: ClientAssertionCredentialOptions { client_options: once() },
        ..WorkloadIdentityCredentialOptions::default()
    }))
}

/// One attempt: the library makes more where that helps. By themselves the logins go on for a
/// minute, whatever the reason, and nobody is told which.
fn once() -> ClientOptions {
    ClientOptions { retry: RetryOptions::none(), ..ClientOptions::default() }
}

fn variable(name: &str) -> Result<String> {
    env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
        Failure::usage(
            format!("--login=client-secret needs {name}"),
            "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
        )
    })
}

/// A login of one kind.
struct One(Arc<dyn TokenCredential>);

impl TokenProvider for One {
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Given> {
        Box::pin(in_time(token(&self.0, scope)))
    }
}

impl fmt::Debug for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("One")
    }
}

/// Workload identity where its variables are set, then managed identity, then developer tools. The
/// first that gives a token is kept.
#[derive(Default)]
struct Auto {
    found: OnceCell<Arc<dyn TokenCredential>>,
}

/// How long a machine may take to say whether it has an identity.
const PROBE: Duration = Duration::from_secs(3);

/// How long a login may take, which may be a program of its own: less than the library allows,
/// which would try again.
const LIMIT: Duration = Duration::from_secs(25);

impl Auto {
    async fn get(&self, scope: &str) -> Given {
        if let Some(found) = self.found.get() {
            return token(found, scope).await;
        }
        let mut reasons = Vec::new();
        let needed = ["AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"];
        if needed.iter().all(|name| env::var_os(name).is_some()) {
            match workload() {
                Ok(login) => match self.keep(login, scope).await {
                    Ok(token) => return Ok(token),
                    Err(error) => reasons.push(format!("workload identity: {error}")),
                },
                Err(error) => reasons.push(format!("workload identity: {}", failure(&error))),
            }
        }
        match managed_identity() {
            Ok(login) => match within(PROBE, self.keep(login, scope)).await {
                Some(Ok(token)) => return Ok(token),
                Some(Err(error)) => reasons.push(format!("managed identity: {error}")),
                None => reasons.push("managed identity: this machine has none".to_owned()),
            },
            Err(error) => reasons.push(format!("managed identity: {}", failure(&error))),
        }
        match DeveloperToolsCredential::new(None) {
            Ok(login) => match self.keep(login, scope).await {
                Ok(token) => return Ok(token),
                Err(error) => reasons.push(format!("developer tools: {error}")),
            },
            Err(error) => reasons.push(format!("developer tools: {}", failure(&error))),
        }
        Err(CredentialError::new(format!("no login gave a token: {}", reasons.join("; "))))
    }

    async fn keep<T: TokenCredential + 'static>(&self, login: Arc<T>, scope: &str) -> Given {
        let login: Arc<dyn TokenCredential> = login;
        let token = token(&login, scope).await?;
        let _ = self.found.set(login);
        Ok(token)
    }
}

#[expect(clippy::disallowed_methods, reason = "the time of a login is the computer's")]
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

async fn token(login: &Arc<dyn TokenCredential>, scope: &str) -> Given {
    let token = login.get_token(&[scope], None).await.map_err(|error| failure(&error))?;
    Ok(AccessToken::new(token.token.secret(), token.expires_on))
}

async fn in_time(given: impl Future<Output = Given>) -> Given {
    let slow = || format!("the login gave no token within {} seconds", LIMIT.as_secs());
    within(LIMIT, given).await.unwrap_or_else(|| Err(CredentialError::new(slow())))
}

/// Why there is no token, without what the login has sent.
fn failure(error: &azure_core::Error) -> CredentialError {
    let error = CredentialError::from(error);
    let hide = |message: String, secret: String| message.replace(&secret, "REDACTED");
    let hidden = CredentialError::new(secrets().into_iter().fold(error.to_string(), hide));
    if error.is_transient() { hidden.transient() } else { hidden }
}

/// What a login sends. Its other end may show it again.
fn secrets() -> Vec<String> {
    let variable = |name| env::var(name).ok();
    let assertion = variable("AZURE_FEDERATED_TOKEN_FILE");
    let assertion = assertion.and_then(|file| std::fs::read_to_string(file).ok());
    let all = [variable("AZURE_CLIENT_SECRET"), variable("IDENTITY_HEADER"), assertion];
    let trimmed = all.into_iter().flatten().map(|secret| secret.trim().to_owned());
    trimmed.filter(|secret| !secret.is_empty()).collect()
}

impl TokenProvider for Auto {
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Given> {
        Box::pin(in_time(self.get(scope)))
    }
}

impl fmt::Debug for Auto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auto")
    }
}
