//! Requests of the form, and what their answers change.
//!
//! One request is under way at a time; what is typed meanwhile goes with the next. An answer changes only what was not
//! typed in since it was asked for.

use crate::error::RequestError;
use crate::form::{
    browser::{focus_if_lost, focus_soon},
    memory::FormSnapshot,
    pending_request::PendingRequest,
    save_status::SaveStatus,
    state::{FormState, same_content, same_field},
};
use crate::functions::connector::submit_connector;
use crate::views::ConnectorView;
use ipack_domain::{
    button::Button,
    error::ErrorCode,
    fields::Field,
    form::FormContent,
    post::Outcome,
    tokens::{CredentialField, SecretField, TypedSecret, TypedSecrets},
};
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

/// From a failed request to the next.
const RETRY_AFTER: Duration = Duration::from_secs(3);

impl FormState {
    /// Sends the form, now or after the request that is under way. A button pressed outranks mere keeping.
    pub(super) fn send(self, asked: PendingRequest) {
        if self.is_sending.get_value() {
            // One after the other; merely keeping goes along with whatever is asked for anyway.
            self.queued.update_value(|queued| {
                if queued.is_empty() || asked.button != Button::Keep {
                    queued.retain(|waiting| waiting.button != Button::Keep);
                    queued.push(asked);
                }
            });
            return;
        }
        self.is_sending.set_value(true);
        let snapshot = self.snapshot();
        let asked = self.without_sealed(asked);
        spawn_local(async move {
            self.is_about_the_form.set_value(asked.is_about_the_form());
            let FormSnapshot { base, content } = snapshot.clone();
            let PendingRequest { button, choices, secrets, in_window } = asked.clone();
            let TypedSecrets { client_secret, user_password } = secrets;
            let key = self.key.get_value();
            let answer = submit_connector(
                key,
                button.to_string(),
                base.to_json(),
                content,
                choices,
                client_secret,
                user_password,
                in_window,
            )
            .await;
            self.is_sending.set_value(false);
            match answer {
                Ok(view) => {
                    self.answered(view, &snapshot.content);
                    self.after(&asked);
                }
                Err(error) => self.refused(error, &snapshot, asked),
            }
            let next = self.queued.try_update_value(|queued| {
                let is_waiting = !queued.is_empty();
                is_waiting.then(|| queued.remove(0))
            });
            if let Some(next) = next.flatten() {
                self.send(next);
            }
        });
    }

    /// Without what is not in its input any more: a request before this one sealed it, or another text stands there.
    fn without_sealed(self, mut asked: PendingRequest) -> PendingRequest {
        let now = self.typed_secrets();
        for field in SecretField::ALL {
            if asked.secrets.of(field) != now.of(field) {
                asked.secrets.set(field, TypedSecret::default());
            }
        }
        asked
    }

    /// Empties the inputs whose secrets are sealed now.
    pub(super) fn forget_sealed(self, sent: &TypedSecrets) {
        let unsealed = self.view.with_untracked(|view| match view.outcome {
            Outcome::Saved => view.credentials.problems.iter().map(|problem| problem.field).collect(),
            _ => SecretField::ALL.map(CredentialField::Secret).to_vec(),
        });
        for field in sent.fields().filter(|field| !unsealed.contains(&CredentialField::Secret(*field))) {
            let typed = self.secret(field);
            // What was typed since is another secret.
            if TypedSecret::new(typed.get_untracked()) == *sent.of(field) {
                typed.set(String::new());
                focus_if_lost("credentials");
            }
        }
    }

    pub(super) fn snapshot(self) -> FormSnapshot {
        let base = self.view.with_untracked(|view| view.base.clone());
        FormSnapshot { base, content: self.untracked_content() }
    }

    pub(super) fn answered(self, view: ConnectorView, sent: &FormContent) {
        let now = self.untracked_content();
        for field in Field::all() {
            let is_untouched = same_field(&now, sent, field);
            if is_untouched && !same_field(&now, &view.base.content, field) {
                self.inputs.set(field, &view.base.content);
            }
        }
        let typed_since = !same_content(&now, sent);
        self.keep.set(match view.outcome {
            Outcome::Refused => SaveStatus::Refused,
            Outcome::Conflicting => SaveStatus::Conflicting,
            Outcome::ChangedElsewhere => SaveStatus::ChangedElsewhere,
            Outcome::Saved => SaveStatus::Saved,
            Outcome::Discarded => SaveStatus::Discarded,
            _ if view.draft.is_some() => SaveStatus::Kept,
            _ if view.saved.is_some() => SaveStatus::Saved,
            _ => SaveStatus::Nothing,
        });
        match view.outcome {
            Outcome::Refused => self.attempted.set(true),
            Outcome::Saved | Outcome::Discarded => self.attempted.set(false),
            _ => {}
        }
        // A secret that is not sealed is all that could be lost.
        let problem = view.credentials.problems.iter().find(|one| one.field != CredentialField::Token);
        let place = match view.outcome {
            _ if problem.is_some() => problem.map(|problem| problem.field.place()),
            Outcome::Refused => Some("errors"),
            Outcome::Conflicting => Some("conflict"),
            Outcome::ChangedElsewhere => Some("every_environment"),
            Outcome::ResetToConfirm => Some("confirm-reset"),
            Outcome::RevokeToConfirm => Some("confirm-revoke"),
            _ => None,
        };
        if let Some(place) = place {
            focus_soon(place.to_owned());
        }
        let version = |view: &ConnectorView| view.conflict.as_ref().map(|conflict| conflict.version);
        if self.view.with_untracked(version) != version(&view) {
            // Chosen about another version.
            self.chosen.set(Vec::new());
        }
        // What a click announced stays until the server has answered that click.
        if !self.is_announced() {
            self.attempt.set(view.credentials.attempt.clone());
        }
        self.view.set(view);
        self.forget_stash();
        if self.is_about_the_form.get_value() {
            focus_if_lost("keep-status");
        }
        if typed_since {
            self.typed();
        }
    }

    fn refused(self, RequestError(error): RequestError, snapshot: &FormSnapshot, asked: PendingRequest) {
        self.stash(snapshot);
        if error.code == ErrorCode::Unauthorized {
            self.give_up_attempt();
            self.keep.set(SaveStatus::SessionEnded);
            return;
        }
        self.give_up_attempt();
        // What was typed is kept again by itself; what has an effect beyond the form is done when somebody presses the
        // button, for it may have been done already.
        let is_about_the_form = asked.is_about_the_form();
        let why = match is_about_the_form {
            true => error.message,
            false => {
                format!("{} Look whether it was done, and press the button again if not.", error.message)
            }
        };
        self.keep.set(SaveStatus::Failed(why));
        let asked = match is_about_the_form {
            true => asked,
            false => PendingRequest { button: Button::Keep, secrets: TypedSecrets::default(), ..asked },
        };
        set_timeout(
            move || {
                if matches!(self.keep.get_untracked(), SaveStatus::Failed(_)) {
                    self.send(asked.clone());
                }
            },
            RETRY_AFTER,
        );
    }
}
