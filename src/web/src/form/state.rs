//! What is typed into the form, and how it is kept.
//!
//! Every change marks the form as not saved and, a quarter of a second later, goes to the server's draft; how that goes
//! is in `sending`. Secrets are no part of that: they stay in their inputs until a button that saves has sealed them.

use crate::form::{
    FixedParts,
    attempt::Following,
    browser::{BeforeWaking, checked_choices, focus_soon, submit_plainly},
    inputs::Inputs,
    panels::ShownPanels,
    pending_request::{Exchange, PendingRequest},
    rows::input_id,
    save_status::SaveStatus,
    view::{FormView, SecretPrompt},
};
use ipack_domain::{
    button::{Button, DraftEffect},
    fields::{Field, Table},
    form::{FormContent, Parameter},
    ids::ConnectionKey,
    tokens::{CredentialField, SECRET_FIELDS, SecretField, TypedSecret, TypedSecrets},
    validation::{Problem, problems},
};
use leptos::{html, prelude::*};
use std::time::Duration;

/// From the first change to the request that keeps it.
const KEEP_AFTER: Duration = Duration::from_millis(250);

#[derive(Clone, Copy)]
pub struct FormState {
    /// The server's last answer.
    pub view: RwSignal<FormView>,
    pub inputs: Inputs,
    client_secret: RwSignal<String>,
    user_password: RwSignal<String>,
    pub keep: RwSignal<SaveStatus>,
    /// A save was refused: from then on problems show as they come and go.
    pub(super) attempted: RwSignal<bool>,
    pub(super) following: RwSignal<Following>,
    pub(super) exchange: StoredValue<Exchange>,
    pub(super) panels: StoredValue<ShownPanels>,
    pub(super) key: StoredValue<ConnectionKey>,
    pub(super) admin: StoredValue<String>,
    fixed: StoredValue<FixedParts>,
    pub(super) form: NodeRef<html::Form>,
    /// The page has woken up: from then on it may show what the server's half did not know.
    is_awake: RwSignal<bool>,
}

impl FormState {
    pub fn new(view: FormView, admin: String, fixed: FixedParts, form: NodeRef<html::Form>) -> Self {
        let typed = BeforeWaking::on_page(&view.key);
        let is_refused = view.attempted && !problems(&view.base.content, true).is_empty();
        let keep = if is_refused {
            SaveStatus::Refused
        } else if view.conflict.is_some() {
            SaveStatus::Conflicting
        } else if view.has_draft {
            SaveStatus::Kept
        } else if view.is_saved {
            SaveStatus::Saved
        } else {
            SaveStatus::Nothing
        };
        Self {
            inputs: Inputs::new(&view.base.content, &typed),
            client_secret: RwSignal::new(typed.text(SECRET_FIELDS[0]).unwrap_or_default()),
            user_password: RwSignal::new(typed.text(SECRET_FIELDS[1]).unwrap_or_default()),
            keep: RwSignal::new(keep),
            attempted: RwSignal::new(is_refused),
            following: RwSignal::new(Following::Nothing),
            exchange: StoredValue::new(Exchange::Idle),
            panels: StoredValue::new(ShownPanels::new(&view.panels)),
            key: StoredValue::new(view.key.clone()),
            admin: StoredValue::new(admin),
            fixed: StoredValue::new(fixed),
            form,
            is_awake: RwSignal::new(false),
            view: RwSignal::new(view),
        }
    }

    /// In the browser: keeps what was typed before, brings back what an ended session left, and listens to the window.
    pub fn wake_up(self) {
        Effect::new(move || {
            self.is_awake.set(true);
            if !self.restore_stash() && !same_content(&self.untracked_content(), &self.sent_content()) {
                self.typed();
            }
            if let Some(attempt) = self.view.with_untracked(|view| view.attempt.clone()) {
                self.follow(attempt);
            }
            // Back from signing in elsewhere, or from a flaky network.
            let focus = window_event_listener(leptos::ev::focus, move |_| {
                if matches!(self.keep.get_untracked(), SaveStatus::SessionEnded | SaveStatus::Failed(_)) {
                    self.keep_now();
                }
            });
            let warn = window_event_listener(leptos::ev::beforeunload, move |event| {
                self.warn_of_leaving(&event);
            });
            let leave = window_event_listener(leptos::ev::pagehide, move |_| self.keep_while_leaving());
            on_cleanup(move || {
                focus.remove();
                warn.remove();
                leave.remove();
            });
        });
    }

    /// What the server alone writes on the page.
    pub fn fixed(self, part: impl FnOnce(&FixedParts) -> String) -> String {
        self.fixed.with_value(part)
    }

    /// What stands in an input for a secret; never part of what is kept.
    pub fn secret(self, field: SecretField) -> RwSignal<String> {
        match field {
            SecretField::ClientSecret => self.client_secret,
            SecretField::Password => self.user_password,
        }
    }

    pub(super) fn typed_secrets(self) -> TypedSecrets {
        let mut secrets = TypedSecrets::default();
        for field in SecretField::ALL {
            secrets.set(field, TypedSecret::new(self.secret(field).get_untracked()));
        }
        secrets
    }

    /// What is asked for in a secret's input; `None` where nothing is.
    pub fn prompt(self, field: SecretField) -> Option<SecretPrompt> {
        self.view.with(|view| view.prompt(field).cloned())
    }

    /// What is wrong with what stands in a secret's input.
    pub fn secret_problem(self, field: SecretField) -> Option<String> {
        self.view.with(|view| {
            let mut problems = view.problems.iter();
            let problem = problems.find(|problem| problem.field == CredentialField::Secret(field));
            problem.map(|problem| problem.message.clone())
        })
    }

    /// Something stands in this input, and nowhere else.
    pub fn is_unsealed(self, field: SecretField) -> bool {
        self.is_awake.get() && self.secret(field).with(|text| !text.trim().is_empty())
    }

    /// Not everything is as it was meant to be, whatever else was saved: a secret is not sealed.
    pub fn lacks_secret(self) -> bool {
        let is_told = self
            .view
            .with(|view| view.problems.iter().any(|problem| problem.field != CredentialField::Token));
        is_told || SecretField::ALL.into_iter().any(|field| self.is_unsealed(field))
    }

    /// What the form holds now, as far as it may leave the page.
    pub fn content(self) -> FormContent {
        self.inputs.content().without_secrets()
    }

    pub(super) fn untracked_content(self) -> FormContent {
        untrack(|| self.content())
    }

    fn sent_content(self) -> FormContent {
        self.view.with_untracked(|view| view.base.content.clone())
    }

    pub fn problems(self) -> Vec<Problem> {
        problems(&self.content(), self.attempted.get())
    }

    /// Something was typed: it is kept soon.
    pub fn typed(self) {
        if self.keep.get_untracked() != SaveStatus::SessionEnded {
            self.keep.set(SaveStatus::Pending);
        }
        // Where a request is under way, its answer finds out what was typed since.
        if matches!(self.exchange.get_value(), Exchange::Idle) {
            self.exchange.set_value(Exchange::Scheduled);
            set_timeout(move || self.keep_scheduled(), KEEP_AFTER);
        }
    }

    fn keep_scheduled(self) {
        // A button pressed meanwhile took it along.
        if matches!(self.exchange.get_value(), Exchange::Scheduled) {
            self.exchange.set_value(Exchange::Idle);
            if self.keep.get_untracked() == SaveStatus::Pending {
                self.keep_now();
            }
        }
    }

    /// A button of the form.
    pub fn press(self, button: Button) {
        match button {
            Button::AddRow(table) => self.add_row(table),
            // Every save seals a secret; these buttons are for saying that there is none.
            Button::EncryptSecret if self.is_typed(SecretField::ClientSecret) => self.save(Button::Save),
            Button::EncryptPassword if self.is_typed(SecretField::Password) => self.save(Button::Save),
            Button::Generate => self.generate(),
            _ => match button.effect() {
                DraftEffect::Save => self.save(button),
                DraftEffect::Keep | DraftEffect::Discard => self.ask(button),
            },
        }
    }

    /// Saves the form, and sends along what stands in the inputs for secrets.
    fn save(self, button: Button) {
        self.keep.set(SaveStatus::Saving);
        self.ask_with(button, self.typed_secrets(), false);
    }

    fn is_typed(self, field: SecretField) -> bool {
        !self.typed_secrets().of(field).is_empty()
    }

    fn keep_now(self) {
        self.ask(Button::Keep);
    }

    fn ask(self, button: Button) {
        self.ask_with(button, TypedSecrets::default(), false);
    }

    fn ask_with(self, button: Button, secrets: TypedSecrets, in_window: bool) {
        let choices = checked_choices().into_iter().collect();
        self.send(PendingRequest { button, choices, secrets, in_window });
    }

    /// Saves the form and begins to get a token. The window has to be opened while the click is being handled; where
    /// the browser does not allow it, the page itself goes to the provider and comes back.
    fn generate(self) {
        let has_window = self.view.with_untracked(|view| view.tokens.has_window);
        if has_window && !self.open_window() {
            if let Some(form) = self.form.get_untracked() {
                self.exchange.set_value(Exchange::Posting);
                submit_plainly(&form, Button::Generate);
            }
            return;
        }
        self.keep.set(SaveStatus::Saving);
        self.announce_opening();
        self.ask_with(Button::Generate, self.typed_secrets(), has_window);
    }

    fn add_row(self, table: Table) {
        let number = self.inputs.rows(table).add();
        self.typed();
        let id = input_id(table, number, "key");
        focus_soon(id);
    }

    pub fn delete_row(self, table: Table, number: u32) {
        let rows = self.inputs.rows(table);
        let index = rows.list.with_untracked(|list| list.iter().position(|row| row.number == number));
        rows.delete(number);
        self.typed();
        // The keyboard goes on where the row was.
        let next = rows.list.with_untracked(|list| {
            let index = index.unwrap_or_default().min(list.len().saturating_sub(1));
            list.get(index).map(|row| row.number)
        });
        if let Some(next) = next {
            focus_soon(input_id(table, next, "key"));
        }
    }
}

/// One blank row is how an empty table looks.
pub(super) fn same_field(a: &FormContent, b: &FormContent, field: Field) -> bool {
    fn rows(rows: &[Parameter]) -> &[Parameter] {
        if matches!(rows, [only] if only.is_blank()) { &[] } else { rows }
    }
    match field {
        Field::Table(table) => rows(a.rows(table)) == rows(b.rows(table)),
        Field::Text(_) | Field::Menu(_) | Field::Switch(_) => a.has_same(b, field),
    }
}

pub(super) fn same_content(a: &FormContent, b: &FormContent) -> bool {
    Field::all().all(|field| same_field(a, b, field))
}
