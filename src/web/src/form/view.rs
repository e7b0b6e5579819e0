//! What the server tells the form: its values, what became of the last request, and the panels that only show, which
//! arrive as HTML and need no code here.

use ipack_domain::{
    fields::MenuField,
    ids::ConnectionKey,
    parts::Part,
    post::{Base, Outcome},
    tokens::{CredentialProblem, SecretField, Stage},
};
use serde::{Deserialize, Serialize};

/// The form of one connection, as it stands for the signed-in admin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormView {
    pub key: ConnectionKey,
    /// Its content is the draft if there is one, else the saved details, else the connection's defaults.
    pub base: Base,
    pub outcome: Outcome,
    /// A save was attempted: everything that stands in its way is said.
    pub attempted: bool,
    /// What is saved lacks these.
    pub missing: Vec<Part>,
    pub is_saved: bool,
    pub has_draft: bool,
    /// The saved version that the choices in the conflict panel are about; `None` where there is none.
    pub conflict: Option<i64>,
    /// What the provider itself calls a field, by the id of its input.
    pub words: Vec<(String, String)>,
    /// The provider has some to choose from.
    pub has_regions: bool,
    pub tokens: TokenControls,
    /// What is asked for in each secret's input; `None` where the client needs none.
    pub client_secret: Option<SecretPrompt>,
    pub password: Option<SecretPrompt>,
    /// What was wrong with what the last request wanted with secrets and the token.
    pub problems: Vec<CredentialProblem>,
    pub attempt: Option<AttemptProgress>,
    /// In the order of [`Panel`].
    pub panels: Vec<RenderedPanel>,
}

/// What the buttons around the token depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenControls {
    pub has_token: bool,
    /// No token can be generated yet; the page says why.
    pub has_obstacle: bool,
    /// A person signs in at the provider, in a window.
    pub has_window: bool,
    /// Seconds until the token is over; `None` where it is, or never will be.
    pub seconds_left: Option<u32>,
    /// The grant names whom the token is for.
    pub acts_for_subject: bool,
    /// The secret is a private key in PEM.
    pub has_private_key: bool,
}

/// The words around a secret's input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretPrompt {
    pub label: String,
    pub hint: String,
    /// The words of the button that encrypts it.
    pub button: String,
    /// There is one already: the input for another is folded away.
    pub is_folded: bool,
}

/// The latest attempt to get a token, as the page follows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptProgress {
    pub id: String,
    pub stage: Stage,
    /// It goes on in a browser window, to which this address leads; only for who began it.
    pub address: Option<String>,
}

/// A part of the page that only shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::VariantArray)]
pub enum Panel {
    Status,
    Conflict,
    Draft,
    ProviderFacts,
    RedirectUri,
    GrantOptions,
    RegionOptions,
    ClientSecret,
    Password,
    Attempt,
    Token,
    TokenActions,
    TokenHint,
    OtherEnvironments,
    Saved,
    History,
}

impl Panel {
    /// The id of the element that holds it.
    pub fn id(self) -> String {
        let id = match self {
            Self::GrantOptions => return MenuField::Grant.about().id(),
            Self::RegionOptions => return MenuField::Region.about().id(),
            Self::Status => "status-panel",
            Self::Conflict => "conflict-panel",
            Self::Draft => "draft-panel",
            Self::ProviderFacts => "provider-facts-panel",
            Self::RedirectUri => "redirect-uri-panel",
            Self::ClientSecret => "client-secret-panel",
            Self::Password => "password-panel",
            Self::Attempt => "attempt",
            Self::Token => "token-panel",
            Self::TokenActions => "token-actions-panel",
            Self::TokenHint => "token-hint",
            Self::OtherEnvironments => "every-environment-hint",
            Self::Saved => "saved-panel",
            Self::History => "history-panel",
        };
        id.to_owned()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedPanel {
    pub panel: Panel,
    /// Of the HTML; a page that has it already is not sent it again.
    pub digest: u32,
    pub html: Option<String>,
}

impl FormView {
    pub fn prompt(&self, field: SecretField) -> Option<&SecretPrompt> {
        match field {
            SecretField::ClientSecret => self.client_secret.as_ref(),
            SecretField::Password => self.password.as_ref(),
        }
    }

    pub fn html(&self, panel: Panel) -> String {
        let rendered = self.panels.iter().find(|rendered| rendered.panel == panel);
        rendered.and_then(|rendered| rendered.html.clone()).unwrap_or_default()
    }
}

/// How far an attempt is, in HTML: what the server shows, and the page at once when a button is pressed. `message` is one
/// of [`Stage::message`].
pub fn progress_html(stage: Stage) -> String {
    let step = if stage == Stage::Opening { 1 } else { 2 };
    format!(
        "<p class=\"message\">{}</p><progress max=\"3\" value=\"{step}\" aria-label=\"Step {step} of 3\"></progress>",
        stage.message()
    )
}
