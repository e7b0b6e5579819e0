//! Requests of the form, and where each stands between the page and the server.

use ipack_domain::{button::Button, post::Choices, tokens::TypedSecrets};

/// What a request asks for, with the choices and the secrets as they stood when the button was pressed.
#[derive(Debug, Clone)]
pub(super) struct PendingRequest {
    pub button: Button,
    pub choices: Choices,
    /// Only with a button that seals them: neither drafts nor this tab keep a secret.
    pub secrets: TypedSecrets,
    pub in_window: bool,
}

/// What goes between the page and the server: one request at a time.
#[derive(Debug, Clone, Default)]
pub(super) enum Exchange {
    #[default]
    Idle,
    /// What was typed is sent when a timer fires.
    Scheduled,
    /// A request is under way; what was asked for since waits here.
    Sending(Vec<PendingRequest>),
    /// The browser posts the plain form, with the secrets in it, and leaves the page.
    Posting,
}

impl PendingRequest {
    /// It keeps or saves the form, and does nothing beyond.
    pub fn is_about_the_form(&self) -> bool {
        self.button.is_about_the_form() && self.secrets.fields().next().is_none()
    }
}
