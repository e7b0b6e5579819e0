//! What clients send. Every argument and input field is a [`Given`], which takes anything, so that the library never
//! says what is wrong with a value (it would repeat it): we do, with the field's name.

use async_graphql::{ID, InputObject, InputType, InputValueResult, Value, registry::Registry};
use ipack_core::{
    Result, ServiceError,
    catalogue::instances::{MAX_PAGE, Page},
    connector::details::SaveDetails,
};
use ipack_domain::ids::ConnectionKey;
use secrecy::{ExposeSecret, SecretString};
use std::borrow::Cow;

/// A value as a client gave it, or did not.
pub enum Given<K> {
    Missing,
    Null,
    WrongType,
    Value(K),
}

/// A type of values that can be given.
pub trait Kind: Send + Sync + Sized {
    /// Whether the schema lets it be null.
    const NULLABLE: bool;
    fn type_name() -> Cow<'static, str>;
    fn register(registry: &mut Registry);
    /// `None` where the value is of another type.
    fn read(value: Value) -> Option<Self>;
    fn is_empty(&self) -> bool {
        false
    }
}

impl<K: Kind> InputType for Given<K> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        K::type_name()
    }

    fn qualified_type_name() -> String {
        let name = K::type_name();
        if K::NULLABLE { name.into_owned() } else { format!("{name}!") }
    }

    fn create_type_info(registry: &mut Registry) -> String {
        K::register(registry);
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        Ok(match value {
            None => Self::Missing,
            Some(Value::Null) => Self::Null,
            Some(value) => K::read(value).map_or(Self::WrongType, Self::Value),
        })
    }

    /// Only ever asked for defaults, of which there are none.
    fn to_value(&self) -> Value {
        Value::Null
    }

    fn as_raw_value(&self) -> Option<&Self> {
        None
    }
}

impl<K: Kind> Given<K> {
    /// # Errors
    /// `BadInput` with a message of its own for each way of not being there.
    pub fn required(self, field: &str) -> Result<K> {
        let message = match self {
            Self::Value(value) if value.is_empty() => "must not be empty",
            Self::Value(value) => return Ok(value),
            Self::Missing => "is missing",
            Self::Null => "must not be null",
            Self::WrongType => return Err(wrong_type::<K>(field)),
        };
        Err(ServiceError::bad_input(field, message))
    }

    /// # Errors
    /// `BadInput` where it is of another type.
    pub fn optional(self, field: &str) -> Result<Option<K>> {
        match self {
            Self::Value(value) => Ok(Some(value)),
            Self::Missing | Self::Null => Ok(None),
            Self::WrongType => Err(wrong_type::<K>(field)),
        }
    }
}

fn wrong_type<K: Kind>(field: &str) -> ServiceError {
    ServiceError::bad_input(field, must_be(&K::type_name()))
}

/// What is said of a value of another type.
pub fn must_be(type_name: &str) -> String {
    let article = if type_name.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    format!("must be {article} {type_name}")
}

/// Kinds that are read like one of the library's scalars.
macro_rules! scalar_kinds {
    ($($kind:ty as $scalar:ty, nullable $nullable:literal: |$value:ident| $read:expr, empty |$this:ident| $empty:expr;)+) => { $(
        impl Kind for $kind {
            const NULLABLE: bool = $nullable;
            fn type_name() -> Cow<'static, str> {
                <$scalar as InputType>::type_name()
            }
            fn register(registry: &mut Registry) {
                <$scalar as InputType>::create_type_info(registry);
            }
            fn read($value: Value) -> Option<Self> {
                $read
            }
            fn is_empty(&self) -> bool {
                let $this = self;
                $empty
            }
        }
    )+ };
}

/// A secret that came along: whether there was one, and nothing of it. It cannot be shown, for it is not here.
pub struct Secret {
    is_empty: bool,
}

/// A secret that is to be sealed. It cannot be shown.
pub struct ToSeal(pub SecretString);

/// An `ID` that may be left out.
pub struct Id(pub String);

/// An `ID!`.
pub struct RequiredId(pub String);

scalar_kinds! {
    String as String, nullable true: |value| read_text(value), empty |this| this.trim().is_empty();
    Secret as String, nullable true: |value| Some(Self { is_empty: read_text(value)?.trim().is_empty() }), empty |this| this.is_empty;
    ToSeal as String, nullable true: |value| Some(Self(read_text(value)?.into())), empty |this| this.0.expose_secret().trim().is_empty();
    bool as bool, nullable true: |value| if let Value::Boolean(flag) = value { Some(flag) } else { None }, empty |_this| false;
    i32 as i32, nullable true: |value| read_number(&value), empty |_this| false;
    Id as ID, nullable true: |value| read_id(value).map(Self), empty |this| this.0.trim().is_empty();
    RequiredId as ID, nullable false: |value| read_id(value).map(Self), empty |this| this.0.trim().is_empty();
}

fn read_text(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}

fn read_number(value: &Value) -> Option<i32> {
    if let Value::Number(number) = value { number.as_i64()?.try_into().ok() } else { None }
}

/// The specification has whole numbers serve as ids too.
fn read_id(value: Value) -> Option<String> {
    match value {
        Value::String(id) => Some(id),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

macro_rules! object_kinds {
    ($($object:ty),+) => { $(
        impl Kind for $object {
            const NULLABLE: bool = false;
            fn type_name() -> Cow<'static, str> {
                <Self as InputType>::type_name()
            }
            fn register(registry: &mut Registry) {
                <Self as InputType>::create_type_info(registry);
            }
            fn read(value: Value) -> Option<Self> {
                <Self as InputType>::parse(Some(value)).ok()
            }
        }
    )+ };
}

object_kinds!(SaveInput, FindInput, InstallInput, EncryptInput);

/// Connector details to persist. All fields are required, and none may be empty.
#[derive(InputObject)]
#[graphql(name = "SaveIPackInstanceOauthConnectorDetailsInput")]
pub struct SaveInput {
    /// The instance of the integration pack. One that is not known yet is registered with its id as its name.
    integration_pack_instance_id: Given<String>,
    /// Whether the client has generated a token; kept as the client says.
    is_token_generated: Given<bool>,
    /// A JSON object as a string, kept byte for byte. `baseURL`, `companyId` and `clientId` are strings, `authParams`
    /// and `accessTokenParams` objects of strings; other keys are kept. A client secret has no place in it.
    oauth_connector_details: Given<String>,
    /// A process of the instance.
    process_id: Given<String>,
    /// The environment that the details are for.
    env_id: Given<String>,
    /// A connection of the process.
    connection_id: Given<String>,
    /// The Space's guid; equals the header `SPACE_GUID`.
    catalog_guid: Given<String>,
    /// The client's id at the identity provider.
    client_id: Given<String>,
    /// Must be given and is not kept: `dummyClientSecret` is stored in its place.
    #[graphql(secret)]
    client_secret: Given<Secret>,
}

impl SaveInput {
    /// # Errors
    /// `BadInput` for the first field that is not there.
    pub fn checked(self) -> Result<SaveDetails> {
        let instance = self.integration_pack_instance_id.required("integrationPackInstanceId")?;
        let is_token_generated = self.is_token_generated.required("isTokenGenerated")?;
        let oauth_connector_details = self.oauth_connector_details.required("oauthConnectorDetails")?;
        let process = self.process_id.required("processId")?;
        let environment = self.env_id.required("envId")?;
        let connection = self.connection_id.required("connectionId")?;
        let space = self.catalog_guid.required("catalogGuid")?;
        let client_id = self.client_id.required("clientId")?;
        self.client_secret.required("clientSecret")?;
        let key = ConnectionKey { space, instance, environment, process, connection };
        Ok(SaveDetails { key, is_token_generated, oauth_connector_details, client_id })
    }
}

/// Names a connection. All fields are required, and none may be empty.
#[derive(InputObject)]
#[graphql(name = "IPackInstanceOAuthConnectorDetailsInput")]
pub struct FindInput {
    /// The instance of the integration pack.
    integration_pack_instance_id: Given<String>,
    /// The environment that the details are for.
    env_id: Given<String>,
    /// A process of the instance.
    process_id: Given<String>,
    /// A connection of the process.
    connection_id: Given<String>,
    /// The Space's guid; equals the header `SPACE_GUID`.
    catalog_guid: Given<String>,
}

impl FindInput {
    /// # Errors
    /// `BadInput` for the first field that is not there.
    pub fn checked(self) -> Result<ConnectionKey> {
        Ok(ConnectionKey {
            instance: self.integration_pack_instance_id.required("integrationPackInstanceId")?,
            environment: self.env_id.required("envId")?,
            process: self.process_id.required("processId")?,
            connection: self.connection_id.required("connectionId")?,
            space: self.catalog_guid.required("catalogGuid")?,
        })
    }
}

/// A client secret to encrypt, and for which connection. All fields are required, and none may be empty.
#[derive(InputObject)]
#[graphql(name = "EncryptIPackInstanceOauthClientSecretInput")]
pub struct EncryptInput {
    /// The instance of the integration pack.
    integration_pack_instance_id: Given<String>,
    /// The environment that the secret is for.
    env_id: Given<String>,
    /// A process of the instance.
    process_id: Given<String>,
    /// A connection of the process, whose details are saved.
    connection_id: Given<String>,
    /// The Space's guid; equals the header `SPACE_GUID`.
    catalog_guid: Given<String>,
    /// The client's secret at the identity provider, or its private key in PEM. Sealed, and never answered by anything.
    #[graphql(secret)]
    client_secret: Given<ToSeal>,
}

impl EncryptInput {
    /// # Errors
    /// `BadInput` for the first field that is not there.
    pub fn checked(self) -> Result<(ConnectionKey, SecretString)> {
        let key = FindInput {
            integration_pack_instance_id: self.integration_pack_instance_id,
            env_id: self.env_id,
            process_id: self.process_id,
            connection_id: self.connection_id,
            catalog_guid: self.catalog_guid,
        };
        Ok((key.checked()?, self.client_secret.required("clientSecret")?.0))
    }
}

/// An integration pack to install.
#[derive(InputObject)]
#[graphql(name = "IntegrationPackInstanceInstallInput")]
pub struct InstallInput {
    /// A pack of the Space.
    integration_pack_id: Given<RequiredId>,
    /// The instance's own name; needed where the pack can be installed several times.
    integration_pack_override_name: Given<String>,
}

impl InstallInput {
    /// The pack's id and the name.
    ///
    /// # Errors
    /// `BadInput` for the first field that will not do.
    pub fn checked(self) -> Result<(String, Option<String>)> {
        let id = self.integration_pack_id.required("integrationPackId")?.0;
        Ok((id, self.integration_pack_override_name.optional("integrationPackOverrideName")?))
    }
}

/// Runs a use case with the page that `first` and `after` name.
pub struct PageInput {
    first: i64,
    after: String,
}

impl PageInput {
    /// # Errors
    /// `BadInput` where one of the two is of another type.
    pub fn checked(first: Given<i32>, after: Given<Id>) -> Result<Self> {
        let first = first.optional("first")?.map_or(MAX_PAGE, i64::from);
        Ok(Self { first, after: after.optional("after")?.map(|id| id.0).unwrap_or_default() })
    }

    pub fn page(&self) -> Page<'_> {
        Page { first: self.first, after: &self.after }
    }
}
