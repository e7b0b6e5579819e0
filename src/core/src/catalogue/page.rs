//! Pages of lists, by key.

use crate::error::{Result, ServiceError};

/// The most that one page of a list holds.
pub const MAX_PAGE: i64 = 1_000;

/// A page of a list: at most `first` entries whose ids come after `after`.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    pub first: i64,
    pub after: &'a str,
}

impl Page<'_> {
    pub(crate) fn check(&self) -> Result<()> {
        if !(1..=MAX_PAGE).contains(&self.first) {
            return Err(ServiceError::bad_input("first", format!("must be between 1 and {MAX_PAGE}")));
        }
        if self.after.contains('\0') {
            return Err(ServiceError::bad_input("after", "must not contain a NUL character"));
        }
        Ok(())
    }
}
