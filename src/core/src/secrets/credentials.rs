//! Client secrets: sealed once, bound to where they may be sent, replaced, and forgotten.
//!
//! The form and the API come in here by two doors. A secret in use stays until another has got a token: the new one
//! waits in the slot for replacements. Another kind of secret is a [`Slot`], and what it is checked for in `checked`.

use crate::{
    Result, ServiceError, Services,
    access::{Admin, Client},
    connector::{
        content::saved_content,
        submission::{Intent, Submission, load_record},
        view,
    },
    secrets::sealing::client_secret,
    tokens::{authorization::admin_connection, revocation::PendingRevocation},
};
use ipack_domain::{
    effects::new_id,
    form::FormContent,
    ids::ConnectionKey,
    time::Timestamp,
    tokens::{CredentialProblem, ProblemCode, SecretField},
    views::{ConnectorView, Outcome},
};
use ipack_oauth::{authentication, configuration::RequestedConfiguration, endpoints::Destination};
use ipack_storage::{
    Connection, StorageError, Writer, attempts,
    audit_log::{self, Event, Kind},
    client_secrets::{self, ClientSecret, Slot},
    columns::JsonText,
    details, instances, tokens,
};
use secrecy::{ExposeSecret, SecretString};

/// Longer than any private key in PEM.
const MAX_SECRET_BYTES: usize = 16 * 1_024;

/// What the API answers about a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretStatus {
    pub is_encrypted: bool,
    pub by: Option<String>,
    pub at: Option<Timestamp>,
}

impl Services {
    pub(crate) async fn encrypt_once(
        &self,
        mut db: Writer,
        admin: &Admin,
        key: &ConnectionKey,
        field: SecretField,
        seen: Option<&Destination>,
        secret: &SecretString,
    ) -> Result<()> {
        let now = self.clock.now();
        instances::lock_connection(db.lend(), key).await?;
        let record = load_record(db.lend(), admin, key).await?;
        let mut keys = vec![key.clone()];
        if record.start.every_environment {
            let others = details::in_other_environments(db.lend(), key).await?;
            keys.extend(
                others
                    .into_iter()
                    .map(|other| ConnectionKey { environment: other.environment_id, ..key.clone() }),
            );
        }
        let plan = self.requested_configuration(&record.start)?;
        if seen.is_some_and(|seen| seen != plan.destination()) {
            return Err(ServiceError::Conflict(
                "Somebody saved another destination at this moment. Look at the form, and enter the secret again".into(),
            ));
        }
        for key in &keys {
            let account = &record.space.account_id;
            let who = Who { account, label: &admin.email };
            self.put_secret(db.lend(), who, key, field, &plan, secret, now).await?;
        }
        Ok(())
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
        self.database.write(|db| self.encrypt_for_client_once(db, client, header, key, secret)).await
    }

    async fn encrypt_for_client_once(
        &self,
        mut db: Writer,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
        secret: &SecretString,
    ) -> Result<SecretStatus> {
        let now = self.clock.now();
        instances::lock_connection(db.lend(), key).await?;
        let (account, content) = self.client_connection(db.lend(), client, header, key).await?;
        let plan = self.requested_configuration(&content)?;
        let label = client.label();
        let who = Who { account: &account, label: &label };
        self.put_secret(db.lend(), who, key, SecretField::ClientSecret, &plan, secret, now).await?;
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
        let label = client.label();
        let (account, pending_revocation) = self
            .database
            .write(async |mut db| {
                let (account, _) = self.client_connection(db.lend(), client, header, key).await?;
                let pending_revocation = self.forget_credentials(db.lend(), &account, &label, key).await?;
                Ok::<_, ServiceError>((account, pending_revocation))
            })
            .await?;
        self.revoke_and_log(pending_revocation, &account, &label, key).await?;
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
        let (account, pending_revocation) = self
            .database
            .write(async |mut db| {
                let account = admin_connection(db.lend(), admin, key).await?.account_id;
                let pending_revocation =
                    self.forget_credentials(db.lend(), &account, &admin.email, key).await?;
                Ok::<_, ServiceError>((account, pending_revocation))
            })
            .await?;
        self.revoke_and_log(pending_revocation, &account, &admin.email, key).await?;
        self.connector_after(admin, key, Outcome::Forgotten, None).await
    }

    /// Forgets everything that a connection has of secrets, tokens and attempts; what is left to do at the provider.
    async fn forget_credentials(
        &self,
        mut db: Connection<'_>,
        account: &str,
        label: &str,
        key: &ConnectionKey,
    ) -> Result<PendingRevocation> {
        let now = self.clock.now();
        instances::lock_connection(db.lend(), key).await?;
        // Opened before the secret that it takes is gone.
        let pending_revocation = self.pending_revocation(db.lend(), key).await?;
        client_secrets::remove_all(db.lend(), key).await?;
        tokens::remove(db.lend(), key).await?;
        attempts::remove(db.lend(), key).await?;
        let event = Event { account, key, kind: Kind::SecretReset, actor: label, changed: &[], detail: None };
        audit_log::add(db.lend(), new_id(now), event, now).await?;
        Ok(pending_revocation)
    }

    /// Forgets a replacement that has not got a token yet; the secret in use stays.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn discard_replacement(
        &self,
        admin: &Admin,
        key: &ConnectionKey,
        submission: Submission,
    ) -> Result<ConnectorView> {
        self.submit(admin, key, Submission { intent: Intent::Keep, ..submission }).await?;
        self.database
            .write(async |mut db| {
                let now = self.clock.now();
                instances::lock_connection(db.lend(), key).await?;
                let account = admin_connection(db.lend(), admin, key).await?.account_id;
                if client_secrets::remove(db.lend(), key, Slot::Replacement).await? {
                    let event = Event {
                        account: &account,
                        key,
                        kind: Kind::SecretReset,
                        actor: &admin.email,
                        changed: &[],
                        detail: Some("the replacement; the one in use stays"),
                    };
                    audit_log::add(db.lend(), new_id(now), event, now).await?;
                }
                Ok::<_, ServiceError>(())
            })
            .await?;
        self.connector_after(admin, key, Outcome::Kept, None).await
    }

    async fn client_connection(
        &self,
        mut db: Connection<'_>,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
    ) -> Result<(String, FormContent)> {
        let space = self.client_key(db.lend(), client, header, key).await?;
        let content = saved_content(db.lend(), key).await?;
        let content = content.ok_or_else(|| {
            ServiceError::Conflict("Nothing is saved for this connection yet: save its details first.".into())
        })?;
        Ok((space.account_id, content))
    }

    async fn put_secret(
        &self,
        mut db: Connection<'_>,
        who: Who<'_>,
        key: &ConnectionKey,
        field: SecretField,
        plan: &RequestedConfiguration,
        secret: &SecretString,
        now: Timestamp,
    ) -> Result<()> {
        checked(secret, field == SecretField::ClientSecret && plan.has_private_key(), now)?;
        let there = client_secrets::of_connection(db.lend(), key).await?;
        // One that a token is renewed with, or that fits, stays until another has got a token.
        let stays = match in_slot(&there, Slot::Current) {
            Some(current) => {
                read_destination(&current.destination)? == *plan.destination()
                    || tokens::exists(db.lend(), key).await?
            }
            None => false,
        };
        let (slot, kind) = match field {
            SecretField::Password => (Slot::Password, Kind::SecretEncrypted),
            SecretField::ClientSecret if stays => (Slot::Replacement, Kind::SecretReplaced),
            SecretField::ClientSecret => (Slot::Current, Kind::SecretEncrypted),
        };
        let id = new_id(now);
        let data_key = self.data_keys.current_key(db.lend(), &key.space, now).await?;
        let row = ClientSecret {
            id,
            slot,
            sealed: crate::keys::rotation::seal(&data_key, client_secret(&id), secret),
            data_key_version: data_key.version().into(),
            destination: write_destination(plan.destination())?,
            sealed_by: who.label.to_owned(),
            sealed_at: now,
        };
        client_secrets::put(db.lend(), key, slot, &row).await?;
        let detail = match slot {
            Slot::Current => "the client secret",
            Slot::Replacement => "a replacement, which takes the secret’s place with the next token",
            Slot::Password => "the user’s password",
        };
        let event =
            Event { account: who.account, key, kind, actor: who.label, changed: &[], detail: Some(detail) };
        audit_log::add(db.lend(), new_id(now), event, now).await?;
        Ok(())
    }

    /// The form as it stands after something was done about its secrets or its token.
    pub(crate) async fn connector_after(
        &self,
        admin: &Admin,
        key: &ConnectionKey,
        outcome: Outcome,
        problems: impl IntoIterator<Item = CredentialProblem>,
    ) -> Result<ConnectorView> {
        let mut reader = self.database.reader().await?;
        let record = load_record(reader.connection(), admin, key).await?;
        let mut view = view::view(self, reader.connection(), record, outcome).await?;
        view.credentials.problems = problems.into_iter().collect();
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
pub(crate) fn gone(error: ServiceError) -> ServiceError {
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

pub(crate) fn write_destination(destination: &Destination) -> Result<JsonText> {
    JsonText::of(destination).map_err(|_| ServiceError::Internal("a destination cannot be written"))
}

pub(crate) fn read_destination(destination: &JsonText) -> Result<Destination> {
    Ok(destination.read("destination")?)
}

/// Of several secrets, the one in a slot.
pub(crate) fn in_slot(secrets: &[ClientSecret], slot: Slot) -> Option<&ClientSecret> {
    secrets.iter().find(|secret| secret.slot == slot)
}

/// The secret that may be sent to this destination; a replacement comes before what it is to replace.
pub(crate) fn bound<'a>(
    secrets: &'a [ClientSecret],
    destination: &Destination,
) -> Result<Option<&'a ClientSecret>> {
    for slot in [Slot::Replacement, Slot::Current] {
        if let Some(secret) = in_slot(secrets, slot)
            && read_destination(&secret.destination)? == *destination
        {
            return Ok(Some(secret));
        }
    }
    Ok(None)
}
