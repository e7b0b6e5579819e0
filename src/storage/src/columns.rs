//! What columns are in the program: moments, names of variants, JSON, the parts of a key.
//!
//! Both databases store them as integers and texts. A row struct names the type that it wants, and
//! `#[sqlx(try_from = "Column<…>")]` reads it; a value that cannot be read is [`StorageError::Corrupt`], with the
//! column's name. Written is `moment.0`, `i64::from(count)`, `variant.name()`, and what [`to_json`] makes.

use crate::{Result, StorageError};
use ipack_domain::{
    catalogue::Classification, form::FormContent, ids::ConnectionKey, provider::ProviderChoice,
    time::Timestamp,
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Database, Decode, FromRow, Type, error::BoxDynError};

/// A column that is read as a `T`. It is a type of this member's own, so that it may be made any other.
#[derive(Debug)]
pub struct Column<T>(T);

/// What a column can be read as.
pub trait FromColumn: Sized {
    /// What both drivers make of it.
    type Stored;

    /// # Errors
    /// Where no version of this program writes such a value.
    fn from_column(stored: Self::Stored) -> std::result::Result<Self, BoxDynError>;
}

impl<DB: Database, T: FromColumn<Stored: Type<DB>>> Type<DB> for Column<T> {
    fn type_info() -> DB::TypeInfo {
        T::Stored::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        T::Stored::compatible(ty)
    }
}

impl<'r, DB: Database, T: FromColumn<Stored: Decode<'r, DB>>> Decode<'r, DB> for Column<T> {
    fn decode(value: DB::ValueRef<'r>) -> std::result::Result<Self, BoxDynError> {
        T::from_column(T::Stored::decode(value)?).map(Self)
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    type Stored = Option<T::Stored>;

    fn from_column(stored: Self::Stored) -> std::result::Result<Self, BoxDynError> {
        stored.map(T::from_column).transpose()
    }
}

/// Lets a row struct have fields of these types.
macro_rules! as_fields {
    ($($type:ty),+ $(,)?) => {$(
        impl From<$crate::columns::Column<$type>> for $type {
            fn from(column: $crate::columns::Column<$type>) -> Self {
                column.into_inner()
            }
        }
    )+};
}
pub(crate) use as_fields;

impl<T> Column<T> {
    pub(crate) fn into_inner(self) -> T {
        self.0
    }

    pub(crate) fn get(&self) -> &T {
        &self.0
    }
}

/// The names that an enum's variants are stored by: a new variant gets a name of its own, and old names stay.
macro_rules! stored_by_name {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use stored_by_name;

/// Lets a column be read as one of these, each of which has `named`; an unknown name is refused.
macro_rules! read_by_name {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::columns::FromColumn for $type {
            type Stored = String;

            fn from_column(name: String) -> std::result::Result<Self, sqlx::error::BoxDynError> {
                Self::named(&name).ok_or_else(|| format!("{name:?} is no known name").into())
            }
        }
        $crate::columns::as_fields!($type, Option<$type>);
    )+};
}
pub(crate) use read_by_name;

impl FromColumn for Timestamp {
    type Stored = i64;

    fn from_column(microseconds: i64) -> std::result::Result<Self, BoxDynError> {
        Ok(Self(microseconds))
    }
}

/// What is counted: versions of keys, rows, failures.
impl FromColumn for u32 {
    type Stored = i64;

    fn from_column(number: i64) -> std::result::Result<Self, BoxDynError> {
        Ok(Self::try_from(number)?)
    }
}

impl FromColumn for Classification {
    type Stored = String;

    fn from_column(name: String) -> std::result::Result<Self, BoxDynError> {
        Self::parse(&name).ok_or_else(|| format!("{name:?} is no known name").into())
    }
}

macro_rules! read_as_json {
    ($($type:ty),+) => {$(
        impl FromColumn for $type {
            type Stored = String;

            fn from_column(text: String) -> std::result::Result<Self, BoxDynError> {
                Ok(serde_json::from_str(&text)?)
            }
        }
    )+};
}
read_as_json!(FormContent, ProviderChoice, Vec<String>);

as_fields!(
    Timestamp,
    Option<Timestamp>,
    u32,
    Option<u32>,
    Classification,
    FormContent,
    Option<ProviderChoice>,
    Vec<String>,
    JsonText,
    Option<JsonText>,
);

/// As a JSON column has it.
pub(crate) fn to_json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::json!(value).to_string()
}

/// JSON of a type that storage does not know; whoever knows it reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonText(String);

impl JsonText {
    /// # Errors
    /// Where the value has no JSON.
    pub fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        serde_json::to_string(value).map(Self)
    }

    /// # Errors
    /// `Corrupt`, by this name.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        serde_json::from_str(&self.0).map_err(|_| StorageError::Corrupt(name.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromColumn for JsonText {
    type Stored = String;

    fn from_column(text: String) -> std::result::Result<Self, BoxDynError> {
        Ok(Self(text))
    }
}

/// The five columns of a connection key, read as one field by `#[sqlx(flatten, try_from = "KeyColumns")]`.
#[derive(Debug, FromRow)]
pub struct KeyColumns {
    space_guid: String,
    instance_id: String,
    environment_id: String,
    process_id: String,
    connection_id: String,
}

impl From<KeyColumns> for ConnectionKey {
    fn from(columns: KeyColumns) -> Self {
        Self {
            space: columns.space_guid,
            instance: columns.instance_id,
            environment: columns.environment_id,
            process: columns.process_id,
            connection: columns.connection_id,
        }
    }
}

/// The columns of [`KeyColumns`], as a statement lists them.
macro_rules! key_columns {
    () => {
        "space_guid, instance_id, environment_id, process_id, connection_id"
    };
}
pub(crate) use key_columns;

/// A statement about one connection key, whose parts are its first five parameters.
macro_rules! of_key {
    ($statement:expr $(, $rest:expr)*) => {
        concat!(
            $statement,
            " WHERE space_guid = $1 AND instance_id = $2 AND environment_id = $3 AND process_id = $4
                 AND connection_id = $5 "
            $(, $rest)*
        )
    };
}
pub(crate) use of_key;

/// Binds the five parts of a connection key to a query's first five parameters.
macro_rules! bind_key {
    ($query:expr, $key:expr) => {
        $query
            .bind(&$key.space)
            .bind(&$key.instance)
            .bind(&$key.environment)
            .bind(&$key.process)
            .bind(&$key.connection)
    };
}
pub(crate) use bind_key;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{attempts::Status, audit_log::Kind, client_secrets::Slot, packs::InstallationType};

    #[test]
    fn versions_are_those_of_the_vault() {
        for (stored, version) in [(0, 0), (1, 1), (i64::from(u32::MAX), u32::MAX)] {
            assert_eq!(u32::from_column(stored).expect("it fits"), version);
        }
        for stored in [-1, i64::from(u32::MAX) + 1, i64::MAX] {
            u32::from_column(stored).expect_err("no vault counts so");
        }
    }

    #[test]
    fn names_that_nobody_writes_are_refused() {
        for name in ["", "Opened", "opened ", "CURRENT", "multi", "prod"] {
            assert!(Status::from_column(name.to_owned()).is_err(), "{name:?}");
            assert!(Slot::from_column(name.to_owned()).is_err(), "{name:?}");
            assert!(InstallationType::from_column(name.to_owned()).is_err(), "{name:?}");
            assert!(Classification::from_column(name.to_owned()).is_err(), "{name:?}");
            // It happened all the same, and a later version knows what.
            assert!(matches!(Option::<Kind>::from_column(name.to_owned()), Ok(None)), "{name:?}");
        }
    }
}
