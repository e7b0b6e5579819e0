//! A value as a client gave it. Every argument and input field is a [`Given`], which takes anything, so that the library
//! never says what is wrong with a value (it would repeat it): we do, with the field's name.

use async_graphql::{ID, InputType, InputValueResult, Value, registry::Registry};
use ipack_core::{Result, ServiceError};
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

    /// For a change: `None` where nothing was given, which leaves what is there, and `Some(None)` for null.
    ///
    /// # Errors
    /// `BadInput` where it is of another type.
    pub fn changed(self, field: &str) -> Result<Option<Option<K>>> {
        match self {
            Self::Missing => Ok(None),
            Self::Null => Ok(Some(None)),
            Self::Value(value) => Ok(Some(Some(value))),
            Self::WrongType => Err(wrong_type::<K>(field)),
        }
    }
}

fn wrong_type<K: Kind>(field: &str) -> ServiceError {
    ServiceError::bad_input(field, must_be(&K::type_name()))
}

/// What is said of a value of another type.
pub fn must_be(type_name: &str) -> String {
    if let Some(items) = type_name.strip_prefix('[') {
        return format!("must be a list of {}s", items.trim_end_matches([']', '!']));
    }
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

/// Kinds that the library reads: input objects and enums. Their fields are [`Given`] themselves.
macro_rules! library_kinds {
    ($($kind:ty: nullable $nullable:literal),+ $(,)?) => { $(
        impl $crate::schema::inputs::Kind for $kind {
            const NULLABLE: bool = $nullable;
            fn type_name() -> std::borrow::Cow<'static, str> {
                <Self as async_graphql::InputType>::type_name()
            }
            fn register(registry: &mut async_graphql::registry::Registry) {
                <Self as async_graphql::InputType>::create_type_info(registry);
            }
            fn read(value: async_graphql::Value) -> Option<Self> {
                <Self as async_graphql::InputType>::parse(Some(value)).ok()
            }
        }
    )+ };
}
pub(crate) use library_kinds;

/// A list. One value stands for a list of one, as the specification has it.
impl<K: Kind> Kind for Vec<K> {
    const NULLABLE: bool = true;
    fn type_name() -> Cow<'static, str> {
        format!("[{}]", K::type_name()).into()
    }
    fn register(registry: &mut Registry) {
        K::register(registry);
    }
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::List(values) => values.into_iter().map(K::read).collect(),
            value => K::read(value).map(|one| vec![one]),
        }
    }
}
