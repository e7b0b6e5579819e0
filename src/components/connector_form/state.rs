//! What is typed into the form, and how it is kept.
//!
//! Every change marks the form as not saved and, a quarter of a second later, goes to the server's draft. One request
//! is under way at a time; what is typed meanwhile goes with the next. An answer changes only what was not typed in
//! since it was asked for.

use super::{
    browser::{Typed, focus_if_lost, focus_soon, submit_plainly},
    keep::Keep,
    memory::Letter,
    rows::{Rows, input_id},
};
use crate::{
    domain::{
        form::{FormContent, Part, PartValue, Problem, validate},
        ids::ConnectionKey,
        provider::ProviderChoice,
        tokens::{AttemptView, SECRET_FIELDS, TypedSecret},
        views::{ConnectorView, Outcome},
    },
    error::{AppError, ErrorCode},
    functions::connector::{Choices, submit_connector},
};
use leptos::{html, prelude::*, task::spawn_local};
use std::time::Duration;

/// From the first change to the request that keeps it.
const KEEP_AFTER: Duration = Duration::from_millis(250);
/// From a failed request to the next.
const RETRY_AFTER: Duration = Duration::from_secs(3);

/// What a request asks for, with the choices as they stood when the button was pressed.
#[derive(Debug, Clone)]
struct Asked {
    intent: &'static str,
    choices: Choices,
    /// Only with the button that is about them: neither drafts nor this tab keep a secret.
    secrets: Secrets,
    in_window: bool,
}

/// What was typed into the inputs for secrets.
#[derive(Debug, Clone, Default)]
struct Secrets {
    client_secret: TypedSecret,
    user_password: TypedSecret,
}

#[derive(Clone, Copy)]
pub struct FormState {
    /// The server's last answer.
    pub view: RwSignal<ConnectorView>,
    pub base_url: RwSignal<String>,
    pub company_id: RwSignal<String>,
    pub client_id: RwSignal<String>,
    pub authorization: Rows,
    pub access_token: Rows,
    pub provider: RwSignal<ProviderChoice>,
    /// Never part of what is kept.
    pub client_secret: RwSignal<String>,
    pub user_password: RwSignal<String>,
    /// The attempt to get a token, as the page shows it.
    pub attempt: RwSignal<Option<AttemptView>>,
    pub every_environment: RwSignal<bool>,
    pub keep: RwSignal<Keep>,
    /// A save was refused: from then on problems show as they come and go.
    attempted: RwSignal<bool>,
    /// What was chosen in the conflict panel, where it differs from what the panel proposes.
    pub chosen: RwSignal<Vec<(Part, bool)>>,
    pub(super) key: StoredValue<ConnectionKey>,
    pub(super) admin: StoredValue<String>,
    pub(super) form: NodeRef<html::Form>,
    is_sending: StoredValue<bool>,
    is_waiting: StoredValue<bool>,
    queued: StoredValue<Vec<Asked>>,
    /// The request under way keeps or saves the form, and does nothing beyond.
    is_about_the_form: StoredValue<bool>,
    /// The attempt that was there when a token was asked for last: what comes must be another.
    pub(super) attempt_before: StoredValue<Option<String>>,
    /// The id of the attempt that is asked after.
    pub(super) following: StoredValue<Option<String>>,
}

impl FormState {
    pub fn new(view: ConnectorView, admin: String, form: NodeRef<html::Form>) -> Self {
        let typed = Typed::before_waking(&view.key);
        let content = &view.content;
        let text = |id: &str, sent: &str| RwSignal::new(typed.text(id).unwrap_or_else(|| sent.to_owned()));
        let keep = if view.draft.is_some() && !view.problems.is_empty() {
            Keep::Refused
        } else if view.conflict.is_some() {
            Keep::Conflicting
        } else if view.draft.is_some() {
            Keep::Kept
        } else if view.saved.is_some() {
            Keep::Saved
        } else {
            Keep::Nothing
        };
        Self {
            base_url: text("base_url", &content.base_url),
            company_id: text("company_id", &content.company_id),
            client_id: text("client_id", &content.client_id),
            authorization: Rows::new(Part::Authorization, &content.authorization, &typed),
            access_token: Rows::new(Part::AccessToken, &content.access_token, &typed),
            provider: RwSignal::new(typed.provider(&content.provider)),
            client_secret: RwSignal::new(typed.text(SECRET_FIELDS[0]).unwrap_or_default()),
            user_password: RwSignal::new(typed.text(SECRET_FIELDS[1]).unwrap_or_default()),
            attempt: RwSignal::new(view.credentials.attempt.clone()),
            every_environment: RwSignal::new(
                typed.checked("every-environment").unwrap_or(content.every_environment),
            ),
            keep: RwSignal::new(keep),
            attempted: RwSignal::new(!view.problems.is_empty()),
            chosen: RwSignal::new(Vec::new()),
            key: StoredValue::new(view.key.clone()),
            admin: StoredValue::new(admin),
            form,
            is_sending: StoredValue::new(false),
            is_waiting: StoredValue::new(false),
            queued: StoredValue::new(Vec::new()),
            is_about_the_form: StoredValue::new(true),
            attempt_before: StoredValue::new(None),
            following: StoredValue::new(None),
            view: RwSignal::new(view),
        }
    }

    /// In the browser: keeps what was typed before, brings back what an ended session left, and listens to the window.
    pub fn wake_up(self) {
        Effect::new(move || {
            if !self.restore_stash() && !same_content(&self.untracked_content(), &self.sent_content()) {
                self.typed();
            }
            self.follow_attempt();
            // Back from signing in elsewhere, or from a flaky network.
            let focus = window_event_listener(leptos::ev::focus, move |_| {
                if matches!(self.keep.get_untracked(), Keep::SessionEnded | Keep::Failed(_)) {
                    self.keep_now();
                }
            });
            let leave = window_event_listener(leptos::ev::pagehide, move |_| self.keep_while_leaving());
            on_cleanup(move || {
                focus.remove();
                leave.remove();
            });
        });
    }

    pub fn rows(self, part: Part) -> Rows {
        match part {
            Part::AccessToken => self.access_token,
            _ => self.authorization,
        }
    }

    /// What the form holds now.
    pub fn content(self) -> FormContent {
        FormContent {
            base_url: self.base_url.get(),
            company_id: self.company_id.get(),
            client_id: self.client_id.get(),
            authorization: self.authorization.parameters(),
            access_token: self.access_token.parameters(),
            provider: self.provider.get(),
            every_environment: self.every_environment.get(),
        }
    }

    pub(super) fn untracked_content(self) -> FormContent {
        untrack(|| self.content())
    }

    fn sent_content(self) -> FormContent {
        self.view.with_untracked(|view| view.content.clone())
    }

    pub fn problems(self) -> Vec<Problem> {
        if self.attempted.get() { validate(&self.content()) } else { Vec::new() }
    }

    /// Something was typed: it is kept soon.
    pub fn typed(self) {
        if self.keep.get_untracked() != Keep::SessionEnded {
            self.keep.set(Keep::Pending);
        }
        if !self.is_waiting.get_value() {
            self.is_waiting.set_value(true);
            set_timeout(
                move || {
                    self.is_waiting.set_value(false);
                    // A button pressed meanwhile took it along.
                    if self.keep.get_untracked() == Keep::Pending {
                        self.keep_now();
                    }
                },
                KEEP_AFTER,
            );
        }
    }

    /// A button of the form.
    pub fn press(self, button: &str) {
        match button {
            "save" => self.save("save"),
            "discard" => self.ask("discard"),
            "resolve" => self.save("resolve"),
            "encrypt-secret" => self.encrypt("encrypt-secret"),
            "encrypt-password" => self.encrypt("encrypt-password"),
            "reset-secret" => self.ask("reset-secret"),
            "reset-secret-confirmed" => self.ask("reset-secret-confirmed"),
            "revoke" => self.ask("revoke"),
            "revoke-confirmed" => self.ask("revoke-confirmed"),
            "discard-replacement" => self.ask("discard-replacement"),
            "preflight" => self.ask("preflight"),
            "generate" => self.generate(),
            "add-authorization" => self.add_row(Part::Authorization),
            "add-access-token" => self.add_row(Part::AccessToken),
            _ => {}
        }
    }

    fn save(self, intent: &'static str) {
        self.keep.set(Keep::Saving);
        self.ask(intent);
    }

    fn keep_now(self) {
        self.ask("keep");
    }

    fn ask(self, intent: &'static str) {
        self.ask_with(intent, Secrets::default(), false);
    }

    fn ask_with(self, intent: &'static str, secrets: Secrets, in_window: bool) {
        self.send(Asked { intent, choices: self.choices(), secrets, in_window });
    }

    /// Sends a secret once, with the button that seals it.
    fn encrypt(self, intent: &'static str) {
        let secrets = Secrets {
            client_secret: TypedSecret::new(self.client_secret.get_untracked()),
            user_password: TypedSecret::new(self.user_password.get_untracked()),
        };
        self.keep.set(Keep::Saving);
        self.ask_with(intent, secrets, false);
    }

    /// Saves the form and begins to get a token. The window has to be opened while the click is being handled; where
    /// the browser does not allow it, the page itself goes to the provider and comes back.
    fn generate(self) {
        let has_window = self.view.with_untracked(|view| view.credentials.has_window);
        if has_window && !self.open_window() {
            if let Some(form) = self.form.get_untracked() {
                submit_plainly(&form, "generate");
            }
            return;
        }
        self.keep.set(Keep::Saving);
        self.announce_opening();
        self.ask_with("generate", Secrets::default(), has_window);
    }

    fn add_row(self, part: Part) {
        let number = self.rows(part).add();
        self.typed();
        let id = input_id(part, number, "key");
        focus_soon(id);
    }

    pub fn delete_row(self, part: Part, number: u32) {
        let rows = self.rows(part);
        let index = rows.list.with_untracked(|list| list.iter().position(|row| row.number == number));
        rows.delete(number);
        self.typed();
        // The keyboard goes on where the row was.
        let next = rows.list.with_untracked(|list| {
            let index = index.unwrap_or_default().min(list.len().saturating_sub(1));
            list.get(index).map(|row| row.number)
        });
        if let Some(next) = next {
            focus_soon(input_id(part, next, "key"));
        }
    }

    /// What was chosen for a part in the conflict panel.
    pub fn is_mine(self, part: Part, prefer_mine: bool) -> bool {
        let chosen =
            self.chosen.with(|chosen| chosen.iter().find(|(other, _)| *other == part).map(|(_, mine)| *mine));
        chosen.unwrap_or(prefer_mine)
    }

    fn choices(self) -> Choices {
        let mut choices = Choices::default();
        self.view.with_untracked(|view| {
            let Some(conflict) = &view.conflict else { return };
            choices.version = conflict.version;
            for one in &conflict.parts {
                if untrack(|| self.is_mine(one.part, one.prefer_mine)) {
                    choices.set_mine(one.part);
                }
            }
        });
        choices
    }

    /// Sends the form, now or after the request that is under way. A button pressed outranks mere keeping.
    fn send(self, asked: Asked) {
        if self.is_sending.get_value() {
            // One after the other; merely keeping goes along with whatever is asked for anyway.
            self.queued.update_value(|queued| {
                if queued.is_empty() || asked.intent != "keep" {
                    queued.retain(|waiting| waiting.intent != "keep");
                    queued.push(asked);
                }
            });
            return;
        }
        self.is_sending.set_value(true);
        let letter = self.letter();
        spawn_local(async move {
            self.is_about_the_form.set_value(is_about_the_form(asked.intent));
            let Letter { base_version, seen, content } = letter.clone();
            let Asked { intent, choices, secrets, in_window } = asked.clone();
            let Secrets { client_secret, user_password } = secrets;
            let key = self.key.get_value();
            let answer = submit_connector(
                key,
                intent.into(),
                base_version,
                seen,
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
                    self.answered(view, &letter.content);
                    self.after(intent);
                }
                Err(error) => self.refused(error, &letter, asked),
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

    pub(super) fn letter(self) -> Letter {
        let (base_version, seen) = self.view.with_untracked(|view| (view.base_version, view.seen.clone()));
        Letter { base_version, seen, content: self.untracked_content() }
    }

    pub(super) fn answered(self, view: ConnectorView, sent: &FormContent) {
        let now = self.untracked_content();
        for part in Part::ALL {
            let untouched = same_part(now.part(part), sent.part(part));
            if untouched && !same_part(now.part(part), view.content.part(part)) {
                self.set_part(part, &view.content);
            }
        }
        let typed_since = !same_content(&now, sent);
        self.keep.set(match view.outcome {
            Outcome::Refused => Keep::Refused,
            Outcome::Conflicting => Keep::Conflicting,
            Outcome::ChangedElsewhere => Keep::ChangedElsewhere,
            Outcome::Saved => Keep::Saved,
            Outcome::Discarded => Keep::Discarded,
            _ if view.draft.is_some() => Keep::Kept,
            _ if view.saved.is_some() => Keep::Saved,
            _ => Keep::Nothing,
        });
        match view.outcome {
            Outcome::Refused => {
                self.attempted.set(true);
                focus_soon("errors".to_owned());
            }
            Outcome::Conflicting => focus_soon("conflict".to_owned()),
            Outcome::ChangedElsewhere => focus_soon("every-environment".to_owned()),
            Outcome::Saved | Outcome::Discarded => self.attempted.set(false),
            Outcome::ResetToConfirm => focus_soon("confirm-reset".to_owned()),
            Outcome::RevokeToConfirm => focus_soon("confirm-revoke".to_owned()),
            Outcome::Kept | Outcome::Loaded | Outcome::Forgotten => {}
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

    fn refused(self, error: AppError, letter: &Letter, asked: Asked) {
        self.stash(letter);
        if error.code == ErrorCode::Unauthorized {
            self.give_up_attempt();
            self.keep.set(Keep::SessionEnded);
            return;
        }
        self.give_up_attempt();
        // What was typed is kept again by itself; what has an effect beyond the form is done when somebody presses the
        // button, for it may have been done already.
        let is_about_the_form = is_about_the_form(asked.intent);
        let why = match is_about_the_form {
            true => error.message,
            false => {
                format!("{} Look whether it was done, and press the button again if not.", error.message)
            }
        };
        self.keep.set(Keep::Failed(why));
        let asked = match is_about_the_form {
            true => asked,
            false => Asked { intent: "keep", secrets: Secrets::default(), ..asked },
        };
        set_timeout(
            move || {
                if matches!(self.keep.get_untracked(), Keep::Failed(_)) {
                    self.send(asked.clone());
                }
            },
            RETRY_AFTER,
        );
    }

    pub(super) fn set_part(self, part: Part, content: &FormContent) {
        match part {
            Part::BaseUrl => self.base_url.set(content.base_url.clone()),
            Part::CompanyId => self.company_id.set(content.company_id.clone()),
            Part::ClientId => self.client_id.set(content.client_id.clone()),
            Part::Authorization => self.authorization.set(&content.authorization),
            Part::AccessToken => self.access_token.set(&content.access_token),
            Part::Provider => self.provider.set(content.provider.clone()),
            Part::Scope => self.every_environment.set(content.every_environment),
        }
    }
}

fn is_about_the_form(intent: &str) -> bool {
    matches!(intent, "keep" | "save" | "discard" | "resolve")
}

/// One blank row is how an empty table looks.
fn same_part(a: PartValue<'_>, b: PartValue<'_>) -> bool {
    fn rows<'a>(value: PartValue<'a>) -> PartValue<'a> {
        match value {
            PartValue::Rows([only]) if only.is_blank() => PartValue::Rows(&[]),
            other => other,
        }
    }
    rows(a) == rows(b)
}

fn same_content(a: &FormContent, b: &FormContent) -> bool {
    Part::ALL.into_iter().all(|part| same_part(a.part(part), b.part(part)))
}
