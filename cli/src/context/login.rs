//! Tokens from Microsoft Entra ID, by whichever way `--login` names.

use std::{env, fmt, sync::Arc, time::Duration};

use azure_core::credentials::{Secret, TokenCredential};
use azure_identity::{
    AzureCliCredential, ClientSecretCredential, DeveloperToolsCredential,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential,
};
use blobcopy::{AccessToken, Credential, CredentialError, TokenProvider, transport::BoxFuture};
use tokio::sync::OnceCell;

use crate::{
    args::Login,
    exit::Exit,
    failure::{Failure, Result},
};

/// The credential of a login. Nothing is sent before the first request.
pub(super) fn credential(login: Login) -> Result<Credential> {
    let made = match login {
        Login::Cli => AzureCliCredential::new(None).map(|login| login as Arc<dyn TokenCredential>),
        Login::ManagedIdentity => managed_identity().map(|login| login as _),
        Login::Workload => WorkloadIdentityCredential::new(None).map(|login| login as _),
        Login::ClientSecret => {
            let [tenant, client, secret] =
                ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"].map(variable);
            let secret = Secret::new(secret?);
            ClientSecretCredential::new(&tenant?, client?, secret, None).map(|login| login as _)
        }
        Login::Auto => return Ok(Credential::token(Auto::default())),
    };
    let made = made.map_err(|error| {
        let message = blobcopy::CredentialError::new(error.to_string()).to_string();
        let advice = match login {
            Login::Workload => {
                "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE"
            }
            _ => "set the variables that this login needs",
        };
        Failure::new(Exit::Usage, message, advice)
    })?;
    Ok(Credential::from_token_credential(made))
}

/// The identity of this machine; of several that are assigned to it, the one that the variable
/// names.
fn managed_identity() -> azure_core::Result<Arc<ManagedIdentityCredential>> {
    let client = env::var("AZURE_CLIENT_ID").ok().filter(|id| !id.is_empty());
    ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
        user_assigned_id: client.map(UserAssignedId::ClientId),
        ..ManagedIdentityCredentialOptions::default()
    }))
}

fn variable(name: &str) -> Result<String> {
    env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
        Failure::usage(
            format!("--login=client-secret needs {name}"),
            "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
        )
    })
}

/// Workload identity where its variables are set, then managed identity, then developer tools. The
/// first that gives a token is kept.
#[derive(Default)]
struct Auto {
    found: OnceCell<Arc<dyn TokenCredential>>,
}

/// How long a machine may take to say whether it has an identity.
const PROBE: Duration = Duration::from_secs(3);

impl Auto {
    async fn get(&self, scope: &str) -> std::result::Result<AccessToken, CredentialError> {
        if let Some(found) = self.found.get() {
            return token(found, scope).await;
        }
        let mut reasons = Vec::new();
        let workload = ["AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"];
        if workload.iter().all(|name| env::var_os(name).is_some()) {
            match WorkloadIdentityCredential::new(None) {
                Ok(login) => match self.keep(login, scope).await {
                    Ok(token) => return Ok(token),
                    Err(error) => reasons.push(format!("workload identity: {error}")),
                },
                Err(error) => reasons.push(format!("workload identity: {error}")),
            }
        }
        match managed_identity() {
            Ok(login) => match within(PROBE, self.keep(login, scope)).await {
                Some(Ok(token)) => return Ok(token),
                Some(Err(error)) => reasons.push(format!("managed identity: {error}")),
                None => reasons.push("managed identity: this machine has none".to_owned()),
            },
            Err(error) => reasons.push(format!("managed identity: {error}")),
        }
        match DeveloperToolsCredential::new(None) {
            Ok(login) => match self.keep(login, scope).await {
                Ok(token) => return Ok(token),
                Err(error) => reasons.push(format!("developer tools: {error}")),
            },
            Err(error) => reasons.push(format!("developer tools: {error}")),
        }
        Err(CredentialError::new(format!("no login gave a token: {}", reasons.join("; "))))
    }

    async fn keep<T: TokenCredential + 'static>(
        &self,
        login: Arc<T>,
        scope: &str,
    ) -> std::result::Result<AccessToken, CredentialError> {
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

async fn token(
    login: &Arc<dyn TokenCredential>,
    scope: &str,
) -> std::result::Result<AccessToken, CredentialError> {
    let token = login.get_token(&[scope], None).await;
    let token = token.map_err(|error| CredentialError::new(error.to_string()))?;
    Ok(AccessToken::new(token.token.secret(), token.expires_on))
}

impl TokenProvider for Auto {
    fn token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, std::result::Result<AccessToken, CredentialError>> {
        Box::pin(self.get(scope))
    }
}

impl fmt::Debug for Auto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auto")
    }
}
