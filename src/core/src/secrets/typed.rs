//! Secrets that were typed into the form: sealed by every button that saves it, and never lost without a word.
//!
//! A button that saves goes through [`Services::save_and_seal`]; of whatever else came with a secret
//! [`Submitted::tell_unsealed`] tells that nothing was done with it.

use crate::{
    access::Admin,
    connector::{
        content::start,
        record::ConnectorRecord,
        submission::{Submission, Submitted},
    },
    error::{Result, ServiceError},
    secrets::credentials::{Who, check_secret, entered},
    services::Services,
};
use ipack_domain::{
    ids::ConnectionKey,
    post::Outcome,
    tokens::{CredentialField, CredentialProblem, SecretField, TypedSecrets},
};
use ipack_oauth::{
    advice::sentence,
    configuration::{RequestedConfiguration, requested_configuration},
};
use ipack_storage::{Writer, details, instances};
use secrecy::SecretString;

impl Services {
    /// Saves the form, then seals what was typed into its inputs for secrets; where the form cannot be saved, neither is
    /// done. What is wrong with a secret stands in the problems; with the one that is `asked` for, also that it is blank.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn save_and_seal(
        &self,
        admin: &Admin,
        key: &ConnectionKey,
        submission: Submission,
        secrets: &TypedSecrets,
        asked: Option<SecretField>,
    ) -> Result<Submitted> {
        let mut saved = self.submit(admin, key, submission).await?;
        let is_typed = |field: &SecretField| asked == Some(*field) || !secrets.of(*field).is_empty();
        let fields: Vec<_> = SecretField::ALL.into_iter().filter(is_typed).collect();
        if saved.outcome != Outcome::Saved || fields.is_empty() {
            return Ok(saved);
        }
        let plan = requested_configuration(&saved.record.start, self.oauth.allowed);
        for field in fields {
            let secret = entered(field, &secrets.of(field).clone().into_inner());
            let sealed = match &plan {
                Ok(plan) => self.seal_typed(admin, &saved.record, plan, field, &secret).await,
                Err(error) => Err(ServiceError::Conflict(error.to_string())),
            };
            let field = CredentialField::Secret(field);
            match sealed {
                Ok(()) => {}
                Err(ServiceError::Secret(code)) => saved.problems.push(CredentialProblem::new(field, code)),
                Err(ServiceError::BadInput { message, .. } | ServiceError::Conflict(message)) => {
                    saved.problems.push(CredentialProblem::obstacle(field, &sentence(&message)));
                }
                Err(other) => return Err(other.or_not_found()),
            }
        }
        Ok(saved)
    }

    async fn seal_typed(
        &self,
        admin: &Admin,
        saved: &ConnectorRecord,
        plan: &RequestedConfiguration,
        field: SecretField,
        secret: &SecretString,
    ) -> Result<()> {
        check_secret(secret, field, plan, self.clock.now())?;
        self.write_to(&saved.key, |db| self.seal_typed_once(db, admin, saved, plan, field, secret)).await
    }

    async fn seal_typed_once(
        &self,
        mut db: Writer,
        admin: &Admin,
        saved: &ConnectorRecord,
        plan: &RequestedConfiguration,
        field: SecretField,
        secret: &SecretString,
    ) -> Result<()> {
        let now = self.clock.now();
        let key = &saved.key;
        instances::lock_connection(db.lend(), key).await?;
        let stored = details::find(db.lend(), key).await?.ok_or(ServiceError::NotFound)?;
        // The secret goes nowhere else than the admin saw when pressing the button (security: S09).
        if stored.version != saved.version() {
            let content = start(&saved.place, Some(&stored))?;
            if self.requested_configuration(&content)?.destination() != plan.destination() {
                return Err(ServiceError::Conflict(
                    "Somebody saved another destination at this moment. Look at the form, and enter the secret again".into(),
                ));
            }
        }
        let mut keys = vec![key.clone()];
        if saved.start.every_environment {
            let others = details::other_environments(db.lend(), key).await?;
            let others = others.into_iter().map(|other| other.environment_id);
            keys.extend(others.map(|environment| ConnectionKey { environment, ..key.clone() }));
        }
        let who = Who { account: &saved.space.account_id, label: &admin.email };
        for key in &keys {
            self.put_secret(db.lend(), who, key, field, plan, secret, now).await?;
        }
        Ok(())
    }
}
