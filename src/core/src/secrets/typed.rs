//! Secrets that were typed into the form: sealed by every button that saves it, and never lost without a word.
//!
//! A button that saves goes through [`Services::save_and_seal`]; whatever else came with a secret gets told by
//! [`tell_unsealed`] that nothing was done with it. Another input for a secret is a [`SecretField`].

use crate::{
    Result, ServiceError, Services, access::Admin, connector::submission::Submission,
    secrets::credentials::gone,
};
use ipack_domain::{
    ids::ConnectionKey,
    tokens::{CredentialField, CredentialProblem, ProblemCode, SecretField, TypedSecrets},
    views::{ConnectorView, Outcome},
};
use ipack_oauth::{
    advice::sentence,
    configuration::{RequestedConfiguration, requested_configuration},
};
use secrecy::SecretString;

impl Services {
    /// Saves the form, then seals what was typed into its inputs for secrets; where the form cannot be saved, neither is
    /// done. What is wrong with a secret stands in the view's problems; with the one that is `asked` for, also that it
    /// is blank.
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
    ) -> Result<ConnectorView> {
        let saved = self.submit(admin, key, submission).await?;
        let is_typed = |field: &SecretField| asked == Some(*field) || !secrets.of(*field).is_empty();
        let fields: Vec<_> = SecretField::ALL.into_iter().filter(is_typed).collect();
        if saved.outcome != Outcome::Saved || fields.is_empty() {
            return Ok(saved);
        }
        // What the admin saw when pressing the button: a secret goes nowhere else (security: S09).
        let seen = requested_configuration(&saved.content, self.oauth.allowed).ok();
        let seen = seen.as_ref().map(RequestedConfiguration::destination);
        let mut problems = Vec::new();
        for field in fields {
            let secret = SecretString::from(secrets.of(field).clone().into_inner().trim().to_owned());
            let field_of_problem = CredentialField::Secret(field);
            let sealed =
                self.database.write(|db| self.encrypt_once(db, admin, key, field, seen, &secret)).await;
            match sealed {
                Ok(()) => {}
                Err(ServiceError::Secret(code)) => {
                    problems.push(CredentialProblem::new(field_of_problem, code));
                }
                Err(ServiceError::BadInput { message, .. } | ServiceError::Conflict(message)) => {
                    problems.push(CredentialProblem::obstacle(field_of_problem, &sentence(&message)));
                }
                Err(other) => return Err(gone(other)),
            }
        }
        self.connector_after(admin, key, Outcome::Saved, problems).await
    }
}

/// Says of what was typed that it was not sealed, where the button did not come to that. The form of a plain post comes
/// back with nothing in these inputs. What is discarded is meant to be gone.
pub fn tell_unsealed(view: &mut ConnectorView, secrets: &TypedSecrets) {
    if !matches!(view.outcome, Outcome::Saved | Outcome::Discarded) {
        let problem = |field| CredentialProblem::new(CredentialField::Secret(field), ProblemCode::NotSaved);
        view.credentials.problems.extend(secrets.fields().map(problem));
    }
}
