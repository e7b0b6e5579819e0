//! Requests of the form, and what their answers change.
//!
//! One request is under way at a time; what is typed meanwhile goes with the next. An answer changes only what was not
//! typed in since it was asked for.

use crate::error::RequestError;
use crate::form::view::FormView;
use crate::form::{
    browser::{focus_if_lost, focus_soon},
    memory::FormSnapshot,
    panels::ShownPanels,
    pending_request::{Exchange, PendingRequest},
    save_status::SaveStatus,
    state::{FormState, same_content, same_field},
};
use crate::functions::connector::submit_connector;
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
        let is_queued = self.exchange.try_update_value(|exchange| match exchange {
            // Merely keeping goes along with whatever is asked for anyway.
            Exchange::Sending(queued) => {
                if queued.is_empty() || asked.button != Button::Keep {
                    queued.retain(|waiting| waiting.button != Button::Keep);
                    queued.push(asked.clone());
                }
                true
            }
            Exchange::Idle | Exchange::Scheduled | Exchange::Posting => {
                *exchange = Exchange::Sending(Vec::new());
                false
            }
        });
        if is_queued != Some(false) {
            return;
        }
        let snapshot = self.snapshot();
        let asked = self.without_sealed(asked);
        spawn_local(async move {
            let FormSnapshot { base, content } = snapshot.clone();
            let PendingRequest { button, choices, secrets, in_window } = asked.clone();
            let TypedSecrets { client_secret, user_password } = secrets;
            let key = self.key.get_value();
            let shown = self.panels.with_value(ShownPanels::posted);
            let answer = submit_connector(
                key,
                button.to_string(),
                base.to_json(),
                content,
                choices,
                client_secret,
                user_password,
                in_window,
                shown,
            )
            .await;
            let queued = self.exchange.try_update_value(std::mem::take);
            match answer {
                Ok(view) => {
                    let announced = self.end_announcement(asked.button);
                    self.answered(view, &snapshot.content);
                    if asked.is_about_the_form() {
                        focus_if_lost("keep-status");
                    }
                    self.after(&asked, announced);
                }
                Err(error) => self.refused(error, &snapshot, asked),
            }
            if let Some(Exchange::Sending(queued)) = queued {
                queued.into_iter().for_each(|next| self.send(next));
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
            Outcome::Saved => view.problems.iter().map(|problem| problem.field).collect(),
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

    pub(super) fn answered(self, view: FormView, sent: &FormContent) {
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
            _ if view.has_draft => SaveStatus::Kept,
            _ if view.is_saved => SaveStatus::Saved,
            _ => SaveStatus::Nothing,
        });
        match view.outcome {
            Outcome::Refused => self.attempted.set(true),
            Outcome::Saved | Outcome::Discarded => self.attempted.set(false),
            _ => {}
        }
        // A secret that is not sealed is all that could be lost.
        let problem = view.problems.iter().find(|one| one.field != CredentialField::Token);
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
        self.show_panels(&view);
        self.view.set(view);
        self.forget_stash();
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
