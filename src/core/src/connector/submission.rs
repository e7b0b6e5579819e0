//! A post of the form, and what came of it.

use crate::connector::record::ConnectorRecord;
use ipack_domain::{
    button::Button,
    form::FormContent,
    post::{Base, Choices, Outcome},
    tokens::{CredentialField, CredentialProblem, ProblemCode, TypedSecrets},
};

/// A post of the form.
#[derive(Debug, Clone)]
pub struct Submission {
    pub button: Button,
    pub choices: Choices,
    /// What the page started from.
    pub base: Base,
    pub content: FormContent,
}

/// What became of a post: the form as it stands after it.
#[derive(Debug, Clone)]
pub struct Submitted {
    pub record: ConnectorRecord,
    pub outcome: Outcome,
    /// What was wrong with what the post wanted with secrets and the token.
    pub problems: Vec<CredentialProblem>,
}

impl Submitted {
    pub(crate) fn new(record: ConnectorRecord, outcome: Outcome) -> Self {
        Self { record, outcome, problems: Vec::new() }
    }

    /// Says of what was typed that it was not sealed, where the button did not come to that. The form of a plain post
    /// comes back with nothing in these inputs. What is discarded is meant to be gone.
    pub fn tell_unsealed(&mut self, secrets: &TypedSecrets) {
        if !matches!(self.outcome, Outcome::Saved | Outcome::Discarded) {
            let problem =
                |field| CredentialProblem::new(CredentialField::Secret(field), ProblemCode::NotSaved);
            self.problems.extend(secrets.fields().map(problem));
        }
    }
}
