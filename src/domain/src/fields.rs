//! The registry of the form's fields: what each is called, where it stands, when it is asked for and what may be in it.
//!
//! Validation, tidying, merging, the difference of two contents, the page's inputs and what it posts follow from here.
//! A field is of one of four kinds, and each kind has a way to its value in [`FormContent`](crate::form::FormContent).
//! To add one: a member of `FormContent` or `ProviderChoice`, a variant of its kind with its description here, and its
//! line in `FormContent`'s access by kind; the compiler names each of these that is forgotten.

use crate::{
    about::{About, Asked, Check, Section},
    parts::Part,
    provider::{ClientAuthentication, Grant, SigningAlgorithm},
};
use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// A field of the form: the smallest piece that two pages can change without meeting, tables row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Menu(MenuField),
    Text(TextField),
    Switch(SwitchField),
    Table(Table),
}

impl Field {
    /// In the order of the page.
    pub fn all() -> impl Iterator<Item = Self> {
        let menus = MenuField::VARIANTS.iter().copied().map(Self::Menu);
        let texts = TextField::VARIANTS.iter().copied().map(Self::Text);
        let switches = SwitchField::VARIANTS.iter().copied().map(Self::Switch);
        let tables = Table::VARIANTS.iter().copied().map(Self::Table);
        menus.chain(texts).chain(switches).chain(tables)
    }

    /// `None` for a table, which has a place of its own.
    pub fn section(self) -> Option<Section> {
        match self {
            Self::Menu(menu) => Some(menu.about().section),
            Self::Text(text) => Some(text.about().section),
            Self::Switch(switch) => Some(switch.about().section),
            Self::Table(_) => None,
        }
    }

    pub fn part(self) -> Part {
        match self {
            Self::Menu(menu) => menu.about().part,
            Self::Text(text) => text.about().part,
            Self::Switch(switch) => switch.about().part,
            Self::Table(table) => table.part(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
pub enum TextField {
    BaseUrl,
    CompanyId,
    ClientId,
    Issuer,
    AuthorizationEndpoint,
    TokenEndpoint,
    RevocationEndpoint,
    Scopes,
    Subject,
    KeyId,
    Audience,
    ScopeSeparator,
    TokenLifetime,
    CompanyParameter,
    Certificate,
    Claims,
}

impl TextField {
    #[rustfmt::skip]
    pub fn about(self) -> About {
        use Asked::{IfActing, IfCode, IfDiscovered, IfEndpoints, IfSigning};
        match self {
            Self::BaseUrl =>
                About::detail(Part::BaseUrl, "Base URL", "Where the service answers").wide().checked(Check::Url),
            Self::CompanyId => About::detail(
                Part::CompanyId, "Company ID", "The tenant or realm, if the service asks for one"),
            Self::ClientId => About::detail(
                Part::ClientId, "Client ID", "From the application you registered there"),
            Self::Issuer => About::provider(
                "issuer", "Issuer", "Only where it is not the address above: the exact issuer identifier.",
            ).asked(IfDiscovered).wide().checked(Check::Issuer),
            Self::AuthorizationEndpoint => About::provider(
                "authorizationEndpoint", "Authorization endpoint", "The page where a person agrees.",
            ).asked(IfEndpoints).wide().checked(Check::Url),
            Self::TokenEndpoint => About::provider(
                "tokenEndpoint", "Token endpoint", "Where codes are traded for tokens.",
            ).asked(IfEndpoints).checked(Check::NeededUrl),
            Self::RevocationEndpoint => About::provider(
                "revocationEndpoint", "Revocation endpoint", "If there is one (RFC 7009).",
            ).asked(IfEndpoints).checked(Check::Url),
            Self::Scopes => About::provider(
                "scopes", "Scopes", "Separated by blanks or commas. Left empty, the provider’s usual ones.").wide(),
            Self::Subject => About::advanced(
                "subject", "Subject", "JWT bearer and password grant: whom the token is for.").asked(IfActing),
            Self::KeyId => About::advanced(
                "keyId", "Key ID", "Signed JWTs: the key’s name at the provider, if it has one.",
            ).asked(IfSigning),
            Self::Audience => About::advanced(
                "audience", "Audience", "Signed JWTs: whom they are meant for, if not the token endpoint.",
            ).asked(IfSigning),
            Self::ScopeSeparator => About::advanced(
                "scopeSeparator", "Scope separator", "A blank if left empty; some providers want a comma."),
            Self::TokenLifetime => About::advanced(
                "tokenLifetime", "Lifetime of tokens", "In seconds, or never; where the provider’s answers name none.",
            ).checked(Check::Lifetime),
            Self::CompanyParameter => About::advanced(
                "companyParameter", "Callback parameter", "Its value on the way back names the company (realmId).",
            ).asked(IfCode),
            Self::Certificate => About::special(
                "certificate", "Certificate", "Signed JWTs: the key’s certificate in PEM, or its SHA-256 thumbprint (x5t#S256).",
            ).asked(IfSigning),
            Self::Claims => About::special(
                "claims", "More claims", "Signed JWTs: a JSON object, as in {\"scope\": [\"rest_webservices\"]}.",
            ).asked(IfSigning).checked(Check::JsonObject),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
pub enum MenuField {
    Provider,
    Region,
    Grant,
    ClientAuthentication,
    Algorithm,
}

impl MenuField {
    pub fn about(self) -> About {
        match self {
            Self::Provider => About::provider(
                "provider",
                "Provider",
                "Where tokens come from. Without a choice, the endpoints are discovered from the address above.",
            )
            .wide(),
            Self::Region => About::provider("region", "Region", "Where the provider keeps the account."),
            Self::Grant => About::advanced("grant", "Grant", ""),
            Self::ClientAuthentication => {
                About::advanced("clientAuthentication", "Client authentication", "")
            }
            Self::Algorithm => {
                About::special("algorithm", "Signature algorithm", "").asked(Asked::IfSigning)
            }
        }
    }

    /// Names and labels of what can be chosen; empty where only the server knows.
    pub fn options(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Provider | Self::Region => Vec::new(),
            Self::Grant => Grant::VARIANTS.iter().map(|one| (one.name(), one.label())).collect(),
            Self::ClientAuthentication => {
                ClientAuthentication::VARIANTS.iter().map(|one| (one.name(), one.label())).collect()
            }
            Self::Algorithm => {
                SigningAlgorithm::VARIANTS.iter().map(|one| (one.name(), one.label())).collect()
            }
        }
    }

    /// The label of what is chosen, where something is.
    pub fn chosen(self, name: &str) -> Option<&'static str> {
        let options = self.options();
        options.into_iter().find(|option| option.0 == name && !name.is_empty()).map(|(_, label)| label)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
pub enum SwitchField {
    WithoutPkce,
    JsonBody,
    ScopeAtRefresh,
    RedirectUriAtRefresh,
    EveryEnvironment,
}

impl SwitchField {
    pub fn about(self) -> About {
        match self {
            Self::WithoutPkce => About::advanced(
                "withoutPkce",
                "Switch PKCE off",
                "Only for a provider that refuses requests with it: a stolen code is then as good as yours.",
            )
            .asked(Asked::IfCode)
            .wide(),
            Self::JsonBody => {
                About::special("jsonBody", "Send token requests as JSON", "In place of a form.").wide()
            }
            Self::ScopeAtRefresh => {
                About::special("scopeAtRefresh", "Send the scopes at each refresh", "").wide()
            }
            Self::RedirectUriAtRefresh => {
                About::special("redirectUriAtRefresh", "Send the redirect URI at each refresh", "")
                    .asked(Asked::IfCode)
                    .wide()
            }
            Self::EveryEnvironment => About {
                section: Section::Scope,
                ..About::detail(Part::AppliesTo, "Every environment of this integration", "")
            },
        }
    }

    /// What is said where it is on.
    pub fn told(self) -> &'static str {
        match self {
            Self::WithoutPkce => "PKCE switched off",
            Self::JsonBody => "Token requests as JSON",
            Self::ScopeAtRefresh => "Scopes at each refresh",
            Self::RedirectUriAtRefresh => "Redirect URI at each refresh",
            Self::EveryEnvironment => "Every environment",
        }
    }
}

/// The tables of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
pub enum Table {
    Authorization,
    AccessToken,
}

impl Table {
    pub fn part(self) -> Part {
        match self {
            Self::Authorization => Part::Authorization,
            Self::AccessToken => Part::AccessToken,
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Authorization => "Authorization Parameters",
            Self::AccessToken => "Access Token Parameters",
        }
    }

    pub fn hint(self) -> &'static str {
        match self {
            Self::Authorization => "Added to the address that opens the provider’s consent page.",
            Self::AccessToken => "Sent along when a token is asked for.",
        }
    }

    /// How buttons and ids name it.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::AccessToken => "access-token",
        }
    }

    pub fn of_slug(slug: &str) -> Option<Self> {
        Self::VARIANTS.iter().copied().find(|table| table.slug() == slug)
    }
}
