//! Known providers: facts from the files under `presets/`, one for each field of business.
//!
//! What the keys mean is said at [`Preset`]. Facts only: each is from the provider's documentation or from the page that
//! `sources` names for it, and what no page says is left out. A key or value that is not known is refused when the tests
//! read the files. To add a provider: copy a table, give it a new id, and take each value from such a page. Another fact
//! about providers is a field here, checked in `presets_tests.rs` where it can be wrong.

use ipack_domain::provider::{ClientAuthentication, Grant};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

/// Whether a provider supports PKCE (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pkce {
    Required,
    Supported,
    /// Not documented for a client with a secret, and harmless: unknown parameters are ignored (RFC 6749, section 3.1).
    Unsupported,
    /// Not documented either, and the provider is known to refuse or to mistake a request with it: never sent.
    Refused,
}

/// What a refresh does to the refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refresh {
    /// An answer to a refresh brings a new refresh token.
    Rotates,
    /// The same one stays in use.
    Keeps,
    /// There are no refresh tokens.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Revocation {
    /// POST of the form `token=…` with client authentication.
    Rfc7009,
    None,
}

/// What is known of a provider. Lifetimes are in seconds.
///
/// Placeholders in the endpoints, the issuer and `verify`: `{base_url}` is the form's Base URL without a slash at its end;
/// `{company_id}` is the form's Company ID, and fills one host label or one path segment; `{region}` is the value of the
/// chosen region.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Stands in redirect URIs that admins have registered, so it never changes: lower-case words and digits joined by `-`.
    pub id: String,
    /// What the menu shows, and is sorted by.
    pub name: String,
    /// The page that the facts are from.
    pub documentation: String,
    /// By the name of a key, the page that this fact is from where it is another one.
    #[serde(default)]
    pub sources: BTreeMap<String, String>,
    /// Issuer identifier, exactly as the provider publishes it or sends it as `iss` (RFC 8414, RFC 9207).
    #[serde(default)]
    pub issuer: Option<String>,
    /// Required where `grants` has `authorization_code`.
    #[serde(default)]
    pub authorization_endpoint: Option<String>,
    pub token_endpoint: String,
    #[serde(default)]
    pub revocation_endpoint: Option<String>,
    /// What an integration typically asks for; none where the application's registration decides.
    pub scopes: Vec<String>,
    #[serde(default = "blank")]
    pub scope_separator: String,
    pub pkce: Pkce,
    pub client_authentication: ClientAuthentication,
    /// Those that are documented and that can be done here. The first is what a connection uses where nothing else is
    /// chosen.
    pub grants: Vec<Grant>,
    /// Audience of the JWT bearer grant's assertion; the token endpoint where there is none.
    #[serde(default)]
    pub assertion_audience: Option<String>,
    #[serde(default)]
    pub refresh: Option<Refresh>,
    /// Used where an answer has no `expires_in`.
    #[serde(default)]
    pub access_token_seconds: Option<i64>,
    /// Where each use renews it, the time without use.
    #[serde(default)]
    pub refresh_token_seconds: Option<i64>,
    /// The longest that a client secret lives; absent where none ends by itself.
    #[serde(default)]
    pub client_secret_seconds: Option<i64>,
    pub revocation: Revocation,
    /// More query parameters of the authorization request, never a reserved one.
    #[serde(default)]
    pub authorization_parameters: BTreeMap<String, String>,
    /// More form parameters of the token request, never a reserved one.
    #[serde(default)]
    pub token_parameters: BTreeMap<String, String>,
    /// Base URLs of the API; the first is suggested. `<…>` is for a person to read and to replace.
    #[serde(default)]
    pub base_urls: Vec<String>,
    /// Where the provider has an authorization server for each region, the fixed list of them; the first is what a
    /// connection uses where nothing else is chosen.
    #[serde(default)]
    pub regions: Vec<Region>,
    /// Parameters of the redirect that name the region of the person's account, by its id or by its server's address.
    #[serde(default)]
    pub region_parameters: Vec<String>,
    /// The parameter of the redirect that fills Company ID.
    #[serde(default)]
    pub company_id: Option<String>,
    /// Stands in where Company ID is empty.
    #[serde(default)]
    pub company_id_default: Option<String>,
    #[serde(default)]
    pub registration: Option<Registration>,
    #[serde(default)]
    pub terms: Terms,
    #[serde(default)]
    pub verify: Option<Verify>,
    /// One short sentence for the admin.
    #[serde(default)]
    pub note: Option<String>,
}

/// Where an application is registered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    pub page: String,
    /// What a person does there, one short sentence each.
    #[serde(default)]
    pub steps: Vec<String>,
    /// The provider's own word for where the redirect URI is entered.
    #[serde(default)]
    pub redirect_uri: Option<String>,
}

/// The provider's own words for the form's fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    pub base_url: Term,
    pub company_id: Term,
    pub client_id: Term,
    pub client_secret: Term,
}

/// A provider's own word for a field, and what its value looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Term {
    pub name: Option<String>,
    /// As [`fits`] reads it. That of a Base URL is in `base_urls`.
    pub pattern: Option<String>,
    pub example: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Stands in redirect URIs, as a preset's own id does.
    pub id: String,
    pub name: String,
    /// Fills `{region}`.
    pub value: String,
    /// The region's Base URL, where it has one of its own.
    #[serde(default)]
    pub base_url: Option<String>,
}

/// Who a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// Answers a GET with the token as Bearer in JSON; OpenID's userinfo endpoint, or one like it.
    pub address: String,
    /// Where in the answer a name stands, as JSON pointers (RFC 6901); the first that is there counts.
    #[serde(default = "userinfo_members")]
    pub members: Vec<String>,
}

impl Preset {
    /// Its endpoints lie where the customer's own instance does.
    pub fn is_on_the_customers_host(&self) -> bool {
        self.token_endpoint.contains("{base_url}")
    }

    /// The region with this id, the first for an empty one.
    pub fn region(&self, id: &str) -> Option<&Region> {
        self.regions.iter().find(|region| id.is_empty() || region.id == id)
    }
}

/// Whether a text is as a pattern has it, in which each `<…>` stands for one character or more.
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut literals = pattern.split('<').map(|part| part.split_once('>').map_or(part, |(_, after)| after));
    let Some(mut rest) = literals.next().and_then(|literal| text.strip_prefix(literal)) else { return false };
    let mut literals = literals.peekable();
    if literals.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(literal) = literals.next() {
        let mut after_one = rest.chars();
        if after_one.next().is_none() {
            return false;
        }
        let after_one = after_one.as_str();
        if literals.peek().is_none() {
            return after_one.ends_with(literal);
        }
        let Some((_, after)) = after_one.split_once(literal) else { return false };
        rest = after;
    }
    true
}

fn blank() -> String {
    " ".to_owned()
}

/// The claims of OpenID Connect that name a person, or at least tell one from another.
fn userinfo_members() -> Vec<String> {
    ["/email", "/preferred_username", "/name", "/sub"].map(str::to_owned).to_vec()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    provider: Vec<Preset>,
}

pub(crate) const FILES: [&str; 13] = [
    include_str!("presets/accounting.toml"),
    include_str!("presets/crm.toml"),
    include_str!("presets/erp.toml"),
    include_str!("presets/suites.toml"),
    include_str!("presets/commerce.toml"),
    include_str!("presets/support.toml"),
    include_str!("presets/hr.toml"),
    include_str!("presets/work.toml"),
    include_str!("presets/content.toml"),
    include_str!("presets/communication.toml"),
    include_str!("presets/marketing.toml"),
    include_str!("presets/data.toml"),
    include_str!("presets/identity.toml"),
];

static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let file = |text| toml::from_str::<File>(text).expect("a test reads these very files");
    FILES.into_iter().flat_map(|text| file(text).provider).collect()
});

/// Every preset, in the order of the files.
pub fn all() -> &'static [Preset] {
    &PRESETS
}

pub fn find(id: &str) -> Option<&'static Preset> {
    all().iter().find(|preset| preset.id == id)
}
