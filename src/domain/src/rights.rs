//! What an API token may do. Rights are stored, signed into JWTs and typed by their names.

use std::{collections::BTreeSet, fmt, str::FromStr};
use strum::VariantArray;

/// Each says what it opens; whoever has none of them can still list the catalogue of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, VariantArray)]
pub enum Right {
    /// Read connector details, and the state of connections.
    DetailsRead,
    /// Save connector details and providers: decides where a client secret goes.
    DetailsWrite,
    /// Read access tokens.
    TokensRead,
    /// Encrypt and reset client secrets, refresh and revoke tokens.
    TokensManage,
    /// Install, uninstall, attach and unattach.
    CatalogueWrite,
}

impl Right {
    pub fn name(self) -> &'static str {
        match self {
            Self::DetailsRead => "details:read",
            Self::DetailsWrite => "details:write",
            Self::TokensRead => "tokens:read",
            Self::TokensManage => "tokens:manage",
            Self::CatalogueWrite => "catalogue:write",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::VARIANTS.iter().copied().find(|right| right.name() == name)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights(BTreeSet<Right>);

impl Rights {
    pub fn all() -> Self {
        Self(Right::VARIANTS.iter().copied().collect())
    }

    /// What a token has that was made without saying so: everything but to read access tokens.
    pub fn usual() -> Self {
        Self::all().without(Right::TokensRead)
    }

    pub fn with(mut self, right: Right) -> Self {
        self.0.insert(right);
        self
    }

    pub fn without(mut self, right: Right) -> Self {
        self.0.remove(&right);
        self
    }

    pub fn has(&self, right: Right) -> bool {
        self.0.contains(&right)
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|right| right.name()).collect()
    }

    /// Of names with commas between them, those that this version knows: one that a later version gave opens nothing here.
    pub fn of_known(names: &str) -> Self {
        Self(names.split(',').filter_map(Right::named).collect())
    }
}

/// With a comma between two, as they are stored and typed.
impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(","))
    }
}

/// A list that a person typed, in which every name must be known.
impl FromStr for Rights {
    type Err = String;

    fn from_str(names: &str) -> Result<Self, String> {
        let known = |name: &str| {
            let name = name.trim();
            Right::named(name).ok_or_else(|| format!("{name:?} is no right; there are {}", Self::all()))
        };
        names.split(',').map(known).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_travel_by_their_names() {
        let all = "details:read,details:write,tokens:read,tokens:manage,catalogue:write";
        assert_eq!(Rights::all().to_string(), all);
        assert_eq!(all.parse(), Ok(Rights::all()));
        assert_eq!(" tokens:read , tokens:read".parse(), Ok(Rights::default().with(Right::TokensRead)));
        for wrong in ["", "tokens", "tokens:read,", "details:read tokens:read"] {
            let error = wrong.parse::<Rights>().expect_err(wrong);
            assert!(error.ends_with(&format!("is no right; there are {all}")), "{error}");
        }
        assert_eq!(Rights::of_known("details:read,later:thing"), Rights::default().with(Right::DetailsRead));
        assert_eq!(Rights::of_known(""), Rights::default());
        assert!(!Rights::usual().has(Right::TokensRead) && Rights::usual().has(Right::DetailsWrite));
    }
}
