//! Client secrets: sealed once, bound to where they may be sent, replaced, and forgotten.
//!
//! The form and the API come in here by two doors. A secret in use stays until another has got a token: the new one
//! waits in the slot for replacements.

use crate::{
    access::{self, Admin, Client},
    connector::{
        content::saved_content,
        submission::{Submission, Submitted},
    },
    error::{Result, ServiceError},
    secrets::{
        sealing::{client_secret, seal},
        slots::{in_slot, read_destination, write_destination},
    },
    services::Services,
};
use ipack_domain::{
    effects::new_id,
    form::FormContent,
    ids::ConnectionKey,
    post::Outcome,
    rights::Right,
    time::Timestamp,
    tokens::{ProblemCode, SecretField},
    trim::trimmed,
};
use ipack_oauth::{authentication::ClientCredentialsError, configuration::RequestedConfiguration};
use ipack_storage::{
    Connection, Writer, attempts,
    audit_log::{self, Event, Kind},
    client_secrets::{self, ClientSecret, Slot},
    details, instances, tokens,
};
use secrecy::{ExposeSecret, SecretString};

/// Longer than any private key in PEM.
const MAX_SECRET_BYTES: usize = 16 * 1_024;

/// What a button of the form has forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToForget {
    SecretsAndToken,
    /// The secret stays.
    Token,
}

/// What the API answers about a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretStatus {
    pub is_encrypted: bool,
    pub by: Option<String>,
    pub at: Option<Timestamp>,
}

impl Services {
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
        client.must_have(Right::TokensManage)?;
        let label = client.label();
        let secret = &entered(SecretField::ClientSecret, secret.expose_secret());
        loop {
            let (account, content, version) = self.client_connection(client, header, key).await?;
            let plan = self.requested_configuration(&content)?;
            check_secret(secret, SecretField::ClientSecret, &plan, self.clock.now())?;
            let who = Who { account: &account, label: &label };
            let seal = |db| self.encrypt_for_client_once(db, who, key, version, &plan, secret);
            // Saved meanwhile, it is for another look: what is saved now may lead elsewhere.
            if let Some(at) = self.write_to(key, seal).await? {
                return Ok(SecretStatus { is_encrypted: true, by: Some(label), at: Some(at) });
            }
        }
    }

    /// `None`, and nothing is sealed, where another version is saved.
    async fn encrypt_for_client_once(
        &self,
        mut db: Writer,
        who: Who<'_>,
        key: &ConnectionKey,
        version: i64,
        plan: &RequestedConfiguration,
        secret: &SecretString,
    ) -> Result<Option<Timestamp>> {
        let now = self.clock.now();
        instances::lock_connection(db.lend(), key).await?;
        let stored = details::find(db.lend(), key).await?;
        if stored.is_none_or(|stored| stored.version != version) {
            return Ok(None);
        }
        self.put_secret(db.lend(), who, key, SecretField::ClientSecret, plan, secret, now).await?;
        Ok(Some(now))
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
        client.must_have(Right::TokensManage)?;
        let label = client.label();
        let (account, ..) = self.client_connection(client, header, key).await?;
        let who = Who { account: &account, label: &label };
        self.write_to(key, async |mut db: Writer| self.forget_credentials(db.lend(), who, key).await).await?;
        self.revoke_soon();
        Ok(SecretStatus { is_encrypted: false, by: None, at: None })
    }

    /// Forgets what a button of the form is about. Where there is a token, which is revoked, only if `confirmed`.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn forget_from_form(
        &self,
        admin: &Admin,
        key: &ConnectionKey,
        submission: Submission,
        what: ToForget,
        confirmed: bool,
    ) -> Result<Submitted> {
        let kept = self.submit(admin, key, submission).await?;
        if !confirmed && self.has_token(key).await? {
            let outcome = match what {
                ToForget::SecretsAndToken => Outcome::ResetToConfirm,
                ToForget::Token => Outcome::RevokeToConfirm,
            };
            return Ok(Submitted { outcome, ..kept });
        }
        let who = Who { account: &kept.record.space.account_id, label: &admin.email };
        let forget = async |mut db: Writer| match what {
            ToForget::SecretsAndToken => self.forget_credentials(db.lend(), who, key).await,
            ToForget::Token => self.forget_token(db.lend(), who, key).await,
        };
        self.write_to(key, forget).await?;
        self.revoke_soon();
        Ok(Submitted { outcome: Outcome::Forgotten, ..kept })
    }

    /// Forgets everything that a connection has of secrets, tokens and attempts.
    async fn forget_credentials(
        &self,
        mut db: Connection<'_>,
        who: Who<'_>,
        key: &ConnectionKey,
    ) -> Result<()> {
        let now = self.clock.now();
        let Who { account, label } = who;
        self.forget_token(db.lend(), who, key).await?;
        client_secrets::remove_all(db.lend(), key).await?;
        attempts::remove(db.lend(), key).await?;
        let event = Event { account, key, kind: Kind::SecretReset, actor: label, changed: &[], detail: None };
        audit_log::add(db.lend(), new_id(now), event, now).await?;
        Ok(())
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
    ) -> Result<Submitted> {
        let kept = self.submit(admin, key, submission).await?;
        let account = &kept.record.space.account_id;
        let discard = async |mut db: Writer| {
            let now = self.clock.now();
            instances::lock_connection(db.lend(), key).await?;
            if client_secrets::remove(db.lend(), key, Slot::Replacement).await? {
                let detail = Some("the replacement; the one in use stays");
                let actor = &*admin.email;
                let event = Event { account, key, kind: Kind::SecretReset, actor, changed: &[], detail };
                audit_log::add(db.lend(), new_id(now), event, now).await?;
            }
            Ok::<_, ServiceError>(())
        };
        self.write_to(key, discard).await?;
        Ok(Submitted { outcome: Outcome::Kept, ..kept })
    }

    /// The account of a connection whose details are saved, what they say, and their version.
    async fn client_connection(
        &self,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
    ) -> Result<(String, FormContent, i64)> {
        let mut reader = self.database.reader().await?;
        let space = access::client_key(reader.connection(), client, header, key).await?;
        client.must_still_have(reader.connection(), Right::TokensManage, self.clock.now()).await?;
        let saved = saved_content(reader.connection(), key).await?;
        let (content, version) = saved.ok_or_else(|| {
            ServiceError::Conflict("Nothing is saved for this connection yet: save its details first.".into())
        })?;
        Ok((space.account_id, content, version))
    }

    pub(crate) async fn put_secret(
        &self,
        mut db: Connection<'_>,
        who: Who<'_>,
        key: &ConnectionKey,
        field: SecretField,
        plan: &RequestedConfiguration,
        secret: &SecretString,
        now: Timestamp,
    ) -> Result<()> {
        let there = client_secrets::of_connection(db.lend(), key).await?;
        // One that a token is refreshed with, or that fits, stays until another has got a token.
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
            sealed: seal(&data_key, client_secret(&id), secret),
            data_key_version: data_key.version(),
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
}

/// Who acts, for the audit log.
#[derive(Clone, Copy)]
pub(crate) struct Who<'a> {
    pub account: &'a str,
    pub label: &'a str,
}

/// A secret as it was entered: what a paste brings along around a client secret is no part of it, the blanks around a
/// person's password are.
pub(crate) fn entered(field: SecretField, text: &str) -> SecretString {
    match field {
        SecretField::ClientSecret => trimmed(text).to_owned().into(),
        SecretField::Password => text.to_owned().into(),
    }
}

/// Whether this can be a secret of that kind. Asked before the write, since reading a private key takes its time.
pub(crate) fn check_secret(
    secret: &SecretString,
    field: SecretField,
    plan: &RequestedConfiguration,
    now: Timestamp,
) -> Result<()> {
    let is_private_key = field == SecretField::ClientSecret && plan.has_private_key();
    let text = secret.expose_secret();
    let code = if text.trim().is_empty() {
        ProblemCode::Empty
    } else if text.len() > MAX_SECRET_BYTES {
        ProblemCode::TooLong
    } else if !is_private_key {
        return Ok(());
    } else {
        match plan.check_private_key(secret, now) {
            Ok(()) => return Ok(()),
            Err(ClientCredentialsError::NotPrivateKey) => ProblemCode::NotPrivateKey,
            Err(ClientCredentialsError::EncryptedPrivateKey) => ProblemCode::EncryptedPrivateKey,
            Err(ClientCredentialsError::Algorithm(_) | ClientCredentialsError::Certificate) => {
                ProblemCode::WrongPrivateKey
            }
            Err(other @ ClientCredentialsError::NoSecret) => {
                return Err(ServiceError::Conflict(other.to_string()));
            }
        }
    };
    Err(ServiceError::Secret(code))
}
