//! The likely causes of a failure, the likeliest first: each says what to do, and names the field of the form that is
//! to be changed. Where the provider is known, in its own words and with its own pages.

use crate::{
    advice::sentence,
    configuration::Configuration,
    failure::{FailureKind, kind_of, plain},
    presets::{self, Preset, Term},
    token_answer::{TokenError, refusal::Refusal},
};
use ipack_domain::{
    fields::{MenuField, SwitchField, Table, TextField},
    form_place::{Cause, FormPlace, ProviderPage},
    provider::Grant,
    tokens::SecretField,
};

const AGAIN: &str = "Generate the token again.";
const CLIENT_ID: FormPlace = FormPlace::Text(TextField::ClientId);
const CLIENT_SECRET: FormPlace = FormPlace::Secret(SecretField::ClientSecret);
const GRANT: FormPlace = FormPlace::Menu(MenuField::Grant);

/// What a provider was asked with.
#[derive(Clone, Copy)]
pub struct FailedRequest<'a> {
    pub configuration: &'a Configuration,
    /// Where the person came back to; `None` for a refresh.
    pub redirect_uri: Option<&'a str>,
}

impl FailedRequest<'_> {
    /// Of a token request that brought no token.
    pub fn causes_of(&self, error: &TokenError) -> Vec<Cause> {
        match error {
            TokenError::Refused { refusal, .. } => self.causes(refusal, error.kind()),
            TokenError::Malformed { words, .. } if error.kind() == FailureKind::Refused => {
                self.causes(words, FailureKind::Refused)
            }
            TokenError::Malformed { status, .. } if *status >= 500 => vec![self.busy()],
            TokenError::Outbound(_) | TokenError::Malformed { .. } | TokenError::Endpoint(_) => {
                let text =
                    "Check the token endpoint, under Identity provider; if it is right, try again later.";
                vec![Cause::new(text).at(self.place_of_endpoints())]
            }
            TokenError::ClientCredentials(_) => {
                vec![Cause::new(format!("Enter it again. {AGAIN}")).at(CLIENT_SECRET)]
            }
        }
    }

    /// Of an error that the person's browser brought back instead of a code.
    pub fn causes_on_return(&self, refusal: &Refusal) -> Vec<Cause> {
        let mut causes = self.causes(refusal, kind_of(refusal));
        // The message above them has the code alone.
        if let (Some(first), Some(said)) = (causes.first_mut(), &refusal.description) {
            first.text = format!("The provider says: {} {}", sentence(said), first.text);
        }
        causes
    }

    /// Of an answer with neither a code nor an error in it.
    pub fn causes_of_silence(&self) -> Vec<Cause> {
        self.invalid_request()
    }

    fn causes(&self, refusal: &Refusal, kind: FailureKind) -> Vec<Cause> {
        let code = plain(refusal.code.as_deref().unwrap_or_default());
        match kind {
            FailureKind::Misconfigured(place) => self.misconfigured(place),
            FailureKind::Refused if code.ends_with("required") => vec![
                Cause::new(
                    "The provider wants to ask the person something. Remove a prompt=none from the Authorization Parameters, \
                     and generate the token again.",
                )
                .at(FormPlace::Table(Table::Authorization)),
            ],
            FailureKind::Refused => self.dead_grant(),
            FailureKind::Passing => match &*code {
                "accessdenied" => self.denied(),
                "invalidrequest" => self.invalid_request(),
                "servererror" | "temporarilyunavailable" | "slowdown" => vec![self.busy()],
                _ => vec![
                    Cause::new(format!(
                        "Look the code up in the provider’s documentation, put it right there or here. {AGAIN}"
                    ))
                    .with_page(self.documentation()),
                ],
            },
        }
    }

    fn misconfigured(&self, place: FormPlace) -> Vec<Cause> {
        let name = self.name();
        match place {
            FormPlace::RedirectUri => vec![self.redirect_uri("Register this redirect URI")],
            FormPlace::Text(TextField::Scopes) => vec![
                Cause::new(format!(
                    "{name} does not grant one of the scopes. Compare them with those that your application may ask for."
                ))
                .at(place)
                .with_page(self.applications()),
            ],
            FormPlace::Menu(MenuField::Grant) => vec![
                Cause::new(format!("{name} does not offer this grant. Choose another one.")).at(place),
                self.of_application("The application is registered for another grant."),
            ],
            CLIENT_ID => vec![
                Cause::new(format!(
                    "{name} does not know this client, or not for this. Compare {} with the application you registered there.",
                    self.client_id()
                ))
                .at(CLIENT_ID)
                .with_page(self.applications()),
                Cause::new("The application may not use this grant. Allow it there, or choose another one.").at(GRANT),
            ],
            CLIENT_SECRET => self.wrong_secret(),
            _ => vec![Cause::new(format!("Put it right. {AGAIN}")).at(place)],
        }
    }

    fn wrong_secret(&self) -> Vec<Cause> {
        let name = self.name();
        let mut causes = vec![
            Cause::new(format!(
                "{name} does not know this client, or not with this secret. Compare {} and {} with the application you \
                 registered there; the secret may have run out.",
                self.client_id(),
                self.client_secret(),
            ))
            .at(CLIENT_SECRET)
            .with_page(self.applications()),
            Cause::new("The id may be that of another application, or of a test environment.").at(CLIENT_ID),
            Cause::new(
                "Where both are right, the secret has to be sent in another way: in the request’s body, or in a header that \
                 is not form-encoded.",
            )
            .at(FormPlace::Menu(MenuField::ClientAuthentication)),
        ];
        if self.configuration.pkce && self.configuration.grant == Grant::AuthorizationCode {
            let text = "Or the provider takes no request with PKCE: switch PKCE off.";
            causes.push(Cause::new(text).at(FormPlace::Switch(SwitchField::WithoutPkce)));
        }
        causes
    }

    /// What was given out is not accepted any more, or never was.
    fn dead_grant(&self) -> Vec<Cause> {
        let mut causes = vec![Cause::new(format!(
            "{} no longer accepts what it gave out: it ran out, was used before, or access was withdrawn. {AGAIN}",
            self.name()
        ))];
        match self.configuration.grant {
            Grant::JwtBearer => {
                causes.clear();
                for (text, field) in [
                    ("The subject is unknown there, or has not allowed the application.", TextField::Subject),
                    ("The assertion is meant for somebody else.", TextField::Audience),
                    ("The key is not the one that is registered there.", TextField::KeyId),
                ] {
                    causes.push(Cause::new(text).at(FormPlace::Text(field)));
                }
            }
            Grant::Password => {
                let text = "The password, or the name of the person, is not right.";
                causes = vec![Cause::new(text).at(FormPlace::Secret(SecretField::Password))];
            }
            Grant::AuthorizationCode if self.redirect_uri.is_some() => {
                causes.push(self.redirect_uri("If it happens each time, register this redirect URI"));
            }
            Grant::AuthorizationCode | Grant::ClientCredentials | Grant::AsProvider => {}
        }
        causes
    }

    fn denied(&self) -> Vec<Cause> {
        vec![
            Cause::new(format!(
                "The person at the identity provider refused. {AGAIN} Allow the access there."
            )),
            self.of_application("Or an administrator there has to allow the application first."),
        ]
    }

    fn invalid_request(&self) -> Vec<Cause> {
        let table = match self.redirect_uri {
            Some(_) => Table::Authorization,
            None => Table::AccessToken,
        };
        let mut causes = vec![
            Cause::new(format!(
                "{} found a parameter missing or wrong. Check the tables of parameters.",
                self.name()
            ))
            .at(FormPlace::Table(table))
            .with_page(self.documentation()),
        ];
        if self.redirect_uri.is_some() && self.configuration.grant == Grant::AuthorizationCode {
            causes.push(self.redirect_uri("Register this redirect URI"));
        }
        causes
    }

    fn busy(&self) -> Cause {
        Cause::new(format!("{} cannot do it at the moment. Try again in a few minutes.", self.name()))
    }

    fn redirect_uri(&self, what_to_do: &str) -> Cause {
        let registration = self.preset().and_then(|preset| preset.registration.as_ref());
        let field = registration.and_then(|registration| registration.redirect_uri.as_deref());
        let field = field.map(|field| format!(", under {field}")).unwrap_or_default();
        let uri = self.redirect_uri.map(|uri| format!(": {uri}")).unwrap_or_else(|| ".".to_owned());
        let provider = self.preset().map_or("the provider", |preset| &preset.name);
        Cause::new(format!("{what_to_do} with {provider}{field}, exactly as it stands{uri}"))
            .at(FormPlace::RedirectUri)
            .with_page(self.applications())
    }

    fn of_application(&self, text: &str) -> Cause {
        Cause::new(text).with_page(self.applications())
    }

    /// Where on the form it is said where tokens come from.
    fn place_of_endpoints(&self) -> FormPlace {
        let Configuration { endpoints, destination, .. } = self.configuration;
        match endpoints.issuer {
            _ if self.preset().is_some() => FormPlace::Menu(MenuField::Provider),
            None => FormPlace::Text(TextField::TokenEndpoint),
            Some(_) if destination.provider == destination.base_url => FormPlace::Text(TextField::BaseUrl),
            Some(_) => FormPlace::Text(TextField::Issuer),
        }
    }

    fn preset(&self) -> Option<&'static Preset> {
        presets::find(&self.configuration.preset)
    }

    fn name(&self) -> &'static str {
        self.preset().map_or("The provider", |preset| &preset.name)
    }

    fn client_id(&self) -> String {
        called(CLIENT_ID.label(), self.preset().map(|preset| &preset.terms.client_id))
    }

    fn client_secret(&self) -> String {
        called(CLIENT_SECRET.label(), self.preset().map(|preset| &preset.terms.client_secret))
    }

    fn applications(&self) -> Option<ProviderPage> {
        let preset = self.preset()?;
        let address = preset.registration.as_ref()?.page.clone();
        Some(ProviderPage { address, label: format!("Applications at {}", preset.name) })
    }

    fn documentation(&self) -> Option<ProviderPage> {
        let preset = self.preset()?;
        let label = format!("{}’s documentation", preset.name);
        Some(ProviderPage { address: preset.documentation.clone(), label })
    }
}

/// A field by the form's label, and by the provider's own word where that is another one.
fn called(label: &str, term: Option<&Term>) -> String {
    match term.and_then(|term| term.name.as_ref()).filter(|name| *name != label) {
        Some(name) => format!("{label} (there: {name})"),
        None => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CALLBACK: &str = "https://me.example/oauth/callback/account/x";

    fn causes(preset: &str, grant: Grant, redirect_uri: Option<&str>, error: &str) -> Vec<Cause> {
        let configuration =
            Configuration { preset: preset.to_owned(), grant, pkce: true, ..Configuration::default() };
        let refusal =
            Refusal::read(&json!({ "error": error }), &crate::advice::Redactor::new([])).expect("one");
        FailedRequest { configuration: &configuration, redirect_uri }.causes_on_return(&refusal)
    }

    fn places(causes: &[Cause]) -> Vec<String> {
        causes.iter().filter_map(|cause| cause.place.map(FormPlace::id)).collect()
    }

    #[test]
    fn the_likeliest_cause_comes_first_and_each_leads_to_its_field() {
        for (error, expected) in [
            (
                "invalid_client",
                &["client_secret", "client_id", "provider-clientAuthentication", "provider-withoutPkce"][..],
            ),
            (
                "BAD_CLIENT_SECRET",
                &["client_secret", "client_id", "provider-clientAuthentication", "provider-withoutPkce"],
            ),
            ("unauthorized_client", &["client_id", "provider-grant"]),
            ("invalid_scope", &["provider-scopes"]),
            ("bad_redirect_uri", &["redirect-uri"]),
            ("unsupported_response_type", &["provider-grant"]),
            ("invalid_request", &["authorization-add", "redirect-uri"]),
            ("invalid_grant", &["redirect-uri"]),
            ("login_required", &["authorization-add"]),
            ("access_denied", &[]),
            ("server_error", &[]),
            ("E4711", &[]),
        ] {
            let causes = causes("", Grant::AuthorizationCode, Some(CALLBACK), error);
            assert_eq!(places(&causes), expected, "{error}");
            assert!(causes.iter().all(|cause| cause.page.is_none()), "{error}: of no known provider");
        }
    }

    #[test]
    fn a_grant_that_needs_nobody_is_not_told_of_pkce_or_redirects() {
        let wrong = causes("", Grant::ClientCredentials, None, "invalid_client");
        assert_eq!(places(&wrong), ["client_secret", "client_id", "provider-clientAuthentication"]);
        let assertion = causes("", Grant::JwtBearer, None, "invalid_grant");
        assert_eq!(places(&assertion), ["provider-subject", "provider-audience", "provider-keyId"]);
        assert_eq!(places(&causes("", Grant::AuthorizationCode, None, "invalid_grant")), [""; 0]);
    }

    /// Every preset, so that none names a page that it does not have or leaves its own words out.
    #[test]
    fn a_known_provider_is_told_of_in_its_own_words_and_with_its_own_pages() {
        let mut own_words = 0;
        for preset in presets::all() {
            let wrong = causes(&preset.id, Grant::AuthorizationCode, Some(CALLBACK), "invalid_client");
            let first = &wrong[0];
            assert!(first.text.starts_with(&preset.name), "{}", first.text);
            for term in [&preset.terms.client_id, &preset.terms.client_secret] {
                if let Some(name) = &term.name {
                    own_words += 1;
                    assert!(first.text.contains(name.as_str()), "{}: {}", preset.id, first.text);
                }
            }
            let page = preset.registration.as_ref().map(|registration| registration.page.as_str());
            assert_eq!(first.page.as_ref().map(|page| page.address.as_str()), page, "{}", preset.id);
            let redirect =
                causes(&preset.id, Grant::AuthorizationCode, Some(CALLBACK), "redirect_uri_mismatch");
            let field =
                preset.registration.as_ref().and_then(|registration| registration.redirect_uri.as_deref());
            let text = &redirect[0].text;
            assert!(text.contains(field.unwrap_or_default()) && text.ends_with(CALLBACK), "{text}");
        }
        assert!(own_words > 20, "{own_words}");
    }

    #[test]
    fn what_the_provider_says_of_a_refusal_is_said_once() {
        let configuration = Configuration::default();
        let request = FailedRequest { configuration: &configuration, redirect_uri: Some(CALLBACK) };
        let refusal = Refusal { code: Some("access_denied".into()), description: Some("She said no".into()) };
        let texts: Vec<_> = request.causes_on_return(&refusal).into_iter().map(|cause| cause.text).collect();
        assert_eq!(texts.join(" ").matches("She said no").count(), 1, "{texts:?}");
    }
}
