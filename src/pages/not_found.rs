//! The page of an address that leads nowhere.
//!
//! Another page without content of its own follows it: a status and a sentence.

use super::frame::{Failure, Frame};
use crate::error::AppError;
use leptos::prelude::*;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Frame title="There is nothing here">
            <Failure error=AppError::not_found() />
        </Frame>
    }
}
