//! The page of an address that leads nowhere.

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
