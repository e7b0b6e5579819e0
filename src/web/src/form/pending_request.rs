//! What is to be sent when the request before it is answered.

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

impl PendingRequest {
    /// It keeps or saves the form, and does nothing beyond.
    pub fn is_about_the_form(&self) -> bool {
        self.button.is_about_the_form() && self.secrets.fields().next().is_none()
    }
}
