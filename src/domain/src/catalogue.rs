//! What stands around connections: environments and processes.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Classification {
    Prod,
    Test,
}

impl Classification {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prod => "PROD",
            Self::Test => "TEST",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Prod, Self::Test].into_iter().find(|c| c.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    pub id: String,
    pub name: String,
    pub classification: Classification,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub id: String,
    pub name: String,
}
