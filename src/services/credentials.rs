//! Client secrets: sealed once, bound to where they may be sent, replaced, and forgotten.
//!
//! The form and the API come in here by two doors. A secret in use stays until another has got a token: the new one
//! waits in the slot for replacements. Another kind of secret is a [`Slot`], and what it is checked for in `checked`.

use super::{
    Result, ServiceError, Services,
    access::{Admin, Client},
    connector::{Intent, Submission, saved_content, situation},
    connector_view as view, retrying,
    sealing::client_secret,
};
use crate::{
    domain::{
        form::FormContent,
        ids::ConnectionKey,
        time::Timestamp,
        tokens::{CredentialField, CredentialProblem, ProblemCode, TypedSecret},
        views::{ConnectorView, Outcome},
    },
    effects::new_id,
    oauth::{
        authentication,
        configuration::{Destination, Plan, plan},
    },
    storage::{
        StorageError, Writer, attempts,
        client_secrets::{self, ClientSecret, Slot},
        details,
        timeline::{self, Event, Kind},
        tokens,
    },
};
use secrecy::{ExposeSecret, SecretString};

/// Longer than any private key in PEM.
const MAX_SECRET_BYTES: usize = 16 * 1_024;
const BEGUN_AGAIN: &str = "The client secret was reset while this attempt was under way.";

/// Which secret a form sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretField {
    ClientSecret,
    Password,
}

impl SecretField {
    fn field(self) -> CredentialField {
        match self {
            Self::ClientSecret => CredentialField::Secret,
            Self::Password => CredentialField::Password,
        }
    }
}

/// What the API answers about a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretStatus {
    pub is_encrypted: bool,
    pub by: Option<String>,
    pub at: Option<Timestamp>,
}

impl Services {
    /// Saves the form, then seals the secret that came with it; where the form cannot be saved, neither is done.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn encrypt_from_form(
        &self,
        admin: &Admin,
        key: &ConnectionKey,
        submission: Submission,
        field: SecretField,
        secret: TypedSecret,
    ) -> Result<ConnectorView> {
        let saved = self.submit(admin, key, Submission { intent: Intent::Save, ..submission }).await?;
        if saved.outcome != Outcome::Saved {
            return Ok(saved);
        }
        let secret = SecretString::from(secret.into_inner().trim().to_owned());
        let done = retrying(|| self.encrypt_once(admin, key, field, &secret)).await;
        match done {
            Ok(()) => self.connector_after(admin, key, Outcome::Saved, None).await,
            Err(ServiceError::Secret(code)) => {
                let message = code.message().to_owned();
                let problem = CredentialProblem { field: field.field(), code, message };
                self.connector_after(admin, key, Outcome::Saved, Some(problem)).await
            }
            Err(ServiceError::BadInput { message, .. }) => {
                let problem = CredentialProblem {
                    field: field.field(),
                    code: ProblemCode::Obstacle,
                    message: format!("{message}."),
                };
                self.connector_after(admin, key, Outcome::Saved, Some(problem)).await
            }
            Err(other) => Err(gone(other)),
        }
    }

    async fn encrypt_once(
        &self,
        admin: &Admin,
        key: &ConnectionKey,
        field: SecretField,
        secret: &SecretString,
    ) -> Result<()> {
        let now = self.clock.now();
        let mut writer = self.database.writer().await?;
        let situation = situation(writer.connection(), admin, key).await?;
        let mut keys = vec![key.clone()];
        if situation.start.every_environment {
            let others = details::in_other_environments(writer.connection(), key).await?;
            keys.extend(
                others
                    .into_iter()
                    .map(|other| ConnectionKey { environment: other.environment_id, ..key.clone() }),
            );
        }
        let plan = self.plan(&situation.start)?;
        for key in &keys {
            let account = &situation.space.account_id;
            let who = Who { account, label: &admin.email };
            self.put_secret(&mut writer, who, key, field, &plan, secret, now).await?;
        }
        Ok(writer.commit().await?)
    }

    /// Seals a client secret for a connection whose details are saved.
    ///
    /// # Errors
    /// `BadInput` with the field's name; `Conflict` where no details are saved.
    pub async fn encrypt_for_client(
        &self,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
        secret: &SecretString,
    ) -> Result<SecretStatus> {
        retrying(|| self.encrypt_for_client_once(client, header, key, secret)).await
    }

    async fn encrypt_for_client_once(
        &self,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
        secret: &SecretString,
    ) -> Result<SecretStatus> {
        let now = self.clock.now();
        let mut writer = self.database.writer().await?;
        let (account, content) = self.client_connection(&mut writer, client, header, key).await?;
        let plan = self.plan(&content)?;
        let label = client.label();
        let who = Who { account: &account, label: &label };
        self.put_secret(&mut writer, who, key, SecretField::ClientSecret, &plan, secret, now).await?;
        writer.commit().await?;
        Ok(SecretStatus { is_encrypted: true, by: Some(label), at: Some(now) })
    }

    /// Forgets a connection's secrets and its token, which is revoked.
    ///
    /// # Errors
    /// As [`Services::encrypt_for_client`].
    pub async fn reset_for_client(
        &self,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
    ) -> Result<SecretStatus> {
        let mut writer = self.database.writer().await?;
        let (account, _) = self.client_connection(&mut writer, client, header, key).await?;
        self.forget_credentials(writer, &account, &client.label(), key).await?;
        Ok(SecretStatus { is_encrypted: false, by: None, at: None })
    }

    /// Forgets a connection's secrets and its token, which is revoked. Where there is a token, only if `confirmed`.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn reset_from_form(
        &self,
        admin: &Admin,
        key: &ConnectionKey,
        submission: Submission,
        confirmed: bool,
    ) -> Result<ConnectorView> {
        let kept = self.submit(admin, key, Submission { intent: Intent::Keep, ..submission }).await?;
        if kept.credentials.token.is_some() && !confirmed {
            return Ok(ConnectorView { outcome: Outcome::ResetToConfirm, ..kept });
        }
        let mut writer = self.database.writer().await?;
        let situation = situation(writer.connection(), admin, key).await?;
        self.forget_credentials(writer, &situation.space.account_id, &admin.email, key).await?;
        self.connector_after(admin, key, Outcome::Kept, None).await
    }

    async fn forget_credentials(
        &self,
        mut writer: Writer,
        account: &str,
        label: &str,
        key: &ConnectionKey,
    ) -> Result<()> {
        let now = self.clock.now();
        // Opened before the secret that it takes is gone. What does not open must not stand in the way of a reset.
        let revocation = self.revocation(writer.connection(), key).await;
        client_secrets::remove_all(writer.connection(), key).await?;
        tokens::remove(writer.connection(), key).await?;
        attempts::abandon(writer.connection(), key, BEGUN_AGAIN).await?;
        let event = Event { account, key, kind: Kind::SecretReset, actor: label, changed: &[], detail: None };
        timeline::add(writer.connection(), new_id(now), event, now).await?;
        writer.commit().await?;
        self.revoke_in_background(revocation, account, label, key);
        Ok(())
    }

    /// The form's plan, or what is wrong with it, as an error of the field that the button was about.
    pub(super) fn plan(&self, content: &FormContent) -> Result<Plan> {
        plan(content, self.oauth.allowed)
            .map_err(|error| ServiceError::bad_input("oauthConnectorDetails", error.to_string()))
    }

    async fn client_connection(
        &self,
        writer: &mut Writer,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
    ) -> Result<(String, FormContent)> {
        let space = self.client_key(writer.connection(), client, header, key).await?;
        let content = saved_content(writer.connection(), key).await?;
        let content = content.ok_or_else(|| {
            ServiceError::Conflict("Nothing is saved for this connection yet: save its details first.".into())
        })?;
        Ok((space.account_id, content))
    }

    #[expect(clippy::too_many_arguments, reason = "each is another thing, and both doors have them all")]
    async fn put_secret(
        &self,
        writer: &mut Writer,
        who: Who<'_>,
        key: &ConnectionKey,
        field: SecretField,
        plan: &Plan,
        secret: &SecretString,
        now: Timestamp,
    ) -> Result<()> {
        checked(secret, field == SecretField::ClientSecret && plan.has_private_key(), now)?;
        let there = client_secrets::of_connection(writer.connection(), key).await?;
        let has_current = there.iter().any(|secret| secret.slot == Slot::Current.name());
        let (slot, kind) = match field {
            SecretField::Password => (Slot::Password, Kind::SecretEncrypted),
            SecretField::ClientSecret if has_current => (Slot::Replacement, Kind::SecretReplaced),
            SecretField::ClientSecret => (Slot::Current, Kind::SecretEncrypted),
        };
        let id = new_id(now);
        let data_key = self.safe.current_key(writer.connection(), &key.space, now).await?;
        let row = ClientSecret {
            id,
            slot: slot.name().to_owned(),
            sealed: super::keys::seal(&data_key, client_secret(&id), secret),
            data_key_version: data_key.version().into(),
            destination: write_destination(plan.destination())?,
            sealed_by: who.label.to_owned(),
            sealed_at: now.0,
        };
        client_secrets::put(writer.connection(), key, slot, &row).await?;
        let detail = match slot {
            Slot::Current => "the client secret",
            Slot::Replacement => "a replacement, which takes the secret’s place with the next token",
            Slot::Password => "the user’s password",
        };
        let event =
            Event { account: who.account, key, kind, actor: who.label, changed: &[], detail: Some(detail) };
        timeline::add(writer.connection(), new_id(now), event, now).await?;
        Ok(())
    }

    /// The form as it stands after something was done about its secrets or its token.
    pub(super) async fn connector_after(
        &self,
        admin: &Admin,
        key: &ConnectionKey,
        outcome: Outcome,
        problem: Option<CredentialProblem>,
    ) -> Result<ConnectorView> {
        let mut reader = self.database.reader().await?;
        let situation = situation(reader.connection(), admin, key).await?;
        let mut view = view::view(self, reader.connection(), situation, outcome).await?;
        view.credentials.problem = problem;
        Ok(view)
    }
}

/// Who acts, for the timeline.
#[derive(Clone, Copy)]
struct Who<'a> {
    account: &'a str,
    label: &'a str,
}

/// What was there is not there any more: uninstalled meanwhile.
pub(super) fn gone(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Storage(StorageError::Reference) => ServiceError::NotFound,
        other => other,
    }
}

fn checked(secret: &SecretString, is_private_key: bool, now: Timestamp) -> Result<()> {
    let text = secret.expose_secret();
    let code = if text.trim().is_empty() {
        ProblemCode::Empty
    } else if text.len() > MAX_SECRET_BYTES {
        ProblemCode::TooLong
    } else if is_private_key
        && authentication::sign(secret, "", &authentication::claims("", "", "", now)).is_err()
    {
        ProblemCode::NotPrivateKey
    } else {
        return Ok(());
    };
    Err(ServiceError::Secret(code))
}

pub(super) fn write_destination(destination: &Destination) -> Result<String> {
    serde_json::to_string(destination).map_err(|_| ServiceError::Internal("a destination cannot be written"))
}

pub(super) fn read_destination(secret: &ClientSecret) -> Result<Destination> {
    serde_json::from_str(&secret.destination).map_err(|_| StorageError::Corrupt("destination").into())
}

/// Of several secrets, the one in a slot.
pub(super) fn in_slot(secrets: &[ClientSecret], slot: Slot) -> Option<&ClientSecret> {
    secrets.iter().find(|secret| secret.slot == slot.name())
}

/// The secret that may be sent to this destination; a replacement comes before what it is to replace.
pub(super) fn bound<'a>(
    secrets: &'a [ClientSecret],
    destination: &Destination,
) -> Result<Option<&'a ClientSecret>> {
    for slot in [Slot::Replacement, Slot::Current] {
        if let Some(secret) = in_slot(secrets, slot)
            && read_destination(secret)? == *destination
        {
            return Ok(Some(secret));
        }
    }
    Ok(None)
}
