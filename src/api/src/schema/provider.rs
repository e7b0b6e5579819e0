//! The form's provider section, as clients read and change it.

use crate::schema::{
    enums::{ClientAuthentication, Grant, SigningAlgorithm},
    inputs::{FindInput, Given, library_kinds},
};
use async_graphql::{InputObject, SimpleObject};
use ipack_core::{Result, ServiceError, connector::provider_settings::ProviderChange};
use ipack_domain::{
    fields::{MenuField, SwitchField, TextField},
    ids::ConnectionKey,
    provider::ProviderChoice,
};

library_kinds!(SetProviderInput: nullable false, ProviderInput: nullable false);

/// The provider section of a connection's form. What is null is as the provider has it.
#[derive(SimpleObject)]
#[graphql(name = "OauthProvider")]
pub struct Provider {
    /// The id of a known provider, or `endpoints`; null where the endpoints are discovered.
    provider: Option<String>,
    /// The id of one of the known provider's regions; null is the first.
    region: Option<String>,
    /// Where they are discovered; null is at the Base URL.
    issuer: Option<String>,
    /// The page where a person agrees.
    authorization_endpoint: Option<String>,
    /// Where codes are traded for tokens.
    token_endpoint: Option<String>,
    /// Where tokens are revoked.
    revocation_endpoint: Option<String>,
    /// How tokens are asked for.
    grant: Option<Grant>,
    /// Scopes with blanks between them.
    scopes: Option<String>,
    /// How the client proves itself at the token endpoint.
    client_authentication: Option<ClientAuthentication>,
    /// Whether PKCE is switched off.
    without_pkce: bool,
    /// Whom the token is for, with the grants JWT bearer and password.
    subject: Option<String>,
    /// The key's name at the provider, for signed JWTs.
    key_id: Option<String>,
    /// Whom a JWT bearer assertion is meant for.
    audience: Option<String>,
    /// What stands between two scopes; null is a blank.
    scope_separator: Option<String>,
    /// How long tokens live, where the provider's answers do not say so.
    token_lifetime: Option<String>,
    /// The parameter of the redirect that names the company.
    company_parameter: Option<String>,
    /// How JWTs are signed; null is as the key has it.
    algorithm: Option<SigningAlgorithm>,
    /// The certificate of the signing key in PEM, or its SHA-256 thumbprint.
    certificate: Option<String>,
    /// More claims of signed JWTs: a JSON object.
    claims: Option<String>,
    /// Whether tokens are asked for in JSON.
    json_body: bool,
    /// Whether the scopes are sent at each refresh.
    scope_at_refresh: bool,
    /// Whether the redirect URI is sent at each refresh.
    redirect_uri_at_refresh: bool,
}

impl From<ProviderChoice> for Provider {
    fn from(choice: ProviderChoice) -> Self {
        // Taken apart, so that a member without a field does not compile.
        let ProviderChoice {
            provider,
            region,
            issuer,
            authorization_endpoint,
            token_endpoint,
            revocation_endpoint,
            grant,
            scopes,
            client_authentication,
            without_pkce,
            subject,
            key_id,
            audience,
            scope_separator,
            company_parameter,
            token_lifetime,
            algorithm,
            certificate,
            claims,
            json_body,
            scope_at_refresh,
            redirect_uri_at_refresh,
        } = choice;
        let set = |text: String| (!text.is_empty()).then_some(text);
        Self {
            provider: set(provider),
            region: set(region),
            issuer: set(issuer),
            authorization_endpoint: set(authorization_endpoint),
            token_endpoint: set(token_endpoint),
            revocation_endpoint: set(revocation_endpoint),
            grant: Grant::of(grant),
            scopes: set(scopes),
            client_authentication: ClientAuthentication::of(client_authentication),
            without_pkce,
            subject: set(subject),
            key_id: set(key_id),
            audience: set(audience),
            scope_separator: set(scope_separator),
            token_lifetime: set(token_lifetime),
            company_parameter: set(company_parameter),
            algorithm: SigningAlgorithm::of(algorithm),
            certificate: set(certificate),
            claims: set(claims),
            json_body,
            scope_at_refresh,
            redirect_uri_at_refresh,
        }
    }
}

/// What is to change in the provider section of a connection's form. The five ids are required.
#[derive(InputObject)]
#[graphql(name = "SetIPackInstanceOauthProviderInput")]
pub struct SetProviderInput {
    /// The instance of the integration pack.
    integration_pack_instance_id: Given<String>,
    /// The environment that the provider is for.
    env_id: Given<String>,
    /// A process of the instance.
    process_id: Given<String>,
    /// A connection of the process.
    connection_id: Given<String>,
    /// The Space's guid; equals the header `SPACE_GUID`.
    catalog_guid: Given<String>,
    /// The fields to change.
    provider: Given<ProviderInput>,
}

impl SetProviderInput {
    /// # Errors
    /// `BadInput` for the first field that will not do.
    pub fn checked(self) -> Result<(ConnectionKey, ProviderChange)> {
        let key = FindInput {
            integration_pack_instance_id: self.integration_pack_instance_id,
            env_id: self.env_id,
            process_id: self.process_id,
            connection_id: self.connection_id,
            catalog_guid: self.catalog_guid,
        };
        Ok((key.checked()?, self.provider.required("provider")?.checked()?))
    }
}

/// Fields of the provider section. One that is left out stays as it is; null clears it, which means: as the provider has
/// it.
#[derive(InputObject)]
#[graphql(name = "OauthProviderInput")]
pub struct ProviderInput {
    /// The id of a known provider, or `endpoints`; null discovers the endpoints from the Base URL.
    provider: Given<String>,
    /// The id of one of the known provider's regions; null is the first.
    region: Given<String>,
    /// Where to discover, if not at the Base URL: the exact issuer identifier.
    issuer: Given<String>,
    /// With `endpoints`: the page where a person agrees.
    authorization_endpoint: Given<String>,
    /// With `endpoints`: where codes are traded for tokens.
    token_endpoint: Given<String>,
    /// With `endpoints`: where tokens are revoked (RFC 7009).
    revocation_endpoint: Given<String>,
    /// How tokens are asked for.
    grant: Given<Grant>,
    /// Scopes with blanks between them.
    scopes: Given<String>,
    /// How the client proves itself at the token endpoint.
    client_authentication: Given<ClientAuthentication>,
    /// Switches PKCE off.
    without_pkce: Given<bool>,
    /// Whom the token is for, with the grants JWT bearer and password.
    subject: Given<String>,
    /// The key's name at the provider, for signed JWTs.
    key_id: Given<String>,
    /// Whom a JWT bearer assertion is meant for, if not the token endpoint.
    audience: Given<String>,
    /// What stands between two scopes, if not a blank.
    scope_separator: Given<String>,
    /// How long tokens live, where the provider's answers do not say so: whole seconds, or `never`.
    token_lifetime: Given<String>,
    /// The parameter of the redirect that names the company.
    company_parameter: Given<String>,
    /// How JWTs are signed, if not as the key has it.
    algorithm: Given<SigningAlgorithm>,
    /// The certificate of the signing key in PEM, or its SHA-256 thumbprint.
    certificate: Given<String>,
    /// More claims of signed JWTs: a JSON object.
    claims: Given<String>,
    /// Asks for tokens in JSON.
    json_body: Given<bool>,
    /// Sends the scopes at each refresh.
    scope_at_refresh: Given<bool>,
    /// Sends the redirect URI at each refresh.
    redirect_uri_at_refresh: Given<bool>,
}

impl ProviderInput {
    fn checked(self) -> Result<ProviderChange> {
        let mut change = ProviderChange::default();
        for (field, given) in [
            (TextField::Issuer, self.issuer),
            (TextField::AuthorizationEndpoint, self.authorization_endpoint),
            (TextField::TokenEndpoint, self.token_endpoint),
            (TextField::RevocationEndpoint, self.revocation_endpoint),
            (TextField::Scopes, self.scopes),
            (TextField::Subject, self.subject),
            (TextField::KeyId, self.key_id),
            (TextField::Audience, self.audience),
            (TextField::ScopeSeparator, self.scope_separator),
            (TextField::TokenLifetime, self.token_lifetime),
            (TextField::CompanyParameter, self.company_parameter),
            (TextField::Certificate, self.certificate),
            (TextField::Claims, self.claims),
        ] {
            change.texts.extend(changed_text(given, field.about().name)?.map(|text| (field, text)));
        }
        for (field, given) in [(MenuField::Provider, self.provider), (MenuField::Region, self.region)] {
            change.menus.extend(changed_text(given, field.about().name)?.map(|id| (field, id)));
        }
        let grant = self.grant.changed(MenuField::Grant.about().name)?;
        let way = self.client_authentication.changed(MenuField::ClientAuthentication.about().name)?;
        let algorithm = self.algorithm.changed(MenuField::Algorithm.about().name)?;
        let grant = grant.map(|grant| grant.map_or("", Grant::name).to_owned());
        let algorithm = algorithm.map(|one| one.map_or("", SigningAlgorithm::name).to_owned());
        let way = way.map(|way| way.map_or("", ClientAuthentication::name).to_owned());
        change.menus.extend(grant.map(|name| (MenuField::Grant, name)));
        change.menus.extend(way.map(|name| (MenuField::ClientAuthentication, name)));
        change.menus.extend(algorithm.map(|name| (MenuField::Algorithm, name)));
        for (field, given) in [
            (SwitchField::WithoutPkce, self.without_pkce),
            (SwitchField::JsonBody, self.json_body),
            (SwitchField::ScopeAtRefresh, self.scope_at_refresh),
            (SwitchField::RedirectUriAtRefresh, self.redirect_uri_at_refresh),
        ] {
            let is_on = given.changed(field.about().name)?;
            change.switches.extend(is_on.map(|is_on| (field, is_on.unwrap_or_default())));
        }
        Ok(change)
    }
}

fn changed_text(given: Given<String>, field: &str) -> Result<Option<String>> {
    let Some(text) = given.changed(field)? else { return Ok(None) };
    let text = text.unwrap_or_default();
    // A certificate has lines.
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return Err(ServiceError::bad_input(field, "must not contain control characters"));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use crate::schema::TYPES;
    use async_graphql::registry::MetaType;
    use ipack_domain::{about::Section, fields::Field};
    use std::collections::BTreeSet;

    #[test]
    fn each_field_of_the_forms_section_can_be_set_and_read() {
        let is_of_section = |field: &Field| {
            matches!(field.section(), Some(Section::Provider | Section::Advanced | Section::Special))
        };
        let of_form = Field::all().filter(is_of_section).map(|field| match field {
            Field::Text(text) => text.about().name,
            Field::Menu(menu) => menu.about().name,
            Field::Switch(switch) => switch.about().name,
            Field::Table(_) => "",
        });
        let of_form: BTreeSet<&str> = of_form.collect();
        let MetaType::InputObject { input_fields, .. } = &TYPES.types["OauthProviderInput"] else {
            panic!("it is an input object");
        };
        assert_eq!(input_fields.keys().map(String::as_str).collect::<BTreeSet<_>>(), of_form);
        let object = TYPES.types["OauthProvider"].fields().expect("an object");
        assert_eq!(object.keys().map(String::as_str).collect::<BTreeSet<_>>(), of_form);
    }
}
