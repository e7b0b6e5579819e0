//! The connector form: loading it, and every post of it.

use crate::error::RequestError;
use crate::views::{AttemptView, ConnectorView, PreflightView};
use ipack_domain::{
    form::{FormContent, Part},
    ids::ConnectionKey,
    post::Seen,
    tokens::TypedSecret,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

/// What was chosen where somebody else had saved: `saved` or `mine` for each part in question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// The saved version that the choices are about.
    pub version: i64,
    pub base_url: String,
    pub company_id: String,
    pub client_id: String,
    pub authorization: String,
    pub access_token: String,
    pub provider: String,
}

impl Choices {
    pub const MINE: &'static str = "mine";
    pub const SAVED: &'static str = "saved";

    /// The parts for which this admin's own value was chosen.
    pub fn mine(&self) -> Vec<Part> {
        Part::DETAILS
            .into_iter()
            .filter(|part| self.part(*part).is_some_and(|choice| choice == Self::MINE))
            .collect()
    }

    pub fn set_mine(&mut self, part: Part) {
        if let Some(choice) = self.part_mut(part) {
            Self::MINE.clone_into(choice);
        }
    }

    fn part(&self, part: Part) -> Option<&String> {
        Some(match part {
            Part::BaseUrl => &self.base_url,
            Part::CompanyId => &self.company_id,
            Part::ClientId => &self.client_id,
            Part::Authorization => &self.authorization,
            Part::AccessToken => &self.access_token,
            Part::Provider => &self.provider,
            Part::AppliesTo => return None,
        })
    }

    fn part_mut(&mut self, part: Part) -> Option<&mut String> {
        Some(match part {
            Part::BaseUrl => &mut self.base_url,
            Part::CompanyId => &mut self.company_id,
            Part::ClientId => &mut self.client_id,
            Part::Authorization => &mut self.authorization,
            Part::AccessToken => &mut self.access_token,
            Part::Provider => &mut self.provider,
            Part::AppliesTo => return None,
        })
    }
}

/// The form of one connection as it stands for the signed-in admin.
#[server(name = GetConnector, prefix = "/api", endpoint = "connector-view", input = GetUrl)]
pub async fn connector(key: ConnectionKey) -> Result<ConnectorView, RequestError> {
    use crate::compose::connector::show;
    let context = crate::request_context::RequestContext::of_request()?;
    // Boxed, for the future is large and is moved several times on its way into a page.
    let services = &context.services;
    let shown = async { show(services, services.connector(&context.admin, &key).await?).await };
    context.answer(Box::pin(shown).await)
}

/// How far an attempt of a connection is, for a page that follows it by its id.
#[server(name = GetAttempt, prefix = "/api", endpoint = "attempt", input = GetUrl)]
pub async fn attempt(key: ConnectionKey, id: String) -> Result<Option<AttemptView>, RequestError> {
    use crate::compose::credentials::compose_attempt;
    let context = crate::request_context::RequestContext::of_request()?;
    let attempt = context.answer(context.services.attempt(&context.admin, &key, &id).await)?;
    let now = context.services.clock.now();
    Ok(attempt.map(|attempt| compose_attempt(&attempt, context.admin.id, now)))
}

/// The authorization request as it would be made, and what stands in its way.
#[server(name = GetPreflight, prefix = "/api", endpoint = "preflight", input = GetUrl)]
pub async fn preflight(key: ConnectionKey) -> Result<PreflightView, RequestError> {
    let context = crate::request_context::RequestContext::of_request()?;
    let preflight = Box::pin(context.services.preflight(&context.admin, &key)).await;
    context.answer(preflight.map(crate::compose::connector::compose_preflight))
}

/// Every post of the form; the button pressed is the intent. Without JavaScript it leads back to the form, at the
/// place that the button was about. Secrets come along with every post of a plain form: the buttons that save it seal
/// them, and after any other the page says that nothing was done with them.
#[server(name = SubmitConnector, prefix = "/api", endpoint = "connector")]
pub async fn submit_connector(
    key: ConnectionKey,
    intent: String,
    #[server(default)] base_version: i64,
    #[server(default)] seen: Seen,
    #[server(default)] content: FormContent,
    #[server(default)] choices: Choices,
    #[server(default)] client_secret: TypedSecret,
    #[server(default)] user_password: TypedSecret,
    #[server(default)] in_window: bool,
) -> Result<ConnectorView, RequestError> {
    use crate::compose::connector::show_submitted;
    use ipack_core::{
        connector::submission::{Intent, Submission},
        tokens::authorization::Initiator,
    };
    use ipack_domain::tokens::TypedSecrets;
    let context = crate::request_context::RequestContext::of_request()?;
    let no_such_button =
        || context.fail(ipack_domain::error::AppError::in_field("intent", "The form has no such button."));
    let (button, place) = read_button(&intent, &choices).ok_or_else(no_such_button)?;
    let submission = |intent| Submission { intent, base_version, seen, content };
    let secrets = TypedSecrets { client_secret, user_password };
    let services = &context.services;
    let admin = &context.admin;
    // Boxed, for the futures are large and are moved several times on their way.
    let answer = match button {
        Button::Form(intent @ (Intent::Save | Intent::Resolve { .. })) => {
            Box::pin(services.save_and_seal(admin, &key, submission(intent), &secrets, None)).await
        }
        Button::Form(intent) => Box::pin(services.submit(admin, &key, submission(intent))).await,
        Button::Preflight => Box::pin(services.submit(admin, &key, submission(Intent::Keep))).await,
        Button::Encrypt(field) => {
            let submission = submission(Intent::Save);
            Box::pin(services.save_and_seal(admin, &key, submission, &secrets, Some(field))).await
        }
        Button::Reset { confirmed } => {
            Box::pin(services.reset_from_form(admin, &key, submission(Intent::Keep), confirmed)).await
        }
        Button::Generate => {
            let browser = context.flow_cookie();
            let origin = Initiator { browser: &browser, in_window };
            let submission = submission(Intent::Save);
            Box::pin(services.begin_authorization(admin, &key, submission, &secrets, origin)).await
        }
        Button::DiscardReplacement => {
            Box::pin(services.discard_replacement(admin, &key, submission(Intent::Keep))).await
        }
        Button::Revoke { confirmed } => {
            Box::pin(services.revoke_from_form(admin, &key, submission(Intent::Keep), confirmed)).await
        }
    };
    let mut submitted = context.answer(answer)?;
    submitted.tell_unsealed(&secrets);
    let view = context.answer(show_submitted(services, submitted).await)?;
    context.go_back_to(&next_page(&key, &view, &intent, place));
    Ok(view)
}

/// What a button of the form stands for.
#[cfg(feature = "ssr")]
pub enum Button {
    Form(ipack_core::connector::submission::Intent),
    Encrypt(ipack_domain::tokens::SecretField),
    Reset { confirmed: bool },
    DiscardReplacement,
    Generate,
    Revoke { confirmed: bool },
    Preflight,
}

#[cfg(feature = "ssr")]
fn read_button(text: &str, choices: &Choices) -> Option<(Button, Option<String>)> {
    use ipack_domain::tokens::SecretField;
    let at = |place: &str| Some(place.to_owned());
    Some(match text {
        "encrypt-secret" => (Button::Encrypt(SecretField::ClientSecret), at("#credentials")),
        "encrypt-password" => (Button::Encrypt(SecretField::Password), at("#credentials")),
        "reset-secret" => (Button::Reset { confirmed: false }, at("#credentials")),
        "reset-secret-confirmed" => (Button::Reset { confirmed: true }, at("#credentials")),
        "generate" => (Button::Generate, at("#token")),
        "discard-replacement" => (Button::DiscardReplacement, at("#credentials")),
        "revoke" => (Button::Revoke { confirmed: false }, at("#token")),
        "revoke-confirmed" => (Button::Revoke { confirmed: true }, at("#token")),
        "preflight" => (Button::Preflight, None),
        _ => {
            let (intent, place) = read_intent(text, choices)?;
            (Button::Form(intent), place)
        }
    })
}

/// Where a page without JavaScript goes from here.
#[cfg(feature = "ssr")]
fn next_page(key: &ConnectionKey, view: &ConnectorView, intent: &str, place: Option<String>) -> String {
    use ipack_domain::{post::Outcome, tokens::CredentialProblem};
    let form = key.form_path();
    let credentials = &view.credentials;
    let at = |id: &str| format!("#{id}");
    let (question, place) = match (view.outcome, credentials.problems.first()) {
        (Outcome::ResetToConfirm, _) => (Some("confirm=reset"), at("credentials")),
        (Outcome::RevokeToConfirm, _) => (Some("confirm=revoke"), at("token")),
        // A secret that was not sealed is not on the page any more: that outranks what kept it from being saved.
        (_, Some(problem)) => (None, at(problem.field.place())),
        (Outcome::Refused, None) => (None, at("errors")),
        (Outcome::Conflicting, None) => (None, at("conflict")),
        (Outcome::ChangedElsewhere, None) => (None, at("every-environment")),
        (_, None) => {
            let attempt = credentials.attempt.as_ref().filter(|attempt| !attempt.stage.is_over());
            match attempt.and_then(|attempt| attempt.address.as_ref()) {
                Some(address) if intent == "generate" => return address.clone(),
                _ if intent == "preflight" => return format!("{form}/preflight"),
                _ => (None, place.unwrap_or_default()),
            }
        }
    };
    let problems =
        (!credentials.problems.is_empty()).then(|| CredentialProblem::query(&credentials.problems));
    let query: Vec<String> = question.map(str::to_owned).into_iter().chain(problems).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    format!("{form}{query}{place}")
}

/// The intent that a button's value stands for, and where on the page its effect is seen.
#[cfg(feature = "ssr")]
pub fn read_intent(
    text: &str,
    choices: &Choices,
) -> Option<(ipack_core::connector::submission::Intent, Option<String>)> {
    use ipack_core::connector::submission::Intent;
    let table = |name: &str| match name {
        "authorization" => Some(Part::Authorization),
        "access-token" => Some(Part::AccessToken),
        _ => None,
    };
    Some(match text {
        "keep" => (Intent::Keep, None),
        "save" => (Intent::Save, None),
        "discard" => (Intent::Discard, None),
        "resolve" => (Intent::Resolve { version: choices.version, mine: choices.mine() }, None),
        _ => {
            if let Some(name) = text.strip_prefix("add-") {
                (Intent::AddRow(table(name)?), Some(format!("#{name}-add")))
            } else {
                let (name, index) = text.strip_prefix("delete-")?.rsplit_once('-')?;
                (Intent::DeleteRow(table(name)?, index.parse().ok()?), Some(format!("#{name}-add")))
            }
        }
    })
}
