//! The connector form: loading it, and every post of it.

use crate::error::RequestError;
use crate::form::view::{AttemptProgress, FormView};
#[cfg(feature = "ssr")]
use crate::views::ConnectorView;
use crate::views::PreflightView;
#[cfg(feature = "ssr")]
use ipack_domain::{button::Button, post::Base};
use ipack_domain::{form::FormContent, ids::ConnectionKey, post::Choices, tokens::TypedSecret};
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// The form of one connection as it stands for the signed-in admin, for a page that looks again.
#[server(name = GetConnector, prefix = "/api", endpoint = "connector-view", input = GetUrl)]
pub async fn connector(key: ConnectionKey) -> Result<FormView, RequestError> {
    Ok(crate::panels::form_view(record(&key).await?, &[]))
}

/// The same for the page itself, with all that stands around the form.
#[cfg(feature = "ssr")]
pub async fn record(key: &ConnectionKey) -> Result<ConnectorView, RequestError> {
    use crate::compose::connector::show;
    let context = crate::request_context::RequestContext::of_request()?;
    // Boxed, for the future is large and is moved several times on its way into a page.
    let services = &context.services;
    let shown = async { show(services, services.connector(&context.admin, key).await?).await };
    context.answer(Box::pin(shown).await)
}

/// How far an attempt of a connection is, for a page that follows it by its id.
#[server(name = GetAttempt, prefix = "/api", endpoint = "attempt", input = GetUrl)]
pub async fn attempt(key: ConnectionKey, id: String) -> Result<Option<AttemptProgress>, RequestError> {
    use crate::compose::credentials::compose_attempt;
    let context = crate::request_context::RequestContext::of_request()?;
    let attempt = context.answer(context.services.attempt(&context.admin, &key, &id).await)?;
    let now = context.services.clock.now();
    Ok(attempt.map(|attempt| crate::panels::progress(compose_attempt(&attempt, context.admin.id, now))))
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
/// them, and after any other the page says that nothing was done with them. `shown` are the digests of the panels that
/// the page has, with commas between them.
#[server(name = SubmitConnector, prefix = "/api", endpoint = "connector")]
pub async fn submit_connector(
    key: ConnectionKey,
    intent: String,
    #[server(default)] base: String,
    #[server(default)] content: FormContent,
    #[server(default)] choices: Choices,
    #[server(default)] client_secret: TypedSecret,
    #[server(default)] user_password: TypedSecret,
    #[server(default)] in_window: bool,
    #[server(default)] shown: String,
) -> Result<FormView, RequestError> {
    use crate::compose::connector::show_submitted;
    use crate::form::panels::ShownPanels;
    use ipack_core::{
        connector::submission::Submission, secrets::credentials::ToForget, tokens::authorization::Initiator,
    };
    use ipack_domain::tokens::{SecretField, TypedSecrets};
    let context = crate::request_context::RequestContext::of_request()?;
    let no_such_button =
        || context.fail(ipack_domain::error::AppError::in_field("intent", "The form has no such button."));
    let button = Button::parse(&intent).ok_or_else(no_such_button)?;
    let submission = Submission { button, choices, base: Base::parse(&base), content };
    let secrets = TypedSecrets { client_secret, user_password };
    let services = &context.services;
    let admin = &context.admin;
    let save = |submission, asked| services.save_and_seal(admin, &key, submission, &secrets, asked);
    let forget =
        |submission, what, confirmed| services.forget_from_form(admin, &key, submission, what, confirmed);
    // Boxed, for the futures are large and are moved several times on their way.
    let answer = match button {
        Button::Keep | Button::AddRow(_) | Button::DeleteRow(..) | Button::Discard | Button::Preflight => {
            Box::pin(services.submit(admin, &key, submission)).await
        }
        Button::Save | Button::Resolve => Box::pin(save(submission, None)).await,
        Button::EncryptSecret => Box::pin(save(submission, Some(SecretField::ClientSecret))).await,
        Button::EncryptPassword => Box::pin(save(submission, Some(SecretField::Password))).await,
        Button::ResetSecret => Box::pin(forget(submission, ToForget::SecretsAndToken, false)).await,
        Button::ResetSecretConfirmed => Box::pin(forget(submission, ToForget::SecretsAndToken, true)).await,
        Button::Revoke => Box::pin(forget(submission, ToForget::Token, false)).await,
        Button::RevokeConfirmed => Box::pin(forget(submission, ToForget::Token, true)).await,
        Button::RefreshToken => Box::pin(services.refresh_from_form(admin, &key, submission)).await,
        Button::DiscardReplacement => Box::pin(services.discard_replacement(admin, &key, submission)).await,
        Button::Generate => {
            let browser = context.flow_cookie();
            let origin = Initiator { browser: &browser, in_window };
            Box::pin(services.begin_authorization(admin, &key, submission, &secrets, origin)).await
        }
    };
    let mut submitted = context.answer(answer)?;
    submitted.tell_unsealed(&secrets);
    let view = context.answer(show_submitted(services, submitted).await)?;
    context.go_back_to(&next_page(&key, &view, button));
    Ok(crate::panels::form_view(view, &ShownPanels::read(&shown)))
}

/// Where on the page the effect of a button is seen.
#[cfg(feature = "ssr")]
fn place_of(button: Button) -> String {
    match button {
        Button::AddRow(table) | Button::DeleteRow(table, _) => format!("#{}-add", table.slug()),
        Button::EncryptSecret
        | Button::EncryptPassword
        | Button::ResetSecret
        | Button::ResetSecretConfirmed
        | Button::DiscardReplacement => "#credentials".to_owned(),
        Button::Generate | Button::RefreshToken | Button::Revoke | Button::RevokeConfirmed => {
            "#token".to_owned()
        }
        Button::Keep | Button::Save | Button::Discard | Button::Resolve | Button::Preflight => String::new(),
    }
}

/// Where a page without JavaScript goes from here.
#[cfg(feature = "ssr")]
fn next_page(key: &ConnectionKey, view: &ConnectorView, button: Button) -> String {
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
        (Outcome::ChangedElsewhere, None) => (None, at("every_environment")),
        (_, None) => {
            let attempt = credentials.attempt.as_ref().filter(|attempt| !attempt.stage.is_over());
            match attempt.and_then(|attempt| attempt.address.as_ref()) {
                Some(address) if button == Button::Generate => return address.clone(),
                _ if button == Button::Preflight => return format!("{form}/preflight"),
                _ => (None, place_of(button)),
            }
        }
    };
    let problems =
        (!credentials.problems.is_empty()).then(|| CredentialProblem::query(&credentials.problems));
    let query: Vec<String> = question.map(str::to_owned).into_iter().chain(problems).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    format!("{form}{query}{place}")
}
